"""Calibration data: every form that users have, and every mistake, each with its own message."""

import itertools
import sys

import numpy as np
import pytest
from flat import Flat, chain, group_sparse

from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.calibration import Input, inputs_of, labelled, samples, spread
from sbnn_tf.convert.calibration_files import CalibrationFiles
from sbnn_tf.errors import SbnnError

IMAGE = Input("image", (-1, 2, 2, 3), np.dtype(np.float32))
AGE = Input("age", (-1, 1), np.dtype(np.float32))
WORDS = Input("words", (-1, 4), np.dtype(np.int32))
DATA = np.random.default_rng(0).uniform(-1, 1, (6, 2, 2, 3)).astype(np.float32)
AGES = np.arange(6, dtype=np.float32).reshape(6, 1)


def taken(dataset, *inputs: Input, limit: int = 100) -> list[list[np.ndarray]]:
    return list(samples(dataset, list(inputs or (IMAGE,)), limit))


def joined(found: list[list[np.ndarray]], at: int = 0) -> np.ndarray:
    return np.concatenate([sample[at] for sample in found])


FORMS = {
    "array": DATA,
    "float64": DATA.astype(np.float64),
    "by name": {"image": DATA},
    "by any name of the one": {"x": DATA},
    "function of lists": lambda: ([x[None]] for x in DATA),
    "function of arrays": lambda: iter(DATA),
    "list of samples": list(DATA),
    "generator": (x for x in DATA),
    "batches": [DATA[:4], DATA[4:]],
    "with labels": [(DATA[:4], np.zeros(4)), (DATA[4:], np.zeros(2))],
    "dicts with labels": [({"image": x}, 1) for x in DATA],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_samples(form):
    found = taken(FORMS[form])
    assert [sample[0].shape for sample in found] == [(1, 2, 2, 3)] * 6
    assert all(sample[0].dtype == np.float32 for sample in found)
    np.testing.assert_array_equal(joined(found), DATA)


def test_keras_datasets():
    tf = pytest.importorskip("tensorflow")
    labelled = tf.data.Dataset.from_tensor_slices((DATA, np.arange(6))).batch(4)
    np.testing.assert_array_equal(joined(taken(labelled)), DATA)
    np.testing.assert_array_equal(joined(taken(tf.constant(DATA))), DATA)
    two = tf.data.Dataset.from_tensor_slices(((DATA, AGES), np.arange(6))).batch(2)
    np.testing.assert_array_equal(joined(taken(two, IMAGE, AGE), 1), AGES)


def test_several_inputs_go_by_name_or_by_what_they_look_like():
    both = {"age": AGES, "image": DATA}
    found = taken(both, IMAGE, AGE)
    np.testing.assert_array_equal(joined(found, 0), DATA)
    np.testing.assert_array_equal(joined(found, 1), AGES)
    listed = taken(lambda: ([x[None], a[None]] for x, a in zip(DATA, AGES)), IMAGE, AGE)
    np.testing.assert_array_equal(joined(listed, 1), AGES)
    twin = Input("other", AGE.shape, AGE.dtype)
    with pytest.raises(SbnnError, match="look alike.*give a dict"):
        taken(lambda: [[AGES, AGES]], AGE, twin)


def test_samples_are_spread_over_arrays_and_the_first_of_others():
    assert list(spread(10, 3)) == [0, 4, 9] and list(spread(2, 5)) == [0, 1]
    assert list(spread(0, 5)) == []
    np.testing.assert_array_equal(joined(taken(DATA, limit=2)), DATA[[0, 5]])
    np.testing.assert_array_equal(joined(taken({"image": DATA}, limit=2)), DATA[[0, 5]])
    np.testing.assert_array_equal(joined(taken([DATA], limit=2)), DATA[:2])
    endless = itertools.cycle(DATA)
    assert len(taken(endless, limit=7)) == 7


def test_a_fixed_batch_is_filled():
    four = Input("image", (4, 2, 2, 3), np.dtype(np.float32))
    assert [sample[0].shape for sample in taken(DATA, four)] == [(4, 2, 2, 3)]
    with pytest.raises(SbnnError, match=r"expected samples of the shape of image .*4x2x2x3"):
        taken(DATA[:3], four)


def test_whole_numbers_and_scalars():
    words = np.array([[1, 2, 3, 4]], np.int64)
    assert taken(words, WORDS)[0][0].dtype == np.int32
    assert taken(DATA.view(np.uint32)[..., :1] % 7, Input("x", (-1, 2, 2, 1), np.dtype("f4")))
    rate = Input("rate", (), np.dtype(np.float32))
    found = taken([{"rate": 0.5, "image": x} for x in DATA], rate, IMAGE)
    assert found[3][0].shape == () and found[3][1].shape == (1, 2, 2, 3)


NAN = np.where(np.arange(72).reshape(6, 2, 2, 3) == 40, np.nan, DATA)
BAD = {
    "no samples": ((IMAGE,), DATA[:0], "at least one sample, found none"),
    "an empty function": ((IMAGE,), lambda: [], "at least one sample, found none"),
    "another shape": ((IMAGE,), DATA[:, :1], r"shape of image \(float32 \?x2x2x3\), found 6x1x2x3"),
    "another rank": ((IMAGE,), DATA[0, 0], "found 2x3"),
    "text": ((IMAGE,), np.full((1, 2, 2, 3), "a"), "expected numbers for image .*found <U1"),
    "objects": ((IMAGE,), np.full((1, 2, 2, 3), None), "found object"),
    "complex numbers": ((IMAGE,), DATA * 1j, "found complex"),
    "floats for whole numbers": ((WORDS,), np.ones((2, 4)), "words .*found float64"),
    "large numbers": ((WORDS,), np.full((1, 4), 2**40), "numbers that fit words"),
    "NaN": ((IMAGE,), NAN, "sample 4 of image .* has NaN or infinity"),
    "infinity": ((IMAGE,), DATA * np.inf, "sample 1 of image .* has NaN or infinity"),
    "too large for float32": (
        (IMAGE,),
        DATA.astype("f8") * 1e300,
        "sample 1 of image .* has NaN or infinity",
    ),
    "constants": ((IMAGE,), np.full_like(DATA, 0.5), r"all 6 sample\(s\) of image .* constant 0.5"),
    "a name too few": ((IMAGE, AGE), {"image": DATA}, "inputs image .*, age .*; found image"),
    "another name": (
        (IMAGE, AGE),
        {"image": DATA, "x": AGES},
        "expected the inputs image .*, age .*; found image, x",
    ),
    "an input too few": ((IMAGE, AGE), DATA, r"expected 2 input\(s\), .*found 1: give a dict"),
    "an input too many": ((IMAGE,), lambda: [[DATA, AGES]], r"expected 1 input\(s\).*found 2"),
    "unequal numbers": (
        (IMAGE, AGE),
        {"image": DATA, "age": AGES[:4]},
        "as many samples of each input, found 6 of image .*, 4 of age",
    ),
    "sizes that change": (
        (Input("x", (-1, -1), np.dtype(np.float32)),),
        [np.ones((1, 3)), np.zeros((1, 4))],
        r"samples of one shape for x .*\(1, 3\) and \(1, 4\)",
    ),
    "a signature's name": ((IMAGE,), lambda: [("serve", {"image": DATA})], "give the dict"),
    "a path": ((IMAGE,), "images", "found str"),
    "a number": ((IMAGE,), 7, "found int"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_mistakes(mistake):
    inputs, dataset, message = BAD[mistake]
    with pytest.raises(SbnnError, match=message), np.errstate(all="ignore"):
        taken(dataset, *inputs)


def test_constants_are_fine_beside_inputs_that_vary():
    assert len(taken({"image": DATA, "age": AGES * 0}, IMAGE, AGE)) == 6
    black = np.concatenate([np.zeros_like(DATA[:1]), DATA])
    assert len(taken(black)) == 7


CLASSES = np.array([2, 0, 1, 1, 0, 2])


@pytest.mark.parametrize(
    "data",
    [
        (DATA, CLASSES),
        ({"image": DATA}, CLASSES.reshape(6, 1).astype(np.float32)),
        (DATA, np.eye(3)[CLASSES]),
        [(DATA[:4], CLASSES[:4]), (DATA[4:], CLASSES[4:])],
        lambda: zip(DATA, CLASSES),
    ],
    ids=["classes", "floats", "one hot", "batches", "by the sample"],
)
def test_every_form_of_labelled_data(data):
    found = list(labelled(data, [IMAGE]))
    np.testing.assert_array_equal(np.concatenate([sample[0] for sample, _ in found]), DATA)
    assert [int(*label) for _, label in found] == CLASSES.tolist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DATA, "expected tuples of inputs and labels, found ndarray"),
        ((DATA,), "expected tuples of inputs and labels, found tuple"),
        ((DATA, CLASSES[:4]), "expected a label for each of 6 rows, found 4"),
        ((DATA, CLASSES + 0.5), "expected the numbers of classes"),
        ((DATA[:0], CLASSES[:0]), "expected at least one sample, found none"),
        ((DATA * np.nan, CLASSES), "sample 1 of image .* has NaN"),
        ((DATA[:, :1], CLASSES), "expected samples of the shape of image"),
    ],
)
def test_mistakes_in_labelled_data(data, message):
    with pytest.raises(SbnnError, match=message):
        list(labelled(data, [IMAGE]))


def test_labels_in_files(tmp_path):
    np.savez(tmp_path / "x.npz", image=DATA, labels=CLASSES)
    data = CalibrationFiles(str(tmp_path / "x.npz")).read_labelled()
    assert [int(*label) for _, label in labelled(data, [IMAGE])] == CLASSES.tolist()
    np.savez(tmp_path / "y.npz", image=DATA)
    np.save(tmp_path / "y.npy", DATA)
    for name, found in (("y.npz", "arrays image"), ("y.npy", "one array")):
        with pytest.raises(SbnnError, match=f"{name} cannot validate.*'labels', found {found}"):
            CalibrationFiles(str(tmp_path / name)).read_labelled()


def test_inputs_of_a_model():
    flat = Flat()
    x = flat.input((-1, 4, 4, 8), name="tensor")
    flat.output(flat.conv(x, flat.constant("f", group_sparse((8, 1, 1, 8), 4, 0.5))))
    assert str(inputs_of(flat.model)[0]) == "tensor (float32 ?x4x4x8)"
    flat.signature("serve", {"image": x}, {})
    assert inputs_of(flatbuffer.read(flat.bytes()))[0].name == "image"
    flat.signature("other", {"image": x}, {})
    with pytest.raises(SbnnError, match="one signature.*serve, other"):
        inputs_of(flat.model)
    flat = Flat()
    flat.input((1,), "STRING", name="text")
    with pytest.raises(SbnnError, match="the input text is of type STRING"):
        inputs_of(flat.model)


def read(path, *inputs: Input, limit: int = 100, **options) -> list[list[np.ndarray]]:
    entries = list(inputs or (IMAGE,))
    return taken(CalibrationFiles(str(path), **options).read(entries, limit), *entries, limit=limit)


def test_arrays_in_files(tmp_path):
    np.save(tmp_path / "x.npy", DATA)
    np.savez(tmp_path / "x.npz", image=DATA, age=AGES)
    np.testing.assert_array_equal(joined(read(tmp_path / "x.npy")), DATA)
    np.testing.assert_array_equal(joined(read(tmp_path / "x.npz", IMAGE, AGE), 1), AGES)
    (tmp_path / "bad.npy").write_bytes(b"junk")
    np.save(tmp_path / "pickled.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("bad.npy", "pickled.npy", "empty.npz"):
        with pytest.raises(SbnnError, match=f"cannot read .*{name}: expected a .npy or .npz file"):
            read(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="no such file or folder: .*none.npy"):
        read(tmp_path / "none.npy")


def test_noise_fits_every_input():
    found = read("random", IMAGE, WORDS, limit=9)
    assert len(found) == 9 and set(np.unique(joined(found, 1))) == {0, 1}
    assert joined(found).min() < -0.9 and joined(found).max() > 0.9
    assert "warning" in CalibrationFiles("random").remarks([IMAGE])[0]


def test_folders_of_images(tmp_path):
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "sub").mkdir()
    for i, name in enumerate(("b.png", "a.PNG", "sub/c.bmp", "d.gif")):
        pixels = np.full((8, 6, 3), 50 * i, np.uint8)
        image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not one of them")
    values = [sample[0].max() for sample in read(tmp_path)]
    np.testing.assert_allclose(values, np.array([50, 0, 100]) / 255, atol=1e-6)
    values = [sample[0].max() for sample in read(tmp_path, mean=127.5, std=127.5)]
    np.testing.assert_allclose(values, np.array([50, 0, 100]) / 127.5 - 1, atol=1e-6)
    grey = Input("x", (1, 5, 7, 1), np.dtype(np.uint8))
    assert [int(s[0].max()) for s in read(tmp_path, grey)] == [50, 0, 100]
    assert read(tmp_path, grey)[0][0].shape == (1, 5, 7, 1)
    (remark,) = CalibrationFiles(str(tmp_path)).remarks([IMAGE])
    assert remark == "images: resized to 2x2, RGB, (pixel - 0) / 255"


def test_folders_that_do_not_serve(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    with pytest.raises(SbnnError, match="a folder without images: expected files that end with"):
        read(tmp_path)
    image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "x.png")
    for other in ([AGE], [IMAGE, AGE], [Input("any", (-1, -1, -1, 3), np.dtype("f4"))]):
        with pytest.raises(SbnnError, match="a folder of images calibrates models of one input"):
            read(tmp_path, *other)
    with pytest.raises(SbnnError, match="std: expected a number other than 0"):
        read(tmp_path, std=0.0)
    (tmp_path / "y.png").write_bytes(b"junk")
    with pytest.raises(SbnnError, match="cannot read .*y.png as an image"):
        read(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(SbnnError, match="needs Pillow.*pip install pillow"):
        read(tmp_path)


def test_a_chain_has_the_input_that_its_first_filter_takes():
    model = flatbuffer.read(chain(group_sparse((8, 3, 3, 3), 4, 0.0)))
    assert inputs_of(model) == [Input("input", (1, 4, 4, 3), np.dtype(np.float32))]
