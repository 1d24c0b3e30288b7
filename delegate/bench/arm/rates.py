"""Rows of the cost model's table for ARM's cores, from what `make arm-model` recorded.

    python -m delegate.bench.arm.rates > delegate/translation/cost_table_arm.inl.h

Of convolutions, depthwise and fully connected layers the model has predicted both sides. Of what
only moves or maps elements it has neither: both are taken to go as fast as the cache behind the
first delivers, so that they decide nothing, and a change of layout as many times slower than that
as it is measured on AVX2.
"""

from __future__ import annotations

import re
from pathlib import Path

from delegate.bench.arm import cores, plan, report
from delegate.bench.arm.networks import BENCH, NETWORKS, shapes_of
from delegate.bench.fit import KINDS, NEAR_BYTES, braces, fit

ROWS = {"neon": cores.A76, "neon in order": cores.A55}
GROUP = 8  # of which work is counted as it is
MEASURED = Path("delegate/translation/cost_table.inl.h")


def main() -> None:
    layers = {name: plan.read_layers(shapes_of(name)) for name in NETWORKS}
    predictions = report.recorded(BENCH / "recorded/arm_model.jsonl", layers, list(ROWS.values()))
    changes = layout_over_move(MEASURED.read_text())
    print("// python -m delegate.bench.arm.rates")
    for name, core in ROWS.items():
        mine = [p for p in predictions if p.core is core]
        moved = 1e-9 / (core.ghz * core.levels[0].bandwidth)  # seconds a byte
        sides = [braces(rates(mine, moved, GROUP, ours=ours)) for ours in (True, False)]
        print(f'{{"{name}", {changes * moved * 1e12:.4g},\n {sides[0]},\n {sides[1]}}},')


def rates(
    predictions: list[report.Prediction],
    moved: float,
    pattern: int | str,
    *,
    element: int = 4,
    ours: bool,
) -> dict[str, tuple[float, float]]:
    """Seconds a unit of work and a byte, by kind, of predictions for a pattern of zeros.

    element: bytes of an activation.
    """
    rows: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
    for p in predictions:
        sparse = [(zeros, costs) for (group, zeros), costs in p.ours.items() if group == pattern]
        for zeros, costs in sparse if ours else [(0.0, p.dense)]:
            for i, (layer, cost) in enumerate(zip(p.layers, costs, strict=True)):
                # (The first layer stays dense, as do those that are no convolutions.)
                kept = 1.0 - zeros if layer.op == "conv" and i > 0 else 1.0
                seconds = cost.cycles / (p.core.ghz * 1e9)
                rows[kind_of(layer)].append(
                    (kept * layer.products, element * layer.activations, seconds)
                )
    # (The networks have no small matrices: as the large ones.)
    rows["matrix"] = rows["matrix"] or rows["far matrix"]
    return {kind: fit(found) if found else (0.0, moved) for kind, found in rows.items()}


def kind_of(layer: plan.Layer) -> str:
    if layer.op == "dw":
        return "depthwise"
    if layer.out_pixels == 1:
        near = 4 * layer.products <= NEAR_BYTES
        return "matrix" if near else "far matrix"
    return "pointwise" if layer.kernel == 1 else "window"


def layout_over_move(table: str) -> float:
    """Of the row of AVX2: what a byte costs where layouts change over what it costs elsewhere."""
    row = table[table.index('"avx2"') :]
    layout, *here = re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", row[len('"avx2"') :])
    return float(layout) / float(here[2 * len(KINDS) - 1])


if __name__ == "__main__":
    main()
