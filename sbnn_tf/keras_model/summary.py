"""A table of a model's kernels: what is pruned, and what is left to compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sbnn_tf import patterns
from sbnn_tf.keras_model import kernels, probe
from sbnn_tf.patterns import Block, Group, Pattern

_SIZES = (16, 8, 4, 2, 1)
_HEADER = ("layer", "shape", "pattern", "sparsity", "kept parameters", "multiply-adds")


def summary(
    model: Any,
    pattern: Pattern | str | None = None,
    print_fn: Callable[[str], Any] = print,
) -> None:
    """Prints a table with a line for each kernel of a Keras model.

    The pattern is read off the zeros: the largest group that explains them. Multiply-adds are
    for one input image, of the weights that are not zero; '-' where an output size is not known.
    Below stand the totals, and notes on what was pruned otherwise than one may expect, and on what
    can't be.

    Args:
      model: a built Keras 3 or tf_keras model.
      pattern: what the model was, or will be, pruned with; default the largest pattern found.
      print_fn: takes each line.

    Raises:
      TypeError, ValueError: not a Keras model, never built, or an unknown pattern.
    """
    asked = None if pattern is None else patterns.get(pattern)
    survey = kernels.survey(model)
    found = survey.kernels
    zeros = [kernel.weights() == 0 for kernel in found]
    patterns_found = [find_pattern(z, _fit(asked, k)) for k, z in zip(found, zeros)]
    rows = [_row(k, z, p) for k, z, p in zip(found, zeros, patterns_found)]
    total = ("total", "", "", *_totals(found, zeros))
    for line in _table([_HEADER, *rows, total]):
        print_fn(line)
    for note in [*_notes(found, zeros, patterns_found, asked), *_left_out(survey)]:
        print_fn(f"note: {note}")


def find_pattern(zeros: np.ndarray, asked: Pattern | None = None) -> Pattern | None:
    """The pattern that explains a kernel's zeros: the one asked for, else the largest group.

    Args:
      zeros: boolean, in the shape that patterns see.
      asked: fitted to the kernel.

    Returns:
      None where nothing is zero.
    """
    if not zeros.any():
        return None
    if asked is not None and asked.explains(zeros):
        return asked
    return next(group for group in map(Group, _SIZES) if group.explains(zeros))


def _fit(pattern: Pattern | None, kernel: kernels.Kernel) -> Pattern | None:
    """The pattern as a kernel can have it; None if it can't, or there is none."""
    if pattern is None or kernel.reason or pattern.unfit(kernel.operator, kernel.view):
        return None
    return kernel.fitted(pattern)


def _row(kernel: kernels.Kernel, zeros: np.ndarray, pattern: Pattern | None) -> tuple[str, ...]:
    kept, positions = int(np.count_nonzero(~zeros)), kernel.positions()
    return (
        kernel.name,
        "x".join(map(str, kernel.shape)),
        pattern.name if pattern else "-",
        f"{zeros.mean():.1%}",
        f"{kept:,} of {zeros.size:,}",
        "-" if positions is None else f"{kept * positions:,} of {zeros.size * positions:,}",
    )


def _totals(found: list[kernels.Kernel], zeros: list[np.ndarray]) -> tuple[str, str, str]:
    size = sum(z.size for z in zeros)
    kept = sum(int(np.count_nonzero(~z)) for z in zeros)
    known = [(k.positions(), z) for k, z in zip(found, zeros) if k.positions() is not None]
    adds = sum(positions * int(np.count_nonzero(~z)) for positions, z in known)
    dense = sum(positions * z.size for positions, z in known)
    return (
        f"{1 - kept / size:.1%}" if size else "-",
        f"{kept:,} of {size:,}",
        f"{adds:,} of {dense:,}" if len(known) == len(found) else "-",
    )


def _notes(
    found: list[kernels.Kernel],
    zeros: list[np.ndarray],
    patterns_found: list[Pattern | None],
    asked: Pattern | None,
) -> list[str]:
    if asked is None:  # then what the model was pruned with is the largest pattern in it
        asked = max((p for p in patterns_found if p), key=lambda p: p.size, default=None)
        looked_at = [z.any() for z in zeros]
    else:
        looked_at = [True] * len(found)
    notes = []
    fitting = [(k, z, _fit(asked, k), look) for k, z, look in zip(found, zeros, looked_at)]
    for kernel, z, fitted, look in fitting:
        if fitted is None or not look:
            continue
        if fitted.name != asked.name and isinstance(asked, (Group, Block)):
            notes.append(
                f"{kernel.name}: {asked.name} does not divide {kernel.view[-1]} output channels, "
                f"so {fitted.name} is used."
            )
        if z.any() and not fitted.explains(z):
            notes.append(f"{kernel.name}: the zeros do not form {fitted.name}.")
    able = [kernel for kernel in found if not kernel.reason]
    if unknown := [kernel.name for kernel in able if not kernel.leaf.wired]:
        notes.append(
            "importance without batch norm, since the wiring of a subclassed model or layer is "
            f"not known: {', '.join(unknown)}."
        )
    if missing := [kernel.name for kernel in found if kernel.positions() is None]:
        notes.append(f"multiply-adds not known, no fixed output size: {', '.join(missing)}.")
    return notes


def _left_out(survey: kernels.Survey) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for kernel in survey.kernels:
        if kernel.reason:
            reasons.setdefault(kernel.reason, []).append(kernel.name)
    for other in survey.others:
        reasons.setdefault(other.reason, []).append(other.leaf.path)
    notes = [
        f"cannot be pruned, {reason}: {', '.join(names)}." for reason, names in reasons.items()
    ]
    able = [kernel for kernel in survey.kernels if not kernel.reason]
    if remade := [kernel.name for kernel in able if not probe.keeps_zeros(kernel)]:
        notes.append(
            "zeros do not stay zeros, since the layer makes another kernel of its own (weight "
            f"standardization?): {', '.join(remade)}."
        )
    if survey.unbuilt:
        notes.append(f"not built yet, so without weights: {', '.join(survey.unbuilt)}.")
    return notes


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if i < 3 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    rule = "-" * max(map(len, lines))
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]
