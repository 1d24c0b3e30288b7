"""What can be run of a `.tflite` file, and what kind of computing it is."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence

import numpy as np

from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import op_name, text, type_name
from sbnn_tf.errors import SbnnError
from sbnn_tf.run.graph import OPEN, Graph, Port, select
from sbnn_tf.run.runtime import File


def read(file: File):
    """The file's `ModelT`; errors name the file."""
    try:
        return flatbuffer.read(file.content)
    except SbnnError as error:
        raise SbnnError(f"{file.name}: {error}") from None


def entries(model) -> list[Graph]:
    """The graphs that a program can run: one a signature, and the first if none names it."""
    found = [
        _graph(model, int(each.subgraphIndex), each)
        for each in model.signatureDefs
        if each.signatureKey
    ]
    if all(graph.subgraph for graph in found):
        found.insert(0, _graph(model, 0, None))
    return found


def entry(model, signature: str | None, file: str) -> Graph:
    """The graph of a signature; of none the first, which an interpreter's `invoke` runs.

    Raises:
      SbnnError: the file has no such signature.
    """
    found = entries(model)
    if signature is not None:
        return select(found, signature, file)
    return next(graph for graph in found if graph.subgraph == 0)


def inner(model) -> list[Graph]:
    """The graphs that operators run, such as the body of a loop, and those that nothing runs."""
    outer = {graph.subgraph for graph in entries(model)}
    return [_graph(model, i, None) for i in range(len(model.subgraphs)) if i not in outer]


def _graph(model, index: int, signature) -> Graph:
    subgraph = model.subgraphs[index]

    def ports(tensors, entries) -> tuple[Port, ...]:
        names = collections.defaultdict(list)
        for entry in entries or []:
            names[int(entry.tensorIndex)].append(text(entry.name))
        found = []
        for t in map(int, tensors):
            tensor = subgraph.tensors[t]
            name = text(tensor.name)
            given = names[t].pop(0) if names[t] else name  # one tensor may be several outputs
            found.append(Port(given, name, t, type_name(tensor), _shape(tensor)))
        return tuple(found)

    return Graph(
        subgraph=index,
        name=text(subgraph.name),
        signature=None if signature is None else text(signature.signatureKey),
        inputs=ports(subgraph.inputs, signature and signature.inputs),
        outputs=ports(subgraph.outputs, signature and signature.outputs),
    )


def _shape(tensor) -> tuple[int, ...]:
    shape, signature = tensor.shape, tensor.shapeSignature
    if signature is not None and len(signature) == len(shape):
        shape = signature
    return tuple(max(OPEN, int(n)) for n in shape)


def runs(model, outer: Sequence[Graph], graph: Graph) -> bool:
    """Whether one of these graphs runs that one, by a loop, a branch or a call."""
    return graph.subgraph in reached(model, outer)


def reached(model, graphs: Sequence[Graph]) -> set[int]:
    """The numbers of these graphs' subgraphs, and of those that operators in them run."""
    reached: set[int] = set()
    todo = [graph.subgraph for graph in graphs]
    while todo:
        index = todo.pop()
        if index not in reached and 0 <= index < len(model.subgraphs):
            reached.add(index)
            for op in model.subgraphs[index].operators:
                for options in (op.builtinOptions, op.builtinOptions2):
                    fields = vars(options).items() if options is not None else ()
                    todo += [n for name, n in fields if name.lower().endswith("subgraphindex")]
    return reached


def writes_files(model, graph: Graph) -> str | None:
    """The name of an operator with which the graph writes files, if it has one."""
    for index in reached(model, [graph]):
        for op in model.subgraphs[index].operators:
            name = op_name(model, op)
            if name.startswith("Flex") and any(word in name for word in ("Save", "Write")):
                return name
    return None


def draws_random_numbers(model) -> list[str]:
    """Names of operators whose outputs are new ones in each interpreter."""
    return sorted(
        {
            op_name(model, op)
            for subgraph in model.subgraphs
            for op in subgraph.operators
            if isinstance(op.builtinOptions, schema().RandomOptionsT)
            and not (op.builtinOptions.seed or op.builtinOptions.seed2)
        }
    )


def rounds_activations(model) -> bool:
    """Whether float results are rounded to 8 bits while it runs.

    That is so in operators on floats with 8-bit weights ("dynamic range"), and in QUANTIZE.
    """
    small = {"INT8", "UINT8", "INT4"}
    for subgraph in model.subgraphs:
        made = {int(t) for op in subgraph.operators for t in op.outputs}
        for op in subgraph.operators:
            types = [type_name(subgraph.tensors[t]) for t in op.inputs if t >= 0]
            if types[:1] == ["FLOAT32"] and (
                not small.isdisjoint(types[1:])
                or (op_name(model, op) == "QUANTIZE" and int(op.inputs[0]) in made)
            ):
                return True
    return False


def fix_sizes(model, sizes: Mapping[int, Mapping[int, Sequence[int]]]) -> None:
    """Give tensors the shapes that they had in a run, with nothing open in them.

    Args:
      sizes: by number, by subgraph.
    """
    for index, shapes in sizes.items():
        for t, tensor in enumerate(model.subgraphs[index].tensors):
            if t in shapes:
                tensor.shape, tensor.shapeSignature = np.array(shapes[t], np.int32), None
