"""Random quantized graphs against stock TensorFlow Lite.

`python -m tests.e2e.random_int8_graphs FIRST COUNT` runs the graphs of COUNT seeds from FIRST on,
prints the command that reproduces each failure, and ends with status 1 if there was one.

A graph follows from its seed alone: int8 or uint8, scales and zero points at random. It runs in
stock TensorFlow Lite with XNNPACK, and whole in the engine (by the runner, since the delegate
claims nothing without a layer that has weights), with an instruction set and a number of threads that follow
from the seed too. Bar: the same bits.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e import random_int8_layers, runner
from tests.e2e.random_graph import SAME, VALID, Drawn
from tests.e2e.random_graphs import isas

Quantization = tuple[float, int]
VERSION_2 = {"GELU", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "TANH"}


class Graph(Drawn):
    """A graph under construction. `last` is the tensor that the next operator reads."""

    def __init__(self, seed: int):
        super().__init__(seed)
        self.kind = np.uint8 if self.chance(0.2) else np.int8
        self.zero = 128 if self.kind == np.uint8 else 0  # what int8's zero is
        self.last = self.fed(
            (self.whole(1, 2), self.whole(1, 9), self.whole(1, 9), self.pick(1, 3, 4, 7, 8, 17))
        )

    # ---- Chance

    def any_quantization(self) -> Quantization:
        scale = float(np.float32(np.exp(self.rng.uniform(-5, 0))))
        return scale, self.whole(-128, 127) + self.zero

    def any_numbers(self, shape) -> np.ndarray:
        return (self.rng.integers(-128, 128, shape) + self.zero).astype(self.kind)

    # ---- Building

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(d) for d in self.graph.tensors[tensor].shape)

    def quantization(self, tensor: int) -> Quantization:
        given = self.graph.tensors[tensor].quantization
        return float(given.scale[0]), int(given.zeroPoint[0])

    def quantized(self, tensor: int, quantization: Quantization | None = None) -> int:
        given = schema().QuantizationParametersT(quantizedDimension=0)
        scale, zero_point = quantization or self.any_quantization()
        given.scale = np.array([scale], np.float32)
        given.zeroPoint = np.array([zero_point], np.int64)
        self.graph.tensors[tensor].quantization = given
        return tensor

    def fed(self, shape, quantization: Quantization | None = None) -> int:
        """Another input."""
        name = f"input{len(self.graph.inputs)}"
        return self.quantized(self.input(shape, self.kind, name), quantization)

    def operand(self, shape, quantization: Quantization | None = None) -> int:
        if self.chance(0.5):
            return self.fed(shape, quantization)
        return self.quantized(self.constant("c", self.any_numbers(shape)), quantization)

    def numbers(self, values) -> int:
        return self.constant("n", np.array(values, np.int32))

    def add(self, name, inputs, shape, options=None, quantization=None, **fields) -> int:
        made = None
        if options is not None:
            made = getattr(schema(), f"{options}OptionsT")()
            for field, value in fields.items():
                assert hasattr(made, field), (options, field)
                setattr(made, field, value)
        y = self.tensor(f"{name}_{len(self.graph.operators)}", shape, self.kind)
        self.node(name, inputs, [y], made)
        self.model.operatorCodes[-1].version = 2 if options or name in VERSION_2 else 1
        if name in ("HARD_SWISH", "RESHAPE"):
            self.model.operatorCodes[-1].version = 1
        self.last = self.quantized(y, quantization)
        return y

    def moved(self, name, inputs, shape, options=None, **fields) -> int:
        """An operator that leaves the scale."""
        return self.add(name, inputs, shape, options, self.quantization(self.last), **fields)

    # ---- Operators

    def unary(self) -> None:
        kinds = ["RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "HARD_SWISH",
                 "LOGISTIC", "TANH", "GELU", "QUANTIZE"]  # fmt: skip
        name = self.pick(*kinds, *(["ELU"] if self.kind == np.int8 else []))
        to = {"LOGISTIC": (1 / 256, self.zero - 128), "TANH": (1 / 128, self.zero)}.get(name)
        options, fields = None, {}
        if name == "LEAKY_RELU":
            options, fields = "LeakyRelu", {"alpha": float(self.rng.uniform(-0.5, 1.5))}
        elif name == "GELU":
            options, fields = "Gelu", {"approximate": self.chance(0.5)}
        elif name == "QUANTIZE":
            options = "Quantize"
        self.add(name, [self.last], self.shape(self.last), options, to, **fields)

    def binary(self) -> None:
        x, shape = self.last, self.shape(self.last)
        name = self.pick("ADD", "SUB", "MUL", "ADD", "MUL", "MAXIMUM", "MINIMUM")
        small = [d if self.chance(0.6) else 1 for d in shape]
        other = self.pick(shape, tuple(small[self.whole(0, len(small) - 1) :]))
        same = self.quantization(x) if name in ("MAXIMUM", "MINIMUM") else None
        inputs = [x, self.operand(other, same)]
        inputs = inputs if self.chance(0.5) else inputs[::-1]
        if same is not None:
            self.add(name, inputs, shape, "MaximumMinimum", same)
        else:
            self.add(name, inputs, shape, name.title(), fusedActivationFunction=self.whole(0, 3))

    def prelu(self) -> None:
        shape = self.shape(self.last)
        if len(shape) == 4:
            slopes = self.constant("slopes", self.any_numbers((1, 1, shape[3])))
            self.add("PRELU", [self.last, self.quantized(slopes)], shape)

    def pool(self) -> None:
        if len(self.shape(self.last)) != 4:
            return
        n, h, w, c = self.shape(self.last)
        kernel = self.whole(1, min(h, 4)), self.whole(1, min(w, 4))
        strides, padding = (self.whole(1, 3), self.whole(1, 3)), self.pick(SAME, VALID)
        out = [
            -(-size // s) if padding == SAME else (size - k) // s + 1
            for size, k, s in zip((h, w), kernel, strides)
        ]
        self.moved(
            self.pick("AVERAGE_POOL_2D", "MAX_POOL_2D"), [self.last], (n, *out, c), "Pool2D",
            strideH=strides[0], strideW=strides[1], filterHeight=kernel[0], filterWidth=kernel[1],
            padding=padding, fusedActivationFunction=self.whole(0, 3),
        )  # fmt: skip

    def mean(self) -> None:
        shape = self.shape(self.last)
        axes = [d for d in range(len(shape)) if self.chance(0.4)]
        if len(shape) == 4 and self.chance(0.5):
            axes = [1, 2]
        if not axes or len(axes) == len(shape):
            return
        keep = self.chance(0.5)
        out = [1 if d in axes else size for d, size in enumerate(shape) if keep or d not in axes]
        self.add("MEAN", [self.last, self.numbers(axes)], out, "Reducer", keepDims=keep)

    def pad(self) -> None:
        shape = self.shape(self.last)
        pairs = self.rng.integers(0, 3, (len(shape), 2))
        name = self.pick("PAD", "PADV2", "MIRROR_PAD")
        mode = self.whole(0, 1)
        if name == "MIRROR_PAD":
            pairs = np.minimum(pairs, np.array(shape)[:, None] - 1 + mode)
        inputs = [self.last, self.numbers(pairs)]
        out = np.array(shape) + pairs.sum(axis=1)
        if name == "PADV2":
            value = self.constant("value", self.any_numbers(()))
            inputs.append(self.quantized(value, self.quantization(self.last)))
            self.moved(name, inputs, out, "PadV2")
        elif name == "PAD":
            self.moved(name, inputs, out, "Pad")
        else:
            self.moved(name, inputs, out, "MirrorPad", mode=mode)

    def concatenation(self) -> None:
        shape = self.shape(self.last)
        axis = self.whole(0, len(shape) - 1)
        other = [self.whole(1, 4) if d == axis else size for d, size in enumerate(shape)]
        # uint8's operands may have any scale.
        same = None if self.kind == np.uint8 and self.chance(0.5) else self.quantization(self.last)
        inputs = [self.last, self.fed(other, same)]
        out = [size + (other[d] if d == axis else 0) for d, size in enumerate(shape)]
        self.moved("CONCATENATION", inputs, out, "Concatenation", axis=axis)

    def softmax(self) -> None:
        to = (1 / 256, self.zero - 128)
        beta = self.pick(1.0, 0.7)
        self.add("SOFTMAX", [self.last], self.shape(self.last), "Softmax", to, beta=beta)

    def resize(self) -> None:
        if len(self.shape(self.last)) != 4:
            return
        n, _, _, c = self.shape(self.last)
        size = self.whole(1, 16), self.whole(1, 16)
        name, kind = self.pick(
            ("RESIZE_BILINEAR", "ResizeBilinear"),
            ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighbor"),
        )
        align, half = self.pick((False, False), (True, False), (False, True))
        self.moved(
            name, [self.last, self.numbers(size)], (n, *size, c), kind, alignCorners=align,
            halfPixelCenters=half,
        )  # fmt: skip
        self.model.operatorCodes[-1].version = 3

    def transpose(self) -> None:
        shape = self.shape(self.last)
        order = self.rng.permutation(len(shape))
        out = [shape[d] for d in order]
        self.moved("TRANSPOSE", [self.last, self.numbers(order)], out, "Transpose")

    def reshape(self) -> None:
        shape = self.shape(self.last)
        rest = int(np.prod(shape[1:]))
        out = self.pick((shape[0], rest), (*shape[:-2], shape[-1], shape[-2]), (shape[0], rest, 1))
        new_shape = np.array(out, np.int32)
        self.moved("RESHAPE", [self.last, self.numbers(out)], out, "Reshape", newShape=new_shape)

    def slice(self) -> None:
        shape = self.shape(self.last)
        begin = [self.whole(0, size - 1) for size in shape]
        end = [self.whole(first + 1, size) for first, size in zip(begin, shape)]
        strides = [self.pick(1, 1, 2) for _ in shape]
        out = [-(-(b - a) // s) for a, b, s in zip(begin, end, strides)]
        bounds = [self.numbers(each) for each in (begin, end, strides)]
        self.moved("STRIDED_SLICE", [self.last, *bounds], out, "StridedSlice")

    def depth_to_space(self) -> None:
        if len(self.shape(self.last)) != 4:
            return
        n, h, w, c = self.shape(self.last)
        if c % 4 == 0:
            out = (n, 2 * h, 2 * w, c // 4)
            self.moved("DEPTH_TO_SPACE", [self.last], out, "DepthToSpace", blockSize=2)
            self.model.operatorCodes[-1].version = 1
        elif h % 2 == 0 and w % 2 == 0:
            out = (n, h // 2, w // 2, 4 * c)
            self.moved("SPACE_TO_DEPTH", [self.last], out, "SpaceToDepth", blockSize=2)

    def through_floats(self) -> None:
        shape = self.shape(self.last)
        floats = [self.tensor(name, shape) for name in ("float", "relu")]
        self.node("DEQUANTIZE", [self.last], floats[:1], schema().DequantizeOptionsT())
        self.model.operatorCodes[-1].version = 2
        self.node("RELU", floats[:1], floats[1:])
        self.add("QUANTIZE", floats[1:], shape, "Quantize")

    def split(self) -> None:
        shape, x = self.shape(self.last), self.last
        axes = [d for d, size in enumerate(shape) if size % 2 == 0]
        if not axes:
            return
        axis = self.pick(*axes)
        out = [size // 2 if d == axis else size for d, size in enumerate(shape)]
        parts = [self.quantized(self.tensor(f"part{i}", out, self.kind), self.quantization(x))
                 for i in range(2)]  # fmt: skip
        number = self.constant("axis", np.array(axis, np.int32))
        self.node("SPLIT", [number, x], parts, schema().SplitOptionsT(numSplits=2))
        self.model.operatorCodes[-1].version = 2
        self.output(parts[0])
        self.last = parts[1]

    def pack(self) -> None:
        shape = self.shape(self.last)
        if len(shape) > 3:
            return
        axis = self.whole(0, len(shape))
        inputs = [self.last, self.fed(shape, self.quantization(self.last))]
        out = (*shape[:axis], 2, *shape[axis:])
        self.moved("PACK", inputs, out, "Pack", axis=axis, valuesCount=2)

    def layer(self) -> None:
        self.pick(
            random_int8_layers.convolution, random_int8_layers.convolution,
            random_int8_layers.fully_connected, random_int8_layers.transposed_convolution,
        )(self)  # fmt: skip

    def step(self) -> None:
        if self.chance(0.4):
            self.layer()
            return
        self.pick(
            self.unary, self.binary, self.binary, self.prelu, self.pool, self.mean, self.pad,
            self.concatenation, self.softmax, self.resize, self.transpose, self.reshape, self.slice,
            self.depth_to_space, self.through_floats, self.split, self.pack,
        )()  # fmt: skip


def halve(graph: Graph) -> None:
    """Makes scales powers of two, with which many results lie halfway between two numbers."""
    tensors = graph.graph.tensors
    for tensor in tensors:
        if tensor.quantization is not None:
            scale = np.exp2(np.round(np.log2(tensor.quantization.scale)))
            tensor.quantization.scale = scale.astype(np.float32)
    for op, name in zip(graph.graph.operators, names(graph), strict=True):
        if name.endswith(("CONV", "CONV_2D", "FULLY_CONNECTED")):
            *_, a, b, bias = (tensors[t].quantization for t in op.inputs)
            bias.scale = (a.scale * b.scale).astype(np.float32)


def names(graph: Graph) -> list[str]:
    """Of the operators, in their order."""
    by_number = {number: name for name, number in vars(schema().BuiltinOperator).items()}
    codes = graph.model.operatorCodes
    return [by_number[codes[op.opcodeIndex].builtinCode] for op in graph.graph.operators]


def make(seed: int) -> tuple[bytes, list[np.ndarray]]:
    """The graph of a seed, and inputs for it."""
    graph = Graph(seed)
    for _ in range(graph.whole(1, 6)):
        if len(graph.shape(graph.last)) > 1:
            graph.step()
    if graph.last in graph.graph.inputs:
        graph.unary()
    graph.output(graph.last)
    if seed % 3 == 0:
        halve(graph)
    return graph.bytes(), [graph.any_numbers(graph.shape(t)) for t in graph.graph.inputs]


def run(seed: int, folder: pathlib.Path) -> str:
    """What differs; nothing, if nothing does."""
    tflite, inputs = make(seed)
    wanted = runtime.run(runtime.interpreter(tflite), inputs)
    names = isas()
    options = f"--isa={names[seed % len(names)]}", f"--num_threads={1 + seed % 2}"
    found = runner.outputs(folder, tflite, inputs, *options)
    for i, (want, ours) in enumerate(zip(wanted, found, strict=True)):
        if want.shape != ours.shape or want.dtype != ours.dtype:
            return f"output {i} is {ours.dtype}{ours.shape}, expected {want.dtype}{want.shape}"
        steps = np.abs(want.astype(np.float64) - ours.astype(np.float64))
        if steps.any():
            return f"output {i}: {np.count_nonzero(steps)} of {steps.size} numbers differ, by up to {steps.max():g}"
    return ""


def main(first: int, count: int) -> int:
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            try:
                failure = run(seed, pathlib.Path(folder))
            except (AssertionError, ValueError) as error:
                failure = str(error)
            if failure:
                failures += 1
                print(f"{failure}: python -m tests.e2e.random_int8_graphs {seed} 1", flush=True)
    print(f"{count} graphs, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
