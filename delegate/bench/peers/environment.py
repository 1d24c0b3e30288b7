"""Virtual environments for the other engines: one each, since their requirements conflict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path("build/peers-venv")
# What each engine's worker imports. DeepSparse 1.9 is an empty package.
REQUIREMENTS = {
    "onnxruntime": ("onnxruntime==1.31.1", "onnx==1.23.2"),
    "openvino": ("openvino==2026.4.1",),
    "mnn": ("MNN==3.6.1",),
    "ncnn": ("ncnn==1.0.20261020",),
    "deepsparse": ("deepsparse==1.8.0",),
}


def python_of(name: str, folder: Path = FOLDER) -> Path | None:
    """The Python of an engine's environment, made at the first call; None if it cannot be made.

    Says so when it cannot be, and goes on.
    """
    home = folder.absolute() / name
    python, ready = home / "bin/python", home / "ready"
    requirements = REQUIREMENTS[name]
    if ready.is_file() and ready.read_text().split() == list(requirements):
        return python
    print(f"installing {' '.join(requirements)}", file=sys.stderr, flush=True)
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", *requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            print(f"{name} could not be installed: {reason[-1]}", file=sys.stderr, flush=True)
            return None
    ready.write_text("\n".join(requirements))
    return python
