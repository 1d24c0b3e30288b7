"""What `verify` compares: every graph, every type, every size; and what it says of the rest."""

from __future__ import annotations

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.cli import main
from sbnn_tf.convert.flatbuffer import read, schema, write
from sbnn_tf.errors import SbnnError
from tests.python.convert.flat import Flat

X = (2, 3)


def one(name: str, shape=X, kind=np.float32, to=None, out=None, options=None, more=()) -> bytes:
    """One operator: `more` are constants behind its input, `to` and `out` its output's kind, shape."""
    flat = Flat()
    x = flat.input(shape, kind)
    y = flat.tensor("y", shape if out is None else out, to or kind)
    flat.node(name, [x, *(flat.constant("c", each) for each in more)], [y], options)
    flat.output(y)
    return flat.bytes()


def signatures(second: str | None, order=(0, 1)) -> bytes:
    """Signature "a" computes x - z, "b" is one operator; the inputs are listed in this order."""
    flat = Flat()
    for key in ("a", "b") if second else ("a",):
        if key == "b":
            flat.add_subgraph()
        x, z = flat.tensor("x", X), flat.tensor("z", X)
        flat.graph.inputs = np.array([(x, z)[i] for i in order] if key == "a" else [x], np.int32)
        y = flat.tensor("y", X)
        if key == "a":
            flat.node("SUB", [x, z], [y], schema().SubOptionsT())
        else:
            flat.node(second, [x], [y])
        flat.output(y)
        flat.signature(key, {"x": x, "z": z} if key == "a" else {"x": x}, {"out": y})
    return flat.bytes()


def test_every_signature():
    report = sbnn.verify(signatures("ABS"), signatures("NEG"))
    assert [(each.graph, each.name) for each in report.outputs] == [
        ("signature 'a'", "out"),
        ("signature 'b'", "out"),
    ]
    a, b = report.outputs
    assert a.relative == 0 and b.relative > 1 and not report.within
    assert "signature 'b'\n  out" in str(report) and "BEYOND" in str(report)


def test_inputs_of_a_signature_go_by_name():
    assert sbnn.verify(signatures("ABS"), signatures("ABS", order=(1, 0))).within


def test_one_signature():
    report = sbnn.verify(signatures("ABS"), signatures("NEG"), signature="a")
    assert report.within and len(report.outputs) == 1
    with pytest.raises(SbnnError, match="no signature 'c': expected one of 'a', 'b'"):
        sbnn.verify(signatures("ABS"), signatures("ABS"), signature="c")
    with pytest.raises(SbnnError, match="has no signatures"):
        sbnn.verify(one("ABS"), one("ABS"), signature="a")


def test_signature_that_one_model_lacks():
    both, single = signatures("ABS"), signatures(None)
    for models in ((both, single), (single, both)):
        with pytest.raises(SbnnError, match="no signature 'b'.*--signature"):
            sbnn.verify(*models)


def test_model_with_a_signature_and_one_without():
    flat = Flat()
    x, y = flat.input(X), flat.tensor("y", X)
    flat.node("ABS", [x], [y])
    flat.output(y)
    flat.signature("serving_default", {"image": x}, {"logits": y})
    named = flat.bytes()
    assert [each.name for each in sbnn.verify(named, one("ABS")).outputs] == ["logits"]
    assert [each.name for each in sbnn.verify(one("ABS"), named).outputs] == ["y"]


def test_tensor_that_is_several_outputs():
    flat = Flat()
    x = flat.input(X)
    for _ in range(2):
        flat.output(x)
    flat.signature("serving_default", {"x": x}, {"y": x, "same": x})
    found = sbnn.verify(flat.bytes(), flat.bytes()).outputs
    assert [each.name for each in found] == ["y", "same"]


def test_signature_that_fails_is_named():
    sizes = schema().ReshapeOptionsT()
    broken = Flat()
    broken.output(broken.input(X))
    broken.signature("fine", {"x": 0}, {"y": 0})
    broken.add_subgraph()
    x, to = broken.input(X), broken.input((1,), np.int32)
    y = broken.tensor("y", (-1,))
    broken.node("RESHAPE", [x, to], [y], sizes)
    broken.output(y)
    broken.signature("broken", {"x": x, "to": to}, {"y": y})
    with pytest.raises(SbnnError, match="signature 'broken' of the model: .*--signature"):
        sbnn.verify(broken.bytes(), broken.bytes())
    assert sbnn.verify(broken.bytes(), broken.bytes(), signature="fine").within


def branches(taken: str, other: str, options=None, shape=X) -> bytes:
    """IF true: one operator; else another, which is never run."""
    flat = Flat()
    condition = flat.constant("condition", np.array([True]))
    x, y = flat.input(shape), flat.tensor("y", shape)
    subgraphs = schema().IfOptionsT(thenSubgraphIndex=1, elseSubgraphIndex=2)
    flat.node("IF", [condition, x], [y], subgraphs)
    flat.output(y)
    for name in (taken, other):
        flat.add_subgraph()
        x, y = flat.input(shape), flat.tensor("y", shape)
        flat.node(name, [x], [y], options if name == other else None)
        flat.output(y)
    return flat.bytes()


def test_branch_that_is_never_taken():
    report = sbnn.verify(branches("ABS", "SIN"), branches("ABS", "COS"))
    assert [(each.graph, each.relative > 0) for each in report.outputs] == [
        ("the graph", False),
        ("subgraph 1 'graph1'", False),
        ("subgraph 2 'graph2'", True),
    ]


def test_branch_that_crashes_with_random_inputs():
    options = schema().LocalResponseNormalizationOptionsT(radius=-5)
    crash = branches("ABS", "LOCAL_RESPONSE_NORMALIZATION", options, (1, 2, 2, 8))
    report = sbnn.verify(crash, crash)
    assert report.within and len(report.outputs) == 2
    assert "not compared by itself: subgraph 2 'graph2'" in str(report)


def test_branch_that_crashes_in_the_second_model_only():
    options = schema().LocalResponseNormalizationOptionsT(radius=-5)
    crash = branches("ABS", "LOCAL_RESPONSE_NORMALIZATION", options, (1, 2, 2, 8))
    fine = branches("ABS", "ABS", None, (1, 2, 2, 8))
    with pytest.raises(SbnnError, match="crashed while running subgraph 2 .* of .*the second"):
        sbnn.verify(fine, crash)


def test_graphs_behind_one_that_crashes():
    options = schema().LocalResponseNormalizationOptionsT(radius=-5)
    crash = branches("ABS", "LOCAL_RESPONSE_NORMALIZATION", options, (1, 2, 2, 8))
    model = read(crash)
    model.subgraphs.append(model.subgraphs[1])
    report = sbnn.verify(write(model), write(model))
    assert [each.graph for each in report.outputs][1:] == [
        "subgraph 1 'graph1'",
        "subgraph 3 'graph1'",
    ]


def test_branch_of_a_branch():
    """It is compared before the branch that runs it, and leaves its inputs to itself."""

    def model(deepest: str) -> bytes:
        flat = Flat()
        for index in range(3):
            if index:
                flat.add_subgraph()
            x, y = flat.input(X), flat.tensor("y", X)
            if index < 2:
                always = flat.constant("always", np.array([True]))
                options = schema().IfOptionsT(
                    thenSubgraphIndex=index + 1, elseSubgraphIndex=index + 1
                )
                flat.node("IF", [always, x], [y], options)
            else:
                flat.node(deepest, [x], [y])
            flat.output(y)
        return flat.bytes()

    report = sbnn.verify(model("SIN"), model("SIN"), delegate=True)
    assert report.within and not report.remarks
    assert [each.graph for each in report.outputs] == [
        "the graph",
        "subgraph 2 'graph2'",
        "subgraph 1 'graph1'",
    ]


def loop(body: str) -> bytes:
    """WHILE n < 3: n = n + 1, x = body(x)."""
    flat = Flat()
    n, x = flat.input((), np.int32), flat.input(X)
    outputs = flat.tensor("n_out", (), np.int32), flat.tensor("x_out", X)
    options = schema().WhileOptionsT(condSubgraphIndex=1, bodySubgraphIndex=2)
    flat.node("WHILE", [n, x], outputs, options)
    for each in outputs:
        flat.output(each)
    flat.add_subgraph()
    n, x = flat.input((), np.int32), flat.input(X)
    less = flat.tensor("less", (), bool)
    flat.node("LESS", [n, flat.constant("three", np.array(3, np.int32))], [less])
    flat.output(less)
    flat.add_subgraph()
    n, x = flat.input((), np.int32), flat.input(X)
    more, y = flat.tensor("more", (), np.int32), flat.tensor("y", X)
    flat.node(
        "ADD", [n, flat.constant("one", np.array(1, np.int32))], [more], schema().AddOptionsT()
    )
    flat.node(body, [x], [y])
    flat.output(more)
    flat.output(y)
    return flat.bytes()


def test_loop():
    report = sbnn.verify(loop("SIN"), loop("SIN"), delegate=True)
    assert report.within and len(report.outputs) == 5
    assert {each.graph for each in report.outputs} == {
        "the graph",
        "subgraph 1 'graph1'",
        "subgraph 2 'graph2'",
    }
    assert "hardly depends" not in str(report).partition("subgraph 1")[2]
    assert not sbnn.verify(loop("SIN"), loop("COS")).within


ANY_SIZE = (-1, -1, -1, 3)


def test_any_size_is_refused_with_a_hint():
    with pytest.raises(SbnnError, match=r"'input' float32 \?x\?x\?x3.*--shape input=1,128,128,3"):
        sbnn.verify(one("ABS", ANY_SIZE), one("ABS", ANY_SIZE))


@pytest.mark.parametrize("key", ["input", 0, "0"])
def test_shape_of_an_input(key):
    model = one("ABS", ANY_SIZE)
    (found,) = sbnn.verify(model, model, shapes={key: (2, 5, 4, 3)}).outputs
    assert found.shape == (2, 5, 4, 3) and found.largest_output > 0


def test_open_batch_is_one():
    (found,) = sbnn.verify(one("ABS", (-1, 7)), one("ABS", (-1, 7))).outputs
    assert found.shape == (1, 7)


def test_size_that_one_model_leaves_open():
    fixed = one("ABS", (2, 5, 4, 3))
    for models in ((fixed, one("ABS", ANY_SIZE)), (one("ABS", ANY_SIZE), fixed)):
        (found,) = sbnn.verify(*models).outputs
        assert found.shape == (2, 5, 4, 3)


@pytest.mark.parametrize(
    "shapes, told",
    [
        ({"image": (1, 4, 4, 3)}, "no input 'image': expected one of 'input' float32"),
        ({1: (1, 4, 4, 3)}, "no input 1"),
        ({"input": (4, 4, 3)}, "has 4 dimension.* 4x4x3 has 3"),
        ({"input": (1, -1, 4, 3)}, "expected whole numbers"),
        ({"input": (1, 2.5, 4, 3)}, "expected whole numbers"),
        ({"input": 4}, "expected whole numbers"),
        ([(1, 4, 4, 3)], "shapes: expected a shape by the name or position"),
        ({1.5: (1, 4, 4, 3)}, "shapes: expected a shape by the name or position"),
    ],
)
def test_shape_that_fits_nothing(shapes, told):
    with pytest.raises(SbnnError, match=told):
        sbnn.verify(one("ABS", ANY_SIZE), one("ABS", ANY_SIZE), shapes=shapes)


def test_size_that_tensorflow_lite_refuses():
    model = one("RESHAPE", (2, 6), out=(3, 4), more=[np.array([3, 4], np.int32)])
    with pytest.raises(SbnnError, match="TensorFlow Lite cannot run the graph of the model"):
        sbnn.verify(model, model, shapes={"input": (5, 5)})


def test_every_type():
    """Of a model whose outputs are its inputs."""
    kinds = "float64 float16 bool uint8 int8 int16 int64 uint32 uint64 complex64 complex128 STRING"
    flat = Flat()
    shapes = [shape for _ in kinds.split() for shape in (X, (), (0, 3))]
    for i, shape in enumerate(shapes):
        flat.output(flat.input(shape, kinds.split()[i // 3], f"x{i}"))
    report = sbnn.verify(flat.bytes(), flat.bytes(), runs=8)
    assert [each.shape for each in report.outputs] == shapes and report.within
    for each in report.outputs:
        assert each.input_effect > 0 or 0 in each.shape, each


def test_type_without_random_values():
    flat = Flat()
    flat.output(flat.input(X, "RESOURCE", "handle"))
    with pytest.raises(SbnnError, match="'handle'.* no random values"):
        sbnn.verify(flat.bytes(), flat.bytes())


def test_complex_numbers():
    flat = Flat()
    x, y = flat.input((1, 4, 4)), flat.tensor("y", (1, 4, 3), np.complex64)
    flat.node("RFFT2D", [x, flat.constant("size", np.array([4, 4], np.int32))], [y])
    flat.output(y)
    (found,) = sbnn.verify(flat.bytes(), flat.bytes()).outputs
    assert found.max_difference == 0 and found.largest_output > 0


def test_equal_nan_and_infinity():
    for name in ("SQRT", "LOG"):
        report = sbnn.verify(one(name), one(name))
        assert report.within and report.outputs[0].largest_output > 0


def nonzero(flip: str) -> bytes:
    """The places of what is not zero, after an operator on bool."""
    flat = Flat()
    x, kept = flat.input((12,), bool), flat.tensor("kept", (12,), bool)
    places = flat.tensor("places", (-1, 1), np.int64)
    other = [flat.constant("other", np.arange(12) == 0)] if flip != "LOGICAL_NOT" else []
    flat.node(flip, [x, *other], [kept])
    flat.node("WHERE", [kept], [places])
    flat.output(places)
    return flat.bytes()


def test_shapes_that_change_from_run_to_run():
    assert sbnn.verify(nonzero("LOGICAL_OR"), nonzero("LOGICAL_OR"), runs=6).within
    none = nonzero("LOGICAL_AND")  # which is empty now and then
    assert sbnn.verify(none, none, runs=6).within
    report = sbnn.verify(nonzero("LOGICAL_OR"), nonzero("LOGICAL_NOT"), runs=6)
    assert not report.within and "(shapes (" in str(report)


def dynamic_range(weights: np.ndarray) -> bytes:
    flat = Flat()
    x = flat.input((4, 16))
    weight = flat.constant("weight", weights)
    tensor = flat.graph.tensors[weight]
    tensor.quantization = schema().QuantizationParametersT(
        scale=np.array([0.01], np.float32), zeroPoint=np.array([0], np.int64)
    )
    y = flat.tensor("y", (4, 8))
    flat.node("FULLY_CONNECTED", [x, weight, flat.bias(8)], [y], schema().FullyConnectedOptionsT())
    flat.output(y)
    return flat.bytes()


def test_tolerance_of_dynamic_range():
    weights = np.random.default_rng(0).integers(-127, 127, (8, 16)).astype(np.int8)
    other = weights + (weights == weights.max())  # one step, of one weight
    report = sbnn.verify(dynamic_range(weights), dynamic_range(other.astype(np.int8)))
    assert 1e-4 < report.outputs[0].relative < report.tolerance == 0.05 and report.within
    assert "rounded to 8 bits" in str(report)
    assert sbnn.verify(one("ABS"), one("ABS")).tolerance == 1e-4
    same = dynamic_range(weights)
    assert not sbnn.verify(same, dynamic_range(-weights)).within
    assert not sbnn.verify(same, dynamic_range(other.astype(np.int8)), tolerance=1e-4).within


def test_tolerance_of_a_file_that_rounding_moves_far():
    """The sine of 1e6 x, rounded to 8 bits: a millionth of x turns it by a radian."""
    flat = Flat()
    x = flat.input((1, 16))
    large, sine = (flat.tensor(name, (1, 16)) for name in ("large", "sine"))
    factor = flat.constant("factor", np.array(1e6, np.float32))
    flat.node("MUL", [x, factor], [large], schema().MulOptionsT())
    flat.node("SIN", [large], [sine])
    steps = flat.tensor("steps", (1, 16), np.int8)
    flat.graph.tensors[steps].quantization = schema().QuantizationParametersT(
        scale=np.array([0.01], np.float32), zeroPoint=np.array([0], np.int64)
    )
    flat.node("QUANTIZE", [sine], [steps], schema().QuantizeOptionsT())
    flat.output(steps)
    report = sbnn.verify(flat.bytes(), flat.bytes())
    (found,) = report.outputs
    assert report.tolerance == 2 * found.rounding_effect / found.largest_output > 0.5
    assert f"the tolerance is {report.tolerance:.2g}" in str(report)


def test_variable():
    """A sum over all runs: outputs depend on what came before."""

    def model(name: str) -> bytes:
        flat = Flat()
        handle = flat.tensor("handle", (), "RESOURCE")
        flat.node("VAR_HANDLE", [], [handle], schema().VarHandleOptionsT(sharedName="sum"))
        x, before, after = flat.input(X), flat.tensor("before", X), flat.tensor("after", X)
        init = flat.tensor("init", (), "RESOURCE")
        flat.node("CALL_ONCE", [], [], schema().CallOnceOptionsT(initSubgraphIndex=1))
        flat.node("READ_VARIABLE", [handle], [before])
        flat.node(name, [before, x], [after], getattr(schema(), f"{name.title()}OptionsT")())
        flat.node("ASSIGN_VARIABLE", [handle, after], [])
        flat.output(before)
        flat.add_subgraph()
        init = flat.tensor("init", (), "RESOURCE")
        flat.node("VAR_HANDLE", [], [init], schema().VarHandleOptionsT(sharedName="sum"))
        flat.node("ASSIGN_VARIABLE", [init, flat.constant("zero", np.zeros(X, np.float32))], [])
        return flat.bytes()

    assert sbnn.verify(model("ADD"), model("ADD")).within
    first = sbnn.verify(model("ADD"), model("SUB"), runs=1)
    assert first.within  # nothing was added yet
    assert not sbnn.verify(model("ADD"), model("SUB"), runs=2).within


def test_random_numbers_are_pointed_out():
    random = one("RANDOM_UNIFORM", (2,), np.int32, np.float32, (-1, -1), schema().RandomOptionsT())
    seeded = one(
        "RANDOM_UNIFORM", (2,), np.int32, np.float32, (-1, -1), schema().RandomOptionsT(seed=1)
    )
    report = sbnn.verify(random, random, runs=6)
    assert "RANDOM_UNIFORM draws" in str(report) and not report.within
    report = sbnn.verify(seeded, seeded, runs=6)
    assert "RANDOM_UNIFORM" not in str(report) and report.within


def test_nothing_to_compare():
    flat = Flat()
    flat.input(X)
    with pytest.raises(SbnnError, match="nothing to compare"):
        sbnn.verify(flat.bytes(), flat.bytes())


def test_outputs_and_types_that_differ():
    with pytest.raises(
        SbnnError, match=r"inputs differ \(the graph\): .*float32 2x3 against .*int32"
    ):
        sbnn.verify(one("ABS"), one("ABS", kind=np.int32))
    with pytest.raises(SbnnError, match="outputs differ.* float32 2x3 against .*bool"):
        sbnn.verify(one("ABS"), one("CAST", to=bool))
    with pytest.raises(SbnnError, match="inputs differ.*2x3 against .*2x4"):
        sbnn.verify(one("ABS"), one("ABS", (2, 4)))


@pytest.mark.parametrize("option, least", [("runs", 1), ("num_threads", 1), ("seed", 0)])
def test_bad_number(option, least):
    for value in (least - 1, 1.5, "2"):
        with pytest.raises(SbnnError, match=f"{option}: expected an integer of at least {least}"):
            sbnn.verify(one("ABS"), one("ABS"), **{option: value})


def test_command(tmp_path, capsys):
    any_size, both = tmp_path / "any.tflite", tmp_path / "both.tflite"
    any_size.write_bytes(one("ABS", ANY_SIZE))
    both.write_bytes(signatures("ABS"))
    verify = ["verify", str(any_size), str(any_size)]
    assert main(verify) == 2
    assert f"sbnn: {any_size} takes inputs of any size" in capsys.readouterr().err
    assert main([*verify, "--shape", "input=1,4,4,3"]) == 0
    assert main(["verify", str(both), str(both), "--signature", "b"]) == 0
    out = capsys.readouterr().out
    assert "within the tolerance of 0.0001" in out and "signature 'a'" not in out
    for wrong in ("1,4,4,3", "input=1,x,4,3", "input=1x4"):
        with pytest.raises(SystemExit) as end:
            main([*verify, "--shape", wrong])
        assert end.value.code == 2


def test_with_the_interpreter_of_tensorflow(tmp_path, monkeypatch, capfd):
    """Where ai-edge-litert is not installed."""
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").write_text("raise ModuleNotFoundError('hidden by a test')")
    monkeypatch.syspath_prepend(tmp_path)
    any_size = one("ABS", ANY_SIZE)
    report = sbnn.verify(any_size, any_size, shapes={0: (1, 4, 4, 3)}, delegate=True)
    assert report.within and report.outputs[0].shape == (1, 4, 4, 3)
    assert not sbnn.verify(signatures("ABS"), signatures("NEG")).within
    assert "deprecated" not in capfd.readouterr().err


def leaky(alpha: float) -> bytes:
    """LEAKY_RELU of int8."""
    s = schema()
    flat = Flat()
    x = flat.input((1, 400), np.int8)
    y = flat.tensor("y", (1, 400), np.int8)
    for tensor in (x, y):
        flat.graph.tensors[tensor].quantization = s.QuantizationParametersT(
            scale=np.array([0.1], np.float32), zeroPoint=np.array([0], np.int64)
        )
    flat.node("LEAKY_RELU", [x], [y], s.LeakyReluOptionsT(alpha=alpha))
    flat.model.operatorCodes[-1].version = 2
    flat.output(y)
    return flat.bytes()


def test_quantized_outputs_are_the_same_or_steps_apart():
    assert sbnn.verify(leaky(0.5), leaky(0.5)).within
    report = sbnn.verify(leaky(0.5), leaky(0.51))
    assert not report.within
    assert "of 1200 numbers of 8 bits differ, by up to 2 steps)" in str(report)
