"""Means over seeds, with their 95 % intervals."""

from __future__ import annotations

import math
import statistics

T_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # Student's t for 95 %, by number of seeds


def mean_and_half_width(values: list[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval (Student's t); NaN for one value."""
    if len(values) < 2:
        return statistics.mean(values), math.nan
    spread = statistics.stdev(values) / math.sqrt(len(values))
    return statistics.mean(values), T_95[len(values)] * spread
