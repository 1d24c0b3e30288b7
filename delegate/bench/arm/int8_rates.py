"""Rows of the cost model's table of int8 for ARM's cores, from what `make arm-model` recorded.

    python -m delegate.bench.arm.int8_rates > delegate/translation/cost_table_int8_arm.inl.h

As rates.py for floats. Work counts as blocks of 4 x 4, which go at their full speed.
"""

from __future__ import annotations

from delegate.bench.arm import cores, int8, rates
from delegate.bench.fit import braces

PATTERN = "4x4"
ROWS = {
    "neon": cores.A76,
    "neon in order": cores.A55,
    "neon i8mm": cores.A710,
    "neon without dot": cores.A72,
    "neon in order without dot": cores.A53,
}


def main() -> None:
    predictions = int8.recorded()
    changes = rates.layout_over_move(rates.MEASURED.read_text())
    print("// python -m delegate.bench.arm.int8_rates")
    for name, core in ROWS.items():
        mine = [p for p in predictions if p.core is core]
        moved = 1e-9 / (core.ghz * core.levels[0].bandwidth)  # seconds a byte
        sides = [
            braces(rates.rates(mine, moved, PATTERN, element=1, ours=ours))
            for ours in (True, False)
        ]
        print(f'{{"{name}", {changes * moved * 1e12:.4g},\n {sides[0]},\n {sides[1]}}},')


if __name__ == "__main__":
    main()
