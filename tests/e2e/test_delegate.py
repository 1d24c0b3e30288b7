"""The delegate inside the real TensorFlow Lite, against stock TensorFlow Lite on the same file.

The bar: four times what stock TensorFlow Lite differs from itself with and without XNNPACK, and
never above 1e-4, both relative to the largest output.
"""

from __future__ import annotations

import concurrent.futures
import re
import subprocess
import sys

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.run import runtime
from tests.python.convert.flat import Flat, group_sparse
from tests.python.models import bring_to_life, live_model

NEVER_ABOVE = 1e-4


@pytest.fixture(scope="module")
def keras_model():
    """A live MobileNet-v1 of a quarter of the width, without zeros."""
    return live_model("MobileNet", (96, 96, 3), alpha=0.25, classes=100)


@pytest.fixture(scope="module")
def mobilenet(keras_model) -> bytes:
    return sbnn.convert(keras_model)


@pytest.fixture(scope="module")
def pruned(mobilenet) -> bytes:
    return sbnn.convert(mobilenet, prune=0.5)


def run(made, images: np.ndarray) -> np.ndarray:
    """Resize to the images, run, return the logits."""
    made.resize_tensor_input(made.get_input_details()[0]["index"], images.shape)
    made.allocate_tensors()
    return runtime.run(made, [images])[0]


def images(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def assert_as_stock(tflite: bytes, x: np.ndarray, made) -> None:
    """`made`, an interpreter with the delegate, is within the bar on `x`."""
    stock = run(runtime.interpreter(tflite), x)
    plain = run(runtime.interpreter(tflite, xnnpack=False), x)
    ours = run(made, x)
    size = np.abs(stock).max()
    if len(x) > 1:
        assert np.abs(stock[0] - stock[1]).max() > 0.01 * size, "a dead network shows nothing"
    bar = min(4 * np.abs(stock - plain).max() / size, NEVER_ABOVE)
    assert np.abs(ours - stock).max() / size <= bar


def delegated(tflite: bytes, **options):
    """An interpreter in which the delegate computes all that it can."""
    return runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim="all", **options))


@pytest.mark.parametrize(
    "group, sparsity", [(1, 0.9), (2, 0.9), (4, 0.3), (4, 0.9), (8, 0.9), (16, 0.9)]
)
def test_every_group(keras_model, group, sparsity):
    """Networks that are live with their zeros: pruned first, then the batch norms set for that."""
    import keras

    before = keras_model.get_weights()
    for layer in keras_model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (1, 1):
            kernel = layer.kernel.numpy()
            pattern = sbnn.Group(group).fit(kernel.shape)
            layer.kernel.assign(kernel * pattern.mask(np.abs(kernel), sparsity))
    bring_to_life(keras_model)
    tflite = sbnn.convert(keras_model)
    keras_model.set_weights(before)
    assert_as_stock(tflite, images(2, 96, 96, 3), delegated(tflite))


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_dense(mobilenet, num_threads):
    assert_as_stock(mobilenet, images(2, 96, 96, 3), delegated(mobilenet, num_threads=num_threads))


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_resized_again_and_again(pruned, num_threads):
    made = delegated(pruned, num_threads=num_threads)
    for i, shape in enumerate([(1, 96, 96, 3), (4, 96, 96, 3), (2, 160, 160, 3), (3, 65, 97, 3),
                               (1, 96, 96, 3)]):  # fmt: skip
        assert_as_stock(pruned, images(*shape, seed=i), made)


def test_tensorflows_own_interpreter(pruned):
    import tensorflow as tf

    x = images(2, 96, 96, 3)
    made = tf.lite.Interpreter(
        model_content=pruned,
        experimental_delegates=[sbnn.load_delegate(num_threads=1, claim="all")],
    )
    assert_as_stock(pruned, x, made)


def test_interpreters_side_by_side(mobilenet, pruned):
    """Four interpreters, two models, each run from a thread of its own, many times."""
    models = [mobilenet, pruned, mobilenet, pruned]
    xs = [images(2, 96, 96, 3, seed=i) for i in range(len(models))]
    made = [delegated(model, num_threads=1 + i % 2) for i, model in enumerate(models)]
    alone = [run(each, x) for each, x in zip(made, xs)]

    def many(i: int) -> bool:
        return all(np.array_equal(runtime.run(made[i], [xs[i]])[0], alone[i]) for _ in range(20))

    with concurrent.futures.ThreadPoolExecutor(len(models)) as pool:
        assert all(pool.map(many, range(len(models))))
    for model, x, each in zip(models, xs, made):
        assert_as_stock(model, x, each)


def test_an_interpreter_outlives_its_neighbours(pruned):
    x = images(1, 96, 96, 3)
    kept = delegated(pruned)
    before = run(kept, x)
    for _ in range(3):
        run(delegated(pruned, num_threads=2), x)  # made, run, and gone
    assert np.array_equal(run(kept, x), before)


def test_all_of_mobilenet_in_one_part(pruned):
    explanation = sbnn.explain(pruned, claim="all")
    (whole,) = explanation.of_kind("subgraph")
    assert (whole["claimed"], whole["parts"]) == (whole["nodes"], 1) and whole["nodes"] > 40
    assert f"claimed {whole['nodes']} of {whole['nodes']} nodes in 1 part," in str(explanation)


def test_what_memory_is_used(pruned):
    explanation = sbnn.explain(pruned, claim="all")
    (whole,), (part,) = explanation.of_kind("subgraph"), explanation.of_kind("part")
    packed, arena = whole["packed_bytes"], part["activation_bytes"]
    assert 0.3 * len(pruned) < packed < 1.1 * len(pruned)
    assert arena > 2 * 48 * 48 * 8 * 4  # the stem's output and that of the next layer


def test_an_empty_batch(pruned):
    """As in stock TensorFlow Lite, nothing comes of nothing; then images come again."""
    made = delegated(pruned)
    assert run(made, images(0, 96, 96, 3)).shape == (0, 100)
    assert_as_stock(pruned, images(2, 96, 96, 3), made)


def test_profile(pruned, capfd):
    """Each operator's time, measured beside predicted, when the interpreter goes."""
    made = delegated(pruned, profile=True)
    run(made, images(1, 96, 96, 3))
    capfd.readouterr()
    del made
    first, *lines = capfd.readouterr().err.splitlines()
    assert re.match(r"part 0, inputs 1x96x96x3: least [\d.]+ us, median [\d.]+ us of 1 run$", first)
    assert len(lines) > 25
    for line in lines:
        pattern = r" *[\d.]+ us, median +[\d.]+ us  node \d+ [A-Z0-9_]+.* \(predicted [\d.]+ us\)$"
        assert re.match(pattern, line)


def test_what_tensorflow_lite_does_faster_is_left(keras_model, mobilenet):
    """One depthwise convolution gains less than the changes of layout around it cost."""
    import keras

    x = keras.Input((64, 64, 32))
    lone = sbnn.convert(keras.Model(x, keras.layers.DepthwiseConv2D(3, padding="same")(x)))
    assert sbnn.explain(lone, claim="all").nodes[0]["claimed"]
    (node,) = [node for node in sbnn.explain(lone).nodes if "DEPTHWISE" in node["op"]]
    assert "part is predicted to take" in node["reason"]
    assert 0 < node["predicted_seconds"] and 0 < node["stock_seconds"]
    assert sbnn.explain(sbnn.convert(mobilenet, prune=0.9)).nodes[0]["claimed"]


def test_every_instruction_set(pruned):
    """Each set this processor has gives the same network; the best one is the default."""
    x = images(2, 96, 96, 3)
    best = runtime.open_library().sbnn_isa().decode()
    order = {"avx512": ["avx512", "avx2", "scalar"], "avx2": ["avx2", "scalar"],
             "neon": ["neon", "scalar"], "scalar": ["scalar"]}[best]  # fmt: skip
    for isa in order:
        assert_as_stock(pruned, x, delegated(pruned, isa=isa))


def test_packed_weights_in_a_file(pruned, tmp_path):
    """Made by the first interpreter, read by the next, and made anew where it is damaged."""
    x = images(2, 96, 96, 3)
    path = tmp_path / "packed"
    without = run(delegated(pruned), x)
    assert np.array_equal(run(delegated(pruned, cache_path=path), x), without)
    content = path.read_bytes()
    assert len(content) < len(pruned)
    in_a_new_process = f"""
from pathlib import Path
from tests.e2e.test_delegate import delegated, images, run
model = Path({str(tmp_path / "model")!r}).read_bytes()
print(run(delegated(model, cache_path={str(path)!r}), images(2, 96, 96, 3)).tobytes().hex())
"""
    (tmp_path / "model").write_bytes(pruned)
    for damaged in (content, content[: len(content) // 2], content[:-1] + b"x", b""):
        path.unlink()
        path.write_bytes(damaged)
        done = subprocess.run(
            [sys.executable, "-c", in_a_new_process], capture_output=True, text=True, check=True
        )
        assert bytes.fromhex(done.stdout.strip()) == without.tobytes()
        assert path.read_bytes() == content


def test_packed_weights_of_all_graphs_are_in_one_file(tmp_path):
    flat = Flat()
    for seed in range(2):
        if seed > 0:
            flat.add_subgraph()
        filters = flat.constant("filters", group_sparse((8, 1, 1, 8), 4, 0.5, seed))
        flat.output(flat.conv(flat.input((1, 4, 4, 8)), filters))
    path = tmp_path / "packed"
    delegated(flat.bytes(), cache_path=path)
    first = path.stat()
    delegated(flat.bytes(), cache_path=path)
    assert path.stat().st_ino == first.st_ino, "written again without need"


def test_no_place_for_packed_weights(pruned, tmp_path):
    records = []
    made = delegated(pruned, cache_path=tmp_path / "missing" / "packed", report=records.append)
    assert_as_stock(pruned, images(2, 96, 96, 3), made)
    (warning,) = [record for record in records if record["record"] == "warning"]
    assert warning["kind"] == "cache_not_written" and "missing" in warning["message"]


def test_benchmark(pruned):
    result = sbnn.benchmark(pruned, rounds=3, claim="all")
    data = result.to_dict()
    assert set(data) == {
        "baseline", "delegate", "floats", "speedup_min", "speedup_median", "max_abs_diff", "num_threads", "cpu",
        "peak_gflops", "graph", "inputs", "signatures", "claimed_nodes", "total_nodes",
    }  # fmt: skip
    assert set(data["baseline"]) == set(data["delegate"]) == {"min_ms", "median_ms"}
    for side in (result.baseline, result.delegate):
        assert 0 < side.min_ms <= side.median_ms
    assert result.speedup_min == result.baseline.min_ms / result.delegate.min_ms
    assert result.speedup_median == result.baseline.median_ms / result.delegate.median_ms
    assert 0 < result.claimed_nodes <= result.total_nodes
    assert result.peak_gflops > 1 and result.cpu
    assert 0 < result.max_abs_diff < 1e-2


def test_command_line(pruned, tmp_path):
    import json

    path = tmp_path / "pruned.tflite"
    path.write_bytes(pruned)

    def sbnn_command(*arguments: str) -> str:
        command = [sys.executable, "-m", "sbnn_tf.cli", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    sbnn_command("verify", str(path), str(path), "--delegate", "--num-threads", "2")
    assert "claimed" in sbnn_command("explain", str(path))
    found = json.loads(sbnn_command("benchmark", str(path), "--rounds", "2", "--json"))
    assert found["num_threads"] == 1 and found["delegate"]["min_ms"] > 0
    assert "speed-up" in sbnn_command("benchmark", str(path), "--rounds", "2", "--num-threads", "2")
