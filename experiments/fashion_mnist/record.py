"""Put the demo's last results into the repository: `python -m experiments.fashion_mnist.record`.

Copies build/demo/results.json and the picture beside this file and the table into README.md.
"""

from __future__ import annotations

import json
from pathlib import Path

from experiments.fashion_mnist import demo
from experiments.records import marks, replace

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
BEGIN, END = marks("demo", "`python -m experiments.fashion_mnist.record`")


def main() -> None:
    results = json.loads(Path("build/demo/results.json").read_text())
    (HERE / "demo.json").write_text(json.dumps(results, indent=2) + "\n")
    demo.draw(results, HERE / "demo.png")
    replace(README, BEGIN, END, demo.table(results))


if __name__ == "__main__":
    main()
