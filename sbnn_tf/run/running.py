"""Run a graph of an interpreter: any of them, with inputs of the sizes that are wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sbnn_tf.errors import SbnnError
from sbnn_tf.run.child import doing
from sbnn_tf.run.graph import Graph


@contextlib.contextmanager
def named(what: str) -> Iterator[None]:
    """Turns an interpreter's error into one that says what it is about: a file, say."""
    try:
        yield
    except SbnnError:
        raise
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or "no reason given"
        raise SbnnError(f"TensorFlow Lite cannot run {what}: {reason}") from None


class Running:
    """A graph of an interpreter.

    The interpreters' own calls run the first graph only, or copy inputs and outputs at every run
    (of a signature). What they are made of does neither; it is the same in both packages.
    """

    def __init__(
        self, made: Any, subgraph: int, inputs: Sequence[int], outputs: Sequence[int], what: str
    ):
        """
        Args:
          made: an interpreter.
          subgraph: the graph's number.
          inputs, outputs: numbers of its tensors.
          what: it is, for messages.
        """
        self._made, self._calls, self._what = made, made._interpreter, what
        self._subgraph = subgraph
        self._at = (subgraph,) if subgraph else ()  # of the first, as everybody runs it
        self._inputs, self._outputs = list(inputs), list(outputs)

    @classmethod
    def first(cls, made: Any) -> Running:
        """The first graph of an interpreter."""
        calls = made._interpreter
        return cls(made, 0, calls.InputIndices(), calls.OutputIndices(), "the model")

    @classmethod
    def start(
        cls,
        made: Any,
        graph: Graph,
        file: str,
        shapes: Sequence[Sequence[int]] | None = None,
    ) -> Running:
        """Any graph of an interpreter, its inputs resized, its tensors allocated.

        Args:
          made: the interpreter.
          graph: one of its file.
          file: the file's name.
          shapes: of the inputs. None: those of the graph.

        Raises:
          SbnnError: TensorFlow Lite cannot run it so.
        """
        if shapes is None:
            shapes = [port.shape for port in graph.inputs]
        inputs, outputs = (
            [port.index for port in ports] for ports in (graph.inputs, graph.outputs)
        )
        running = cls(made, graph.subgraph, inputs, outputs, f"{graph.title} of {file}")
        doing(f"preparing {running._what}")
        calls = running._calls
        with named(running._what):
            for index, shape in zip(inputs, shapes):
                size = np.array(shape, np.int32)
                if not np.array_equal(size, calls.TensorSize(index, graph.subgraph)):
                    calls.ResizeInputTensor(index, size, False, graph.subgraph)
            calls.AllocateTensors(*running._at)
        return running

    def feed(self, inputs: Sequence[np.ndarray]) -> None:
        """Set the inputs, in order."""
        for index, value in zip(self._inputs, inputs):
            self._calls.SetTensor(index, value, self._subgraph)

    def invoke(self) -> None:
        """Compute once."""
        self._calls.Invoke(*self._at)

    def results(self) -> list[np.ndarray]:
        """Copies of the outputs, in order."""
        return [self._result(index) for index in self._outputs]

    def _result(self, index: int) -> np.ndarray:
        shape = self._calls.TensorSize(index, self._subgraph)
        if 0 in shape:  # which the interpreters refuse where the size was found out by running
            return np.zeros(shape, self._calls.TensorType(index, self._subgraph))
        return self._calls.GetTensor(index, self._subgraph)

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run once; return copies of the outputs, in order.

        Raises:
          SbnnError: wrong inputs, or the model fails on them.
        """
        doing(f"running {self._what}")
        with named(self._what):
            self.feed(inputs)
            self.invoke()
            return self.results()

    def sizes(self) -> list[dict[int, tuple[int, ...]]]:
        """The shapes of the interpreter's tensors, as they are now, by number, by subgraph."""
        return [
            {each["index"]: tuple(map(int, each["shape"])) for each in details}
            for details in map(self._made.get_tensor_details, range(self._made.num_subgraphs()))
        ]

    def draw(self, rng: np.random.Generator) -> list[np.ndarray]:
        """Random inputs, in order.

        They are from a standard normal distribution; integers from the whole range of quantized
        and 8-bit types, and from 0 and 1 of others, which may be indices; strings are short words.

        Raises:
          SbnnError: an input of another type.
        """
        return [self._random(index, rng) for index in self._inputs]

    def _random(self, index: int, rng: np.random.Generator) -> np.ndarray:
        detail = self._made._get_tensor_details(index, self._subgraph)
        shape, dtype = tuple(map(int, detail["shape"])), np.dtype(detail["dtype"])
        if dtype.kind == "f":
            return rng.standard_normal(shape).astype(dtype)
        if dtype.kind == "c":
            return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
        if dtype.kind in "iu" and (dtype.itemsize == 1 or detail["quantization"][0] > 0):
            limits = np.iinfo(dtype)
            return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        if dtype.kind in "iub":
            return rng.integers(0, 2, shape).astype(dtype)
        if dtype.kind == "S":
            letters = np.array([b"a", b"b", b"c", b" "])[rng.integers(0, 4, (*shape, 6))]
            return np.ascontiguousarray(letters).view("S6").reshape(shape)
        raise SbnnError(f"input {detail['name']!r}: no random values for type {dtype}")
