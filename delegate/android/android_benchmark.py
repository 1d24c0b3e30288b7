"""Times a sparse model on every Android device that is attached: python -m delegate.android.android_benchmark --help.

The benchmark app (`make apk`) must be installed there; adb is Debian's package of that name.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

APP = "com.sbnn.benchmark"
TAG = "SbnnBenchmark"
APK = "build/sbnn-benchmark.apk"
FOLDER = f"/sdcard/Android/data/{APP}/files"


class DeviceError(Exception):
    """What a device says, or does not say."""


class Device:
    """An attached device, by its serial number."""

    def __init__(self, serial: str):
        self.serial = serial

    def adb(self, *arguments: str) -> str:
        ran = subprocess.run(
            ["adb", "-s", self.serial, *arguments], capture_output=True, text=True, errors="replace"
        )
        if ran.returncode:
            words = (ran.stderr or ran.stdout).strip()
            raise DeviceError(f"adb {' '.join(arguments)}: {words}")
        return ran.stdout

    def shell(self, *words: str) -> str:
        return self.adb("shell", shlex.join(words))

    def benchmark(
        self, sparse: pathlib.Path, dense: pathlib.Path, arguments: str, timeout: float
    ) -> dict[str, Any]:
        """What the app logs of `sparse`, compared with `dense`."""
        try:
            self.shell("pm", "path", APP)
        except DeviceError:
            raise DeviceError(f"expected the app: adb install -r {APK}") from None
        self.shell("mkdir", "-p", FOLDER)
        for model in (sparse, dense):
            self.adb("push", str(model), f"{FOLDER}/{model.name}")
        since = self.shell("date", "+%m-%d %H:%M:%S.000").strip()
        words = f"--graph={sparse.name} --baseline={dense.name} {arguments}"
        self.shell("am", "start", "-S", "-n", f"{APP}/.BenchmarkActivity", "--es", "args", words)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            log = self.adb("logcat", "-d", "-v", "raw", "-T", since, "-s", f"{TAG}:I")
            for line in log.splitlines():
                if line.startswith("{"):
                    return json.loads(line)
            time.sleep(0.5)
        raise DeviceError(f"no result within {timeout:.0f} s: see adb logcat")


def attached() -> list[Device]:
    """SystemExit where there is none."""
    if shutil.which("adb") is None:
        raise SystemExit("adb is missing: install Debian's package adb")
    lines = subprocess.check_output(["adb", "devices"], text=True).splitlines()[1:]
    states = [line.split() for line in lines if line.strip()]
    ready = [Device(words[0]) for words in states if words[1:2] == ["device"]]
    if not ready:
        found = ", ".join(" ".join(words) for words in states) or "none"
        raise SystemExit(f"expected an attached device that allows debugging, found {found}")
    return ready


def print_table(result: dict[str, Any]) -> None:
    """As `sbnn benchmark` prints it."""
    baseline, delegate = result["baseline"], result["delegate"]
    print(f"{result['device']}, {result['isa']}, {result['threads']} thread(s)")
    for moment in ("before", "after"):
        state = ", ".join(f"{name} {value:g}" for name, value in result[moment].items())
        print(f"{moment}: {state or 'clock and temperature unknown'}")
    print(f"claimed by the delegate: {result['claimed_nodes']} of {result['total_nodes']} nodes")
    print(f"largest difference: {result['max_abs_diff']:.3g}")
    print(f"{'':22} {'minimum':>12} {'median':>12}")
    for name, times in (("dense, TFLite XNNPACK", baseline), ("sparse, delegate", delegate)):
        print(f"{name:22} {times['min_ms']:9.3f} ms {times['median_ms']:9.3f} ms")
    print(f"{'speed-up':22} {result['speedup_min']:11.2f}x {result['speedup_median']:11.2f}x")


def densified(sparse: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The same model with its zeros stored."""
    from sbnn_tf.convert import densify

    dense = folder / f"{sparse.stem}.dense.tflite"
    dense.write_bytes(densify(sparse.read_bytes()))
    return dense


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="android_benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("sparse", type=pathlib.Path, help="the .tflite file to run in the delegate")
    parser.add_argument(
        "--baseline",
        type=pathlib.Path,
        help="the .tflite file to run in TensorFlow Lite (default: SPARSE, stored densely)",
    )
    parser.add_argument("--threads", type=int, default=1, help="(default: 1)")
    parser.add_argument("--rounds", type=int, default=50, help="turns of each (default: 50)")
    parser.add_argument("--allow-fp16", action="store_true", help="16-bit floats, where possible")
    parser.add_argument(
        "--timeout", type=float, default=600, help="seconds a device (default: 600)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, a list of devices")
    options = parser.parse_args(words)
    for path in (options.sparse, options.baseline):
        if path is not None and not path.is_file():
            raise SystemExit(f"expected a .tflite file, found no {path}")
    arguments = f"--num_threads={options.threads} --rounds={options.rounds}"
    if options.allow_fp16:
        arguments += " --allow_fp16=true"
    results, failed = [], False
    devices = attached()
    with tempfile.TemporaryDirectory() as folder:
        dense = options.baseline or densified(options.sparse, pathlib.Path(folder))
        for device in devices:
            try:
                result = device.benchmark(options.sparse, dense, arguments, options.timeout)
            except DeviceError as error:
                result = {"error": str(error)}
            result["serial"] = device.serial
            results.append(result)
            if "error" in result:
                failed = True
                print(f"{device.serial}: {result['error']}", file=sys.stderr)
            elif not options.json:
                print_table(result)
    if options.json:
        print(json.dumps(results, indent=2))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
