"""What the delegate reports, as records: `delegate/report/README.md` says which there are."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from typing import Any

from sbnn_tf.errors import SbnnError

Record = dict[str, Any]

_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)


class Sink:
    """Has a delegate library call a function with each record, from whatever thread reports.

    Attributes:
      number: what the delegate's option `report_sink` takes.
    """

    def __init__(self, library: ctypes.CDLL, receive: Callable[[Record], object]):
        try:
            add, self._remove = library.sbnn_add_report_sink, library.sbnn_remove_report_sink
        except AttributeError:
            raise SbnnError(
                f"{library._name} is too old to report: build the delegate of this package"
            ) from None
        self._callback = _CALLBACK(lambda line, _: receive(json.loads(line)))
        add.argtypes = [_CALLBACK, ctypes.c_void_p]
        self.number = add(self._callback, None)

    def remove(self) -> None:
        """End it: when this returns, the function is not called any more."""
        self._remove(self.number)
