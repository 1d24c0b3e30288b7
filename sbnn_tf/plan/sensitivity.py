"""How much accuracy each layer costs when it is pruned alone."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sbnn_tf import patterns
from sbnn_tf.errors import SbnnError
from sbnn_tf.files import check_target, is_stream, read_file, write_file
from sbnn_tf.keras_model import keras_compat, kernels
from sbnn_tf.patterns import Pattern, check_sparsity
from sbnn_tf.plan import importance
from sbnn_tf.plan.policy import Policy

SPARSITIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)


def sensitivity(
    model: Any,
    evaluate: Callable[[Any], float],
    pattern: Pattern | str,
    *,
    sparsities: Sequence[float] = SPARSITIES,
    policy: Policy | None = None,
    cache: str | os.PathLike | None = None,
    verbose: int = 1,
) -> dict[str, dict[float, float]]:
    """Prune each layer alone, by magnitude and without training, and evaluate: for `Sensitive`.

        losses = sensitivity(model, lambda m: m.evaluate(data, verbose=0)[1], "group4")
        model.fit(..., callbacks=[Pruning("group4", schedule, budget=Sensitive(losses))])

    (As Li et al., "Pruning Filters for Efficient ConvNets", 2017, section 3.2 do with filters.)

    Args:
      model: a built Keras model. Its weights are as they were when this returns or raises.
      evaluate: returns the model's accuracy, or another number that is better when higher.
      pattern: which weights are pruned together.
      sparsities: at which to evaluate, in (0, 1); 0 is added.
      policy: which layers; default `Policy()`.
      cache: a JSON file: what is in it for these very weights is not evaluated again, and an
        interrupted scan goes on there.
      verbose: 0 shows no progress bar.

    Returns:
      {kernel: {sparsity: accuracy}}.

    Raises:
      ValueError, TypeError: as `Policy.choose`; a sparsity out of range; a cache that is none.
    """
    pattern = patterns.get(pattern)
    api = keras_compat.api(model)
    choices = (policy or Policy()).choose(model, pattern)
    todo = sorted({check_sparsity(s) for s in sparsities} - {0.0})
    known = _Cache(cache, model)
    bar = api.utils.Progbar(1 + len(choices) * len(todo), verbose=verbose)
    dense = known("dense", lambda: float(evaluate(model)))
    bar.add(1)
    found: dict[str, dict[float, float]] = {}
    for choice in choices:
        kernel, before = choice.kernel, choice.kernel.value().copy()
        norm = kernels.folded_batch_norm(kernel, api.layers)
        weights = kernel.weights()
        scores = np.abs(weights) * importance.fold(weights.shape[-1], norm)
        curve = found[kernel.name] = {0.0: dense}

        def pruned(keep: np.ndarray) -> float:
            kernel.variable.assign(np.where(kernel.stored(keep), before, 0))
            return float(evaluate(model))

        try:
            for sparsity in todo:
                keep = choice.pattern.mask(scores, sparsity)
                key = f"{choice.pattern!r}/{kernel.number}/{sparsity}"
                curve[sparsity] = known(key, lambda: pruned(keep))
                bar.add(1)
        finally:
            kernel.variable.assign(before)
    return found


class _Cache:
    """Results of one set of weights, in a file that may hold those of others."""

    def __init__(self, path: str | os.PathLike | None, model: Any):
        self._path = None if path is None else check_target(path)
        weights = 0
        for value in model.get_weights():
            weights = zlib.crc32(np.ascontiguousarray(value).tobytes(), weights)
        self._weights = f"{weights:08x}"
        self._known: dict[str, dict[str, float]] = {}
        if self._path is not None and os.path.exists(path) and not is_stream(path):
            try:
                self._known = json.loads(read_file(path))
                self._known.setdefault(self._weights, {})
            except (ValueError, AttributeError) as error:
                raise SbnnError(f"{path} is no cache of a sensitivity scan: {error}") from error

    def __call__(self, key: str, evaluate: Callable[[], float]) -> float:
        known = self._known.setdefault(self._weights, {})
        if key not in known:
            known[key] = evaluate()
            if self._path is not None:
                write_file(self._path, (json.dumps(self._known, indent=1) + "\n").encode())
        return known[key]
