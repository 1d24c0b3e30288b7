"""android_benchmark.py with an adb that is made up."""

import json
import os
import pathlib
import sys

import pytest

from delegate.android import android_benchmark

# Answers from the files beside it, and keeps what it was asked.
ADB = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
asked = here / "asked.json"
calls = json.loads(asked.read_text()) if asked.exists() else []
calls.append(sys.argv[1:])
asked.write_text(json.dumps(calls))
words = sys.argv[1:]
if words == ["devices"]:
    print("List of devices attached\\n" + (here / "devices").read_text())
    sys.exit()
serial, words = words[1], words[2:]
command = " ".join(words)
if command.startswith("shell pm path") and serial == "bare":
    sys.exit(1)
if command.startswith("shell date"):
    print("11-30 07:00:00.000")
if words[0] == "push" and not pathlib.Path(words[1]).is_file():
    sys.exit("no such file")
if words[0] == "logcat":
    log = here / ("log." + serial)
    # The result is there at the second look.
    looks = sum(call[2:3] == ["logcat"] and call[1] == serial for call in calls)
    if looks > 1 and log.exists():
        print("--------- beginning of main")
        print(log.read_text())
"""

RESULT = {
    "model": "m.tflite",
    "device": "Maker Phone",
    "isa": "neon",
    "threads": 4,
    "before": {"clock_mhz": 2400},
    "after": {},
    "baseline": {"min_ms": 20.0, "median_ms": 21.0},
    "delegate": {"min_ms": 8.0, "median_ms": 10.0},
    "speedup_min": 2.5,
    "speedup_median": 2.1,
    "max_abs_diff": 1e-6,
    "claimed_nodes": 44,
    "total_nodes": 45,
}


@pytest.fixture
def adb(tmp_path, monkeypatch) -> pathlib.Path:
    """Its folder; two devices are attached, and one that is locked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "adb").write_text(ADB.format(python=sys.executable))
    (folder / "adb").chmod(0o755)
    (folder / "devices").write_text("one\tdevice\ntwo\tdevice\nlocked\tunauthorized\n")
    for serial in ("one", "two"):
        (folder / f"log.{serial}").write_text(json.dumps({**RESULT, "device": serial}))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    for name in ("m.tflite", "dense.tflite"):
        (tmp_path / name).write_bytes(b"model")
    monkeypatch.chdir(tmp_path)
    return folder


def asked(adb: pathlib.Path, serial: str) -> list[str]:
    calls = json.loads((adb / "asked.json").read_text())
    return [" ".join(call[2:]) for call in calls if call[:2] == ["-s", serial]]


def test_every_device_gets_the_files_and_is_asked(adb, capsys):
    words = "m.tflite --baseline dense.tflite --threads 4 --rounds 20 --allow-fp16"
    assert android_benchmark.main(words.split()) == 0
    for serial in ("one", "two"):
        calls = asked(adb, serial)
        folder = "/sdcard/Android/data/com.sbnn.benchmark/files"
        assert f"push m.tflite {folder}/m.tflite" in calls
        assert f"push dense.tflite {folder}/dense.tflite" in calls
        (start,) = [call for call in calls if "am start" in call]
        assert start == (
            "shell am start -S -n com.sbnn.benchmark/.BenchmarkActivity --es args "
            "'--graph=m.tflite --baseline=dense.tflite --num_threads=4 --rounds=20 --allow_fp16=true'"
        )
        assert "logcat -d -v raw -T 11-30 07:00:00.000 -s SbnnBenchmark:I" in calls
    assert asked(adb, "locked") == []
    said = capsys.readouterr().out
    assert "one, neon, 4 thread(s)" in said and "two, neon" in said
    assert "before: clock_mhz 2400" in said and "after: clock and temperature unknown" in said
    assert "claimed by the delegate: 44 of 45 nodes" in said
    assert "dense, TFLite XNNPACK     20.000 ms    21.000 ms" in said
    assert "speed-up                      2.50x        2.10x" in said


def test_json_has_a_result_a_device(adb, capsys):
    assert android_benchmark.main(["m.tflite", "--baseline", "dense.tflite", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [each["serial"] for each in results] == ["one", "two"]
    assert results[0]["speedup_min"] == 2.5


def test_the_baseline_is_the_model_stored_densely(adb, capsys, models):
    sparse = models / "mobilenet_g4.tflite"
    assert android_benchmark.main([str(sparse)]) == 0
    (push,) = [call for call in asked(adb, "one") if call.endswith("/mobilenet_g4.dense.tflite")]
    assert push.startswith("push ")


def test_what_goes_wrong_on_one_device_leaves_the_others(adb, capsys):
    (adb / "devices").write_text("bare\tdevice\none\tdevice\nslow\tdevice\nbad\tdevice\n")
    (adb / "log.bad").write_text(json.dumps({"error": "expected a model, found none"}))
    words = "m.tflite --baseline dense.tflite --timeout 1.5"
    assert android_benchmark.main(words.split()) == 1
    said = capsys.readouterr()
    assert "bare: expected the app: adb install -r build/sbnn-benchmark.apk" in said.err
    assert "slow: no result within" in said.err
    assert "bad: expected a model, found none" in said.err
    assert "one, neon" in said.out


def test_without_a_device_it_says_what_there_is(adb):
    (adb / "devices").write_text("locked\tunauthorized\n")
    with pytest.raises(
        SystemExit, match="expected an attached device .* found locked unauthorized"
    ):
        android_benchmark.main(["m.tflite", "--baseline", "dense.tflite"])
    (adb / "devices").write_text("")
    with pytest.raises(SystemExit, match="found none"):
        android_benchmark.main(["m.tflite", "--baseline", "dense.tflite"])


def test_missing_files_and_a_missing_adb_are_named(adb, monkeypatch):
    with pytest.raises(SystemExit, match="found no none.tflite"):
        android_benchmark.main(["none.tflite"])
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit, match="adb is missing"):
        android_benchmark.main(["m.tflite", "--baseline", "dense.tflite"])
