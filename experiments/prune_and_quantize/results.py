"""What has been found: records of training, of int8 accuracy and of time."""

from __future__ import annotations

from pathlib import Path

from experiments.experiment import SEEDS
from experiments.records import Record

HERE = Path(__file__).parent
TRAINED = Record(HERE / "fashion_mnist.jsonl", ("variant", "seed"))
QUANTIZED = Record(HERE / "fashion_mnist_int8.jsonl", ("variant", "seed"))
TIMED = Record(HERE / "fashion_mnist_latency.jsonl", ("variant", "type"))


def percent(record: Record, variant: str) -> dict[int, float]:
    """Test accuracy of a variant by seed, %."""
    rows = [r for r in record.rows() if r["variant"] == variant and r["seed"] in SEEDS]
    return {row["seed"]: 100 * row["accuracy"] for row in sorted(rows, key=lambda r: r["seed"])}


def timed_as(variant: str) -> str:
    """The variant whose time a variant's is: the channels' order makes no difference."""
    return variant.removesuffix("_plain")


def ratios() -> dict[tuple[str, str], float]:
    """Latency in the fastest engine over that of dense int8 in stock TensorFlow Lite: (variant, type)."""
    return {
        (row["variant"], row["type"]): min(row["delegate_ms"], row["tflite_ms"])
        / row["dense_int8_ms"]
        for row in TIMED.rows()
    }
