"""Random graphs of every operator that the delegate knows. A graph follows from its seed alone.

They are written straight from the schema, since a conversion by TensorFlow takes a second.
"""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.sparsify import sparsify
from tests.python.convert.flat import Flat

MOST_ELEMENTS = 20_000  # of a tensor, for one image
SAME, VALID = 0, 1


class Drawn(Flat):
    """A model under construction, by chance: what is drawn follows from the seed."""

    def __init__(self, seed: int):
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def pick(self, *choices):
        return choices[self.whole(0, len(choices) - 1)]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)


class Graph(Drawn):
    """A graph under construction. `shapes` are those of the tensors that may be read next."""

    def __init__(self, seed: int):
        super().__init__(seed)
        self.batch = self.pick(1, 1, 2, 3)
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.read: set[int] = set()
        size = (self.whole(1, 20), self.whole(1, 20), self.pick(1, 3, 3, 4, 8, 17))
        start = self.input((self.batch, *size))
        self.shapes[start] = (self.batch, *size)
        self.convolution(start)

    # ---- Chance

    def floats(self, *shape: int, low=-1.0, high=1.0) -> int:
        return self.constant("c", self.rng.uniform(low, high, shape).astype(np.float32))

    def numbers(self, values) -> int:
        return self.constant("n", np.array(values, np.int32))

    def weights(self, *shape: int) -> int:
        """A filter, dense or with zeros in groups of outputs; sums over it stay near 1."""
        values = self.rng.uniform(-1, 1, shape) * np.sqrt(3 / max(1, np.prod(shape[1:])))
        if self.chance(0.6):
            group = self.pick(*[g for g in (1, 2, 4, 8, 16) if shape[0] % g == 0])
            keep = self.rng.random((shape[0] // group, *shape[1:])) >= self.pick(0.3, 0.7, 0.95)
            values = values * np.repeat(keep, group, axis=0)
        return self.constant("w", values.astype(np.float32))

    def source(self, rank: int | None = 4) -> int | None:
        """A tensor to read, the last ones before others, those with no reader before all."""
        fitting = [t for t, shape in self.shapes.items() if rank in (None, len(shape))]
        if not fitting:
            return None
        unread = [t for t in fitting if t not in self.read]
        return (unread or fitting)[-1] if self.chance(0.8) else self.pick(*fitting)

    def activation(self) -> int:
        return self.pick(0, 0, 1, 3, 2)  # NONE, RELU, RELU6, RELU_N1_TO_1

    # ---- Building

    def add(self, name: str, inputs: list[int], shape, kind: str | None = None, **fields) -> int:
        """An operator with options of this kind; its output may be read by the next."""
        options = None
        if kind is not None:
            options = getattr(schema(), f"{kind}OptionsT")()
            for field, value in fields.items():
                assert hasattr(options, field), (kind, field)
                setattr(options, field, value)
        self.read.update(inputs)
        y = self.tensor(f"{name}_{len(self.graph.operators)}", shape)
        self.node(name, inputs, [y], options)
        self.shapes[y] = tuple(int(d) for d in shape)
        return y

    def window(self, x: int, most: int) -> tuple[dict, tuple[int, int], tuple[int, int]]:
        """Strides and padding, kernel and output size of a window that fits."""
        _, h, w, _ = self.shapes[x]
        while True:
            kernel = self.whole(1, most), self.whole(1, most)
            if self.chance(0.5):
                kernel = (kernel[0], kernel[0])
            strides = self.pick((1, 1), (1, 1), (2, 2), (1, 2), (2, 1), (3, 3))
            padding = self.pick(SAME, SAME, VALID)
            dilation = self.pick((1, 1), (1, 1), (2, 2), (1, 3)) if strides == (1, 1) else (1, 1)
            out = []
            for size, k, s, d in zip((h, w), kernel, strides, dilation):
                reach = (k - 1) * d + 1
                out.append(-(-size // s) if padding == SAME else (size - reach) // s + 1)
            if min(out) >= 1:
                fields = {"strideH": strides[0], "strideW": strides[1], "padding": padding}
                return fields, kernel, tuple(out), dilation

    def convolution(self, x: int) -> None:
        n, _, _, c = self.shapes[x]
        fields, kernel, (h, w), dilation = self.window(x, self.pick(1, 1, 3, 5))
        outputs, groups = self.pick(1, 4, 8, 12, 16, 24, 32), 1
        if self.chance(0.15):
            groups = self.pick(*[g for g in (1, 2, 4) if c % g == 0 and outputs % g == 0])
        self.add(
            "CONV_2D",
            [x, self.weights(outputs, *kernel, c // groups), self.floats(outputs)],
            (n, h, w, outputs),
            "Conv2D",
            dilationHFactor=dilation[0],
            dilationWFactor=dilation[1],
            fusedActivationFunction=self.activation(),
            **fields,
        )

    def depthwise(self, x: int) -> None:
        n, _, _, c = self.shapes[x]
        fields, kernel, (h, w), dilation = self.window(x, self.pick(3, 3, 5))
        multiplier = self.pick(1, 1, 1, 2)
        self.add(
            "DEPTHWISE_CONV_2D",
            [x, self.floats(1, *kernel, c * multiplier), self.floats(c * multiplier)],
            (n, h, w, c * multiplier),
            "DepthwiseConv2D",
            depthMultiplier=multiplier,
            dilationHFactor=dilation[0],
            dilationWFactor=dilation[1],
            fusedActivationFunction=self.activation(),
            **fields,
        )

    def pool(self, x: int) -> None:
        n, _, _, c = self.shapes[x]
        fields, kernel, (h, w), dilation = self.window(x, 3)
        if dilation != (1, 1):
            return
        self.add(
            self.pick("MAX_POOL_2D", "AVERAGE_POOL_2D"),
            [x],
            (n, h, w, c),
            "Pool2D",
            filterHeight=kernel[0],
            filterWidth=kernel[1],
            fusedActivationFunction=self.activation(),
            **fields,
        )

    def transposed(self, x: int) -> None:
        n, h, w, c = self.shapes[x]
        stride, kernel, outputs = self.pick(1, 2, 3), self.whole(1, 4), self.pick(1, 4, 8)
        padding = self.pick(SAME, VALID)
        if padding == SAME:
            h, w = h * stride, w * stride
        else:
            h, w = (h - 1) * stride + kernel, (w - 1) * stride + kernel
        self.fixed = True  # the output's shape is a constant
        self.add(
            "TRANSPOSE_CONV",
            [self.numbers((n, h, w, outputs)), self.weights(outputs, kernel, kernel, c), x],
            (n, h, w, outputs),
            "TransposeConv",
            strideH=stride,
            strideW=stride,
            padding=padding,
        )

    fixed = False  # whether the batch cannot be changed

    def dense(self, x: int) -> None:
        shape = self.shapes[x]
        outputs, inputs = self.pick(1, 5, 8, 16), shape[-1]
        keep = self.chance(0.5)
        out = (*shape[:-1], outputs) if keep else (int(np.prod(shape[:-1])), outputs)
        if not keep and len(shape) > 2:
            self.fixed = True  # rows are no images any more
        bias = [self.floats(outputs)] if self.chance(0.8) else []
        self.add(
            "FULLY_CONNECTED",
            [x, self.weights(outputs, inputs), *bias],
            out,
            "FullyConnected",
            keepNumDims=keep,
            fusedActivationFunction=self.activation(),
        )

    def broadcast(self, shape) -> tuple[int, ...]:
        """A shape that spreads over this one; of one image."""
        small = [1] + [d if self.chance(0.6) else 1 for d in shape[1:]]
        return tuple(small[self.whole(0, len(small) - 1) :])

    def binary(self, x: int) -> None:
        shape = self.shapes[x]
        name = self.pick("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "ADD", "MUL", "DIV")
        same = [t for t, s in self.shapes.items() if s == shape]
        if name == "DIV":
            y = self.floats(*self.broadcast(shape), low=0.5, high=2)
        elif len(same) > 1 and self.chance(0.6):
            y = self.pick(*same)
        else:
            y = self.floats(*self.broadcast(shape))
        inputs = [x, y] if name == "DIV" or self.chance(0.7) else [y, x]
        if name in ("MAXIMUM", "MINIMUM"):
            self.add(name, inputs, shape, "MaximumMinimum")
        else:
            activation = self.activation()
            self.add(name, inputs, shape, name.title(), fusedActivationFunction=activation)

    def gate(self, x: int) -> None:
        """Squeeze-and-excitation: a mean, two layers, a sigmoid, a product."""
        n, _, _, c = self.shapes[x]
        mean = self.add("MEAN", [x, self.numbers((1, 2))], (n, 1, 1, c), "Reducer", keepDims=True)
        for outputs, activation in ((max(1, c // 4), 1), (c, 0)):
            mean = self.add(
                "CONV_2D",
                [mean, self.weights(outputs, 1, 1, self.shapes[mean][3]), self.floats(outputs)],
                (n, 1, 1, outputs),
                "Conv2D",
                strideH=1,
                strideW=1,
                fusedActivationFunction=activation,
            )
        mean = self.add(self.pick("LOGISTIC", "HARD_SWISH"), [mean], (n, 1, 1, c))
        self.add("MUL", [x, mean] if self.chance(0.5) else [mean, x], self.shapes[x], "Mul")

    def unary(self, x: int) -> None:
        kinds = (
            "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "PRELU", "HARD_SWISH",
            "LOGISTIC", "TANH", "ELU", "GELU",
        )  # fmt: skip
        name, shape = self.pick(*kinds), self.shapes[x]
        if name == "LEAKY_RELU":
            self.add(name, [x], shape, "LeakyRelu", alpha=self.pick(0.1, 0.3))
        elif name == "GELU":
            self.add(name, [x], shape, "Gelu", approximate=self.chance(0.5))
        elif name == "PRELU":
            if len(shape) == 4:
                alpha = (self.pick(1, shape[1]), self.pick(1, shape[2]), shape[3])
                self.add(name, [x, self.floats(*alpha)], shape)
        else:
            self.add(name, [x], shape)

    def swish(self, x: int) -> None:
        shape = self.shapes[x]
        self.add("MUL", [x, self.add("LOGISTIC", [x], shape)], shape, "Mul")

    def normalization(self, x: int) -> None:
        """Of layers: over the last axis, as Keras writes it."""
        shape = self.shapes[x]
        one = (*shape[:-1], 1)

        def mean(of: int) -> int:
            inputs = [of, self.numbers([len(shape) - 1])]
            return self.add("MEAN", inputs, one, "Reducer", keepDims=True)

        def binary(name: str, a: int, b: int, result=shape) -> int:
            return self.add(name, [a, b], result, name.title().replace("_", ""))

        center = mean(x)
        spread = mean(binary("SQUARED_DIFFERENCE", x, center))
        spread = binary("ADD", spread, self.floats(1, low=0.5, high=1), one)
        if self.chance(0.5):
            scale = self.add("RSQRT", [spread], one)
        else:
            scale = binary("DIV", self.floats(1), self.add("SQRT", [spread], one), one)
        scale = binary("MUL", scale, self.floats(shape[-1]))
        shift = binary("MUL", self.add("NEG", [center], one), scale)
        if self.chance(0.5):
            shift = binary("ADD", shift, self.floats(shape[-1]))
        binary("ADD", binary("MUL", x, scale), shift)

    def heads(self, x: int) -> None:
        """Parts the channels, as attention does, and may join them again."""
        n, *rows, channels = self.shapes[x]
        count = self.pick(*[h for h in (1, 2, 3, 4) if channels % h == 0])
        parts = (n, int(np.prod(rows)), count, channels // count)
        turned, order = (n, count, parts[1], parts[3]), self.numbers((0, 2, 1, 3))
        y = self.add("RESHAPE", [x, self.numbers((-1, *parts[1:]))], parts, "Reshape")
        y = self.add("TRANSPOSE", [y, order], turned, "Transpose")
        if self.chance(0.5):
            y = self.add("TRANSPOSE", [y, order], parts, "Transpose")
            shape = (n, parts[1], channels)
            self.add("RESHAPE", [y, self.numbers((-1, *shape[1:]))], shape, "Reshape")

    def product(self, x: int) -> None:
        """With a constant or with itself; then maybe what attention makes of that."""
        *batch, rows, depth = self.shapes[x]
        left, right = self.chance(0.3), self.chance(0.5)  # which factors are transposed
        inner = rows if left else depth
        if self.chance(0.3):
            columns = self.whole(1, 9)
            first = self.chance(0.3)
            if first:
                shape = (inner, columns) if right else (columns, inner)
                inputs, flags = [self.floats(*shape), x], {"adjX": right, "adjY": not left}
                out = (*batch, columns, depth if left else rows)
            else:
                shape = (columns, inner) if right else (inner, columns)
                inputs, flags = [x, self.floats(*shape)], {"adjX": left, "adjY": right}
                out = (*batch, depth if left else rows, columns)
            self.add("BATCH_MATMUL", inputs, out, "BatchMatMul", **flags)
            return
        scores = (*batch, rows, rows)
        y = self.add("BATCH_MATMUL", [x, x], scores, "BatchMatMul", adjX=False, adjY=True)
        if self.chance(0.5):
            scale = self.constant("scale", np.array(self.rng.uniform(0.1, 1), np.float32))
            y = self.add("MUL", [y, scale], scores, "Mul")
        if self.chance(0.7):
            y = self.add("SOFTMAX", [y], scores, "Softmax", beta=1.0)
        self.add("BATCH_MATMUL", [y, x], (*batch, rows, depth), "BatchMatMul")

    def pad(self, x: int) -> None:
        shape = self.shapes[x]
        name = self.pick("PAD", "PAD", "PADV2", "MIRROR_PAD")
        pairs = [(0, 0)] + [(self.whole(0, 2), self.whole(0, 2)) for _ in shape[1:]]
        if self.chance(0.6):
            pairs[-1] = (0, 0)
        mode = self.whole(0, 1)
        if name == "MIRROR_PAD":
            most = [d - 1 + mode for d in shape]
            pairs = [(min(a, m), min(b, m)) for (a, b), m in zip(pairs, most)]
        out = [d + a + b for d, (a, b) in zip(shape, pairs)]
        inputs = [x, self.numbers(pairs)]
        if name == "PAD":
            self.add(name, inputs, out, "Pad")
        elif name == "PADV2":
            value = self.constant("value", np.array(self.rng.uniform(-1, 1), np.float32))
            self.add(name, [*inputs, value], out, "PadV2")
        else:
            self.add(name, inputs, out, "MirrorPad", mode=mode)

    def mean(self, x: int) -> None:
        shape = self.shapes[x]
        axes = [d for d in range(1, len(shape)) if self.chance(0.5)]
        if self.chance(0.5) and len(shape) == 4:
            axes = [1, 2]
        keep = self.chance(0.5)
        if not axes:
            return
        out = [1 if d in axes else size for d, size in enumerate(shape) if keep or d not in axes]
        given = [d - len(shape) if self.chance(0.3) else d for d in axes]
        self.add("MEAN", [x, self.numbers(given)], out, "Reducer", keepDims=keep)

    def concatenation(self, x: int) -> None:
        shape = self.shapes[x]
        axis = self.pick(len(shape) - 1, self.whole(1, len(shape) - 1)) if len(shape) > 1 else 0
        if axis == 0:
            return

        def rest(s):
            return [d for i, d in enumerate(s) if i != axis]

        fitting = [
            t for t, s in self.shapes.items() if len(s) == len(shape) and rest(s) == rest(shape)
        ]
        inputs = [x] + [self.pick(*fitting) for _ in range(self.whole(1, 2))]
        out = list(shape)
        out[axis] = sum(self.shapes[t][axis] for t in inputs)
        axis = self.pick(axis, axis - len(shape))
        self.add("CONCATENATION", inputs, out, "Concatenation", axis=axis)

    def split(self, x: int) -> None:
        shape = self.shapes[x]
        ways = [(d, n) for d in range(1, len(shape)) for n in (2, 3) if shape[d] % n == 0]
        if not ways:
            return
        axis, count = self.pick(*ways)
        out = list(shape)
        out[axis] //= count
        options = schema().SplitOptionsT(numSplits=count)
        number = self.constant("axis", np.array(axis, np.int32))
        parts = [self.tensor(f"part{i}_{len(self.graph.operators)}", out) for i in range(count)]
        self.read.add(x)
        self.node("SPLIT", [number, x], parts, options)
        self.shapes.update({part: tuple(out) for part in parts})

    def slice(self, x: int) -> None:
        shape = self.shapes[x]
        begin, end, strides, out, shrink = [0], [0], [1], [shape[0]], 0
        for d, size in enumerate(shape[1:], 1):
            first = self.whole(0, size - 1)
            last = self.whole(first, size - 1)
            stride = self.pick(1, 1, 2)
            begin.append(first - size if self.chance(0.2) else first)
            end.append(last + 1)
            strides.append(stride)
            if self.chance(0.1) and len(out) > 1:
                shrink |= 1 << d
                strides[-1] = 1
            else:
                out.append((last - first) // stride + 1)
        bounds = [self.numbers(each) for each in (begin, end, strides)]
        self.add(
            "STRIDED_SLICE", [x, *bounds], out, "StridedSlice", beginMask=1, endMask=1,
            shrinkAxisMask=shrink,
        )  # fmt: skip

    def pack(self, x: int) -> None:
        shape = self.shapes[x]
        same = [t for t, s in self.shapes.items() if s == shape]
        axis = self.whole(1, len(shape))
        inputs = [x, self.pick(*same)]
        out = list(shape)
        out.insert(axis, 2)
        self.add("PACK", inputs, out, "Pack", valuesCount=2, axis=axis)

    def reshape(self, x: int) -> None:
        shape = self.shapes[x]
        rest = int(np.prod(shape[1:]))
        divisors = [d for d in range(1, rest + 1) if rest % d == 0]
        a = self.pick(*divisors)
        b = self.pick(*[d for d in divisors if rest // a % d == 0])
        out = self.pick((rest,), (a, rest // a), (a, b, rest // a // b), (a, b, rest // a // b))
        if self.chance(0.3):
            self.numbers_of_shape(x, out)
            return
        target = self.numbers((-1, *out))
        options = {"newShape": np.array((-1, *out), np.int32)} if self.chance(0.5) else {}
        self.add("RESHAPE", [x, target], (shape[0], *out), "Reshape", **options)

    def numbers_of_shape(self, x: int, out) -> None:
        """RESHAPE to a shape made of the input's: SHAPE, STRIDED_SLICE, PACK."""
        s = schema()
        shape = self.tensor("shape", [len(self.shapes[x])], np.int32)
        self.node("SHAPE", [x], [shape], s.ShapeOptionsT(outType=s.TensorType.INT32))
        batch = self.tensor("batch", [], np.int32)
        options = s.StridedSliceOptionsT()
        options.shrinkAxisMask = 1
        bounds = [self.numbers([each]) for each in (0, 1, 1)]
        self.node("STRIDED_SLICE", [shape, *bounds], [batch], options)
        constants = [self.constant("d", np.array(d, np.int32)) for d in out]
        target = self.tensor("target", [1 + len(out)], np.int32)
        self.node("PACK", [batch, *constants], [target], s.PackOptionsT(valuesCount=1 + len(out)))
        self.add("RESHAPE", [x, target], (self.shapes[x][0], *out), "Reshape")

    def squeeze(self, x: int) -> None:
        shape = self.shapes[x]
        axes = [d for d in range(1, len(shape)) if shape[d] == 1 and self.chance(0.7)]
        if axes and len(shape) - len(axes) > 1:
            out = [size for d, size in enumerate(shape) if d not in axes]
            self.add("SQUEEZE", [x], out, "Squeeze", squeezeDims=np.array(axes, np.int32))
        elif len(shape) < 4:
            axis = self.whole(1, len(shape))
            out = [*shape[:axis], 1, *shape[axis:]]
            self.add("EXPAND_DIMS", [x, self.numbers([axis])], out, "ExpandDims")

    def transpose(self, x: int) -> None:
        shape = self.shapes[x]
        order = [0] + [1 + int(d) for d in self.rng.permutation(len(shape) - 1)]
        out = [shape[d] for d in order]
        self.add("TRANSPOSE", [x, self.numbers(order)], out, "Transpose")

    def resize(self, x: int) -> None:
        n, _, _, c = self.shapes[x]
        size = self.whole(1, 24), self.whole(1, 24)
        kind = self.pick("ResizeBilinear", "ResizeNearestNeighbor")
        name = {"ResizeBilinear": "RESIZE_BILINEAR"}.get(kind, "RESIZE_NEAREST_NEIGHBOR")
        align, half = self.pick((False, False), (True, False), (False, True))
        self.add(
            name, [x, self.numbers(size)], (n, *size, c), kind, alignCorners=align,
            halfPixelCenters=half,
        )  # fmt: skip

    def depth_to_space(self, x: int) -> None:
        n, h, w, c = self.shapes[x]
        block = self.pick(2, 2, 3)
        if c % (block * block) == 0:
            out = (n, h * block, w * block, c // block // block)
            self.add("DEPTH_TO_SPACE", [x], out, "DepthToSpace", blockSize=block)
        elif h % block == 0 and w % block == 0:
            out = (n, h // block, w // block, c * block * block)
            self.add("SPACE_TO_DEPTH", [x], out, "SpaceToDepth", blockSize=block)

    def softmax(self, x: int) -> None:
        self.add("SOFTMAX", [x], self.shapes[x], "Softmax", beta=self.pick(1.0, 0.5))

    def step(self) -> None:
        images = [
            self.convolution, self.convolution, self.convolution, self.depthwise, self.depthwise,
            self.pool, self.transposed, self.gate, self.resize, self.depth_to_space,
        ]  # fmt: skip
        any_rank = [
            self.binary, self.binary, self.unary, self.unary, self.swish, self.pad, self.mean,
            self.concatenation, self.split, self.slice, self.reshape, self.squeeze, self.transpose,
            self.softmax, self.dense, self.pack, self.normalization, self.heads, self.product,
        ]  # fmt: skip
        if self.chance(0.6):
            x = self.source()
            if x is not None:
                self.pick(*images)(x)
        else:
            x = self.source(None)
            make = self.pick(*any_rank)
            if len(self.shapes[x]) < 4 or make != self.pack:
                make(x)
        for t, shape in list(self.shapes.items()):
            if np.prod(shape[1:]) > MOST_ELEMENTS or len(shape) > 5 or len(shape) < 2:
                self.shapes.pop(t)


def make(seed: int) -> tuple[bytes, bool]:
    """The graph of a seed, and whether its batch may be changed."""
    graph = Graph(seed)
    for _ in range(graph.whole(2, 12)):
        graph.step()
    made = {int(t) for op in graph.graph.operators for t in op.outputs}
    read = {int(t) for op in graph.graph.operators for t in op.inputs}
    for t in sorted(made - read) or [max(made)]:
        graph.output(t)
    if graph.chance(0.7):
        sparsify(graph.model)
    return graph.bytes(), not graph.fixed
