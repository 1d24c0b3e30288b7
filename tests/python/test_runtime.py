"""Loading the delegate, comparing and timing: what does not depend on the engine's kernels."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.errors import SbnnError
from sbnn_tf.run import runtime
from tests.python.convert.flat import Flat


def test_unknown_option_lists_the_known_ones():
    with pytest.raises(SbnnError, match="'threads'.*num_threads, explain"):
        sbnn.load_delegate(threads=2)


@pytest.mark.parametrize("num_threads", [0, -1, 1.5, "2", True])
def test_bad_number_of_threads(num_threads):
    with pytest.raises(SbnnError, match="at least 1"):
        sbnn.load_delegate(num_threads=num_threads)


def test_missing_library(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.so.*pip install"):
        sbnn.load_delegate(library=tmp_path / "nowhere.so")


def test_library_for_another_processor(foreign_library):
    with pytest.raises(SbnnError, match=f"ELF machine 43.*{platform.machine()}"):
        sbnn.load_delegate(library=foreign_library)


def test_named_processor(foreign_library):
    other, number = {"x86_64": ("aarch64", 183)}.get(platform.machine(), ("x86_64", 62))
    head = bytearray(foreign_library.read_bytes())
    head[5] = 1  # little endian
    head[18:20] = number.to_bytes(2, "little")
    foreign_library.write_bytes(head)
    with pytest.raises(SbnnError, match=f"built for {other}"):
        sbnn.load_delegate(library=foreign_library)


def test_library_that_is_none(tmp_path):
    path = tmp_path / "text.so"
    path.write_text("not a library at all")
    with pytest.raises(SbnnError, match="not a shared library"):
        sbnn.load_delegate(library=path)


def test_library_without_the_entry_points(tmp_path):
    source, path = tmp_path / "empty.c", tmp_path / "libempty.so"
    source.write_text("int nothing;\n")
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "the build needs a C compiler, and so does this test"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, source], check=True)
    with pytest.raises(SbnnError, match="not a usable delegate"):
        sbnn.load_delegate(library=path)
    with pytest.raises(SbnnError, match="not a usable delegate"):
        runtime.open_library(path)


def test_environment_names_the_library(monkeypatch, tmp_path):
    monkeypatch.setenv("SBNN_DELEGATE", str(tmp_path / "elsewhere.so"))
    with pytest.raises(FileNotFoundError, match="elsewhere.so"):
        runtime.find_library()


def test_verify_equal(tiny_files):
    dense, sparse = tiny_files
    (one,) = sbnn.verify(sparse, sparse.read_bytes()).outputs
    assert one.shape == (1, 10)
    assert one.max_difference == one.relative == 0.0
    assert one.input_effect > 0.05 * one.largest_output > 0


def test_verify_different(tiny_files):
    (one,) = sbnn.verify(*tiny_files).outputs
    assert one.relative == one.max_difference / one.largest_output > 0.01


def one_operator(name: str, kind: str = "", **fields) -> bytes:
    flat = Flat()
    x, y = flat.input((1, 2, 2, 8)), flat.tensor("y", (1, 2, 2, 8))
    flat.node(name, [x], [y], getattr(schema(), f"{kind}OptionsT")(**fields) if kind else None)
    flat.output(y)
    return flat.bytes()


def test_verify_reports_nan():
    (one,) = sbnn.verify(one_operator("ABS"), one_operator("SQRT")).outputs
    assert np.isnan(one.max_difference) and not one.relative <= 1e9


def test_crash_of_tensorflow_lite(tmp_path):
    crashes = {
        "loading": one_operator("SPLIT", "Split", numSplits=0),
        "running": one_operator(
            "LOCAL_RESPONSE_NORMALIZATION", "LocalResponseNormalization", radius=-5
        ),
    }
    for when, content in crashes.items():
        path = tmp_path / f"{when}.tflite"
        path.write_bytes(content)
        told = f"crashed while .* {path}.*: Segmentation fault"
        with pytest.raises(SbnnError, match=told):
            sbnn.verify(path, content)
        with pytest.raises(SbnnError, match="crashed while .*: Segmentation fault"):
            sbnn.benchmark(path)


def test_verify_refuses_other_shapes(tiny_files):
    import keras

    other = sbnn.convert(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))
    with pytest.raises(SbnnError, match="inputs differ"):
        sbnn.verify(tiny_files[0], other)


def test_one_is_as_good_as_true(tiny_files):
    """As the README's table writes options."""
    records = []
    delegate = sbnn.load_delegate(profile=1, report=records.append)
    made = runtime.interpreter(tiny_files[1], delegate=delegate)
    runtime.run(made, [np.zeros((1, 12, 12, 3), np.float32)])
    del made, delegate
    assert any(record["record"] == "step_profile" for record in records)


def test_truncated_model(tiny_files):
    content = tiny_files[0].read_bytes()
    with pytest.raises(SbnnError, match="cannot run the model"):
        runtime.interpreter(content[: len(content) // 2])


def test_not_a_model(tmp_path):
    path = tmp_path / "notes.tflite"
    path.write_text("these are only notes")
    with pytest.raises(SbnnError, match="notes.tflite is not a .tflite file"):
        runtime.interpreter(path)


@pytest.mark.parametrize("name", ["num_threads", "rounds"])
@pytest.mark.parametrize("number", [0, 1.5, True, None])
def test_bad_number(name, number, tiny_files):
    with pytest.raises(SbnnError, match=f"{name}: expected an integer of at least 1"):
        sbnn.benchmark(tiny_files[1], **{name: number})
    with pytest.raises(SbnnError, match=f"{name}: expected an integer of at least 1"):
        sbnn.profile(tiny_files[1], **{name: number})


def test_pinned_restores_the_cores():
    from sbnn_tf.run.benchmark import pinned

    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system cannot pin")
    before = os.sched_getaffinity(0)
    with pinned(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
