"""The networks that are predicted, and the kernels' commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
NETWORKS = {"MobileNet-v1": "mobilenet_v1", "MobileNet-v2": "mobilenet_v2", "ResNet-50": "resnet50"}


def commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=BENCH, capture_output=True, text=True).stdout.strip()


def shapes_of(network: str) -> Path:
    return BENCH / f"shapes/{NETWORKS[network]}.txt"
