"""Is sparse int8 better than a narrower dense int8? `python -m experiments.prune_and_quantize`.

Steps: `train`, `quantize` (and the accuracy in int8), `time`, `kept` (by blocks), `report`. What is recorded is not done again.
"""

from __future__ import annotations

import argparse
import fnmatch

from experiments.experiment import SEEDS, trained
from experiments.prune_and_quantize import kept, measure, report
from experiments.prune_and_quantize.results import TRAINED
from experiments.prune_and_quantize.variants import NUMBERS, variants

COMMAND = "python -m experiments.prune_and_quantize"


def train(setting, seeds, chosen) -> None:
    """Train what is not recorded yet."""
    done = TRAINED.done()
    for seed in seeds:
        for variant in chosen:
            if (variant.name, seed) in done or seed not in SEEDS[: variant.seeds]:
                continue
            _, row = trained(setting, variant, seed, f"{COMMAND} train --seeds {seed}")
            TRAINED.append(row)
            print(row, flush=True)


def main() -> None:
    steps = {"train": train, "quantize": measure.quantize, "time": measure.time_all}
    steps["kept"] = lambda setting, seeds, chosen: kept.write(setting)
    names = (*steps, "report")
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.split("\n")[0])
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"{', '.join(names)}; default all")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="N")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the networks, by name")
    options = parser.parse_args()
    if unknown := set(options.steps) - set(names):
        parser.error(f"unknown step {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [v for v in variants() if fnmatch.fnmatch(v.name, options.only)]
    wanted = options.steps or names
    setting = None
    for name, step in steps.items():
        if name in wanted:
            from experiments.setting import Setting

            setting = setting or Setting("fashion_mnist", numbers=NUMBERS)
            step(setting, options.seeds, chosen)
    if "report" in wanted:
        report.write()


if __name__ == "__main__":
    main()
