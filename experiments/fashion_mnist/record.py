"""Put the demo's last results into the repository: `python -m experiments.fashion_mnist.record`.

Copies build/demo/results.json and the picture beside this file and the table into README.md.
"""

from __future__ import annotations

import json
from pathlib import Path

from experiments.fashion_mnist import demo

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
BEGIN = "<!-- demo: written by `python -m experiments.fashion_mnist.record` -->\n"
END = "<!-- end of demo -->\n"


def main() -> None:
    results = json.loads(Path("build/demo/results.json").read_text())
    (HERE / "demo.json").write_text(json.dumps(results, indent=2) + "\n")
    demo.draw(results, HERE / "demo.png")
    head, rest = README.read_text().split(BEGIN)
    README.write_text(head + BEGIN + demo.table(results) + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
