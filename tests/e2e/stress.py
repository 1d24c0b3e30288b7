"""Many interpreters, few threads, changing shapes: does anything differ, or leak?

    make stress                         16 interpreters on 4 threads, 10 minutes
    python -m tests.e2e.stress --minutes 1

Each thread takes turns with its interpreters: another batch and image size, or a new interpreter in
the place of an old one, then a run that is compared with what stock TensorFlow Lite gave for the same
input. Interpreters of a file share its packed weights; half of them use a common `cache_path`.
Prints a report; exit code 1 if anything differs or memory grows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

SHAPES = (
    (1, 96, 96, 3),
    (2, 96, 96, 3),
    (1, 64, 96, 3),
    (3, 33, 65, 3),
    (0, 96, 96, 3),
    (1, 128, 128, 3),
)
TOLERANCE = 1e-4  # of the largest output
GROWTH = 32e6  # bytes, of the resident memory after the first fifth: what the heap may take on


def networks() -> list[bytes]:
    """Small live networks with the operators of large ones, dense and sparse."""
    import sbnn_tf as sbnn
    from tests.python.models import live_model

    dense = [
        sbnn.convert(live_model(name, (96, 96, 3), classes=10, **options))
        for name, options in (("MobileNet", {"alpha": 0.25}), ("MobileNetV2", {"alpha": 0.35}))
    ]
    return dense + [sbnn.convert(model, prune=0.6) for model in dense]


def resident_bytes() -> int:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Worker(threading.Thread):
    """One thread with its share of the interpreters."""

    def __init__(self, seed: int, share: int, cases: list, folder: Path, end: float):
        super().__init__()
        self._rng = np.random.default_rng(seed)
        self._share, self._cases, self._folder, self._end = share, cases, folder, end
        self.runs = self.made = 0
        self.worst = 0.0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            interpreters = [self._new() for _ in range(self._share)]
            while time.monotonic() < self._end:
                i = int(self._rng.integers(self._share))
                if self._rng.random() < 0.02:
                    interpreters[i] = self._new()
                self._check(*interpreters[i])
        except Exception as error:  # reported by the main thread
            self.error = error

    def _new(self) -> tuple:
        import sbnn_tf as sbnn
        from sbnn_tf.run import runtime

        which = int(self._rng.integers(len(self._cases)))
        options = {"num_threads": int(self._rng.integers(1, 4)), "claim": "all"}
        if self._rng.random() < 0.5:
            options["cache_path"] = self._folder / f"packed{which}"
        self.made += 1
        made = runtime.interpreter(self._cases[which][0], delegate=sbnn.load_delegate(**options))
        return made, self._cases[which][1]

    def _check(self, made, wanted: dict) -> None:
        from sbnn_tf.run import runtime

        shape = SHAPES[int(self._rng.integers(len(SHAPES)))]
        made.resize_tensor_input(made.get_input_details()[0]["index"], shape)
        made.allocate_tensors()
        for _ in range(int(self._rng.integers(1, 4))):
            x, want = wanted[shape]
            (found,) = runtime.run(made, [x])
            self.runs += 1
            if found.shape != want.shape:
                raise AssertionError(f"{found.shape} instead of {want.shape}")
            if want.size:
                difference = np.abs(found - want).max() / np.abs(want).max()
                self.worst = max(self.worst, float(difference))
                if not difference <= TOLERANCE:
                    raise AssertionError(f"a difference of {difference:.3g} at {shape}")


def stock_outputs(model: bytes) -> dict:
    """shape -> (input, output of stock TensorFlow Lite)."""
    from sbnn_tf.run import runtime

    found = {}
    for seed, shape in enumerate(SHAPES):
        x = np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)
        # XNNPACK refuses an empty batch in some networks.
        made = runtime.interpreter(model, xnnpack=shape[0] > 0)
        made.resize_tensor_input(made.get_input_details()[0]["index"], shape)
        made.allocate_tensors()
        found[shape] = (x, runtime.run(made, [x])[0])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--interpreters", type=int, default=16)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()

    cases = [(model, stock_outputs(model)) for model in networks()]
    start = time.monotonic()
    end = start + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        workers = [
            Worker(seed, options.interpreters // options.threads, cases, Path(folder), end)
            for seed in range(options.threads)
        ]
        for worker in workers:
            worker.start()
        memory = []
        while any(worker.is_alive() for worker in workers):
            time.sleep(min(2.0, 12 * options.minutes))
            memory.append(resident_bytes())
    warm, last = (
        max(part) for part in (memory[: len(memory) // 5 + 1], memory[-len(memory) // 5 :])
    )
    errors = [worker.error for worker in workers if worker.error]
    print(
        f"{options.interpreters} interpreters on {options.threads} threads, "
        f"{(time.monotonic() - start) / 60:.1f} minutes: {sum(w.runs for w in workers)} runs, "
        f"{sum(w.made for w in workers)} interpreters made, largest difference "
        f"{max(w.worst for w in workers):.2g} of the largest output, resident memory at most "
        f"{warm / 1e6:.0f} MB in the first fifth and {last / 1e6:.0f} MB in the last"
    )
    for error in errors:
        print(f"FAILED: {error!r}")
    if last > warm + GROWTH:
        print("FAILED: memory grows")
    return 1 if errors or last > warm + GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
