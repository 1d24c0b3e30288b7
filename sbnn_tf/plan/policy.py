"""Which layer is pruned, with which pattern, and how far."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

from sbnn_tf import patterns
from sbnn_tf.keras_model import kernels, wiring
from sbnn_tf.patterns import Pattern, check_sparsity


@dataclasses.dataclass(frozen=True)
class Choice:
    """One kernel to prune: its pattern (fitted to its shape), and its own final sparsity if any."""

    kernel: kernels.Kernel
    pattern: Pattern
    sparsity: float | None


class Policy:
    """Names what is pruned, with which sparsity and which pattern.

    Layers are named as in `model.summary()`, or by a glob ("conv_pw_*"); one that is nested in a
    model or layer also by its path ("backbone/conv1"). The name of a model or layer stands for all
    that is nested in it. Where several layers beside each other have one name, it stands for all of
    them, and each is also numbered: "tower#1/conv1", "tower#2".

    The first and the last layer that multiply with a kernel (in a graph with several inputs or
    outputs: all of them) stay dense, unless `include` or `sparsity` names them, or a layer that
    they are inside of, without a wildcard, or `first_and_last` is true.

    Args:
      include: names or globs of the layers to prune; default all that their pattern fits. Groups
        fit dense layers (EinsumDense too, and so the projections of an attention) and convolutions
        of any window, transposed ones too, and no depthwise ones.
      exclude: names or globs of the layers to leave dense.
      sparsity: final sparsity by name or glob, in [0, 1); the first match counts. The layer follows
        the course of the schedule, stretched to this end. Other layers follow the schedule itself.
      pattern: pattern by name or glob, the first match counts. Other layers get the callback's.
      first_and_last: whether to prune the first and the last layer too.

    Raises:
      ValueError: a sparsity outside [0, 1), or an unknown pattern.
    """

    def __init__(
        self,
        include: str | Iterable[str] = "*",
        exclude: str | Iterable[str] = (),
        sparsity: Mapping[str, float] | None = None,
        pattern: Mapping[str, Pattern | str] | None = None,
        first_and_last: bool = False,
    ):
        self.include = _names(include, "include")
        self.exclude = _names(exclude, "exclude")
        self.sparsity = {
            name: check_sparsity(value, f"sparsity of '{name}'")
            for name, value in (sparsity or {}).items()
        }
        self.pattern = {name: patterns.get(value) for name, value in (pattern or {}).items()}
        self.first_and_last = first_and_last

    def choose(self, model: Any, pattern: Pattern) -> list[Choice]:
        """What to prune in a model.

        Args:
          model: a built Keras model.
          pattern: for the kernels that the policy has no pattern for.

        Returns:
          A non-empty list in the order of computation.

        Raises:
          ValueError: the model was never built, a name or glob matches no layer, or only layers
            that the pattern does not fit, or nothing is left to prune.
        """
        survey = kernels.survey(model)
        found = [(kernel, _lookup(self.pattern, kernel.leaf, pattern)) for kernel in survey.kernels]
        able = [(kernel, p) for kernel, p in found if not _unfit(kernel, p)]
        unable = [(kernel.leaf, _unfit(kernel, p)) for kernel, p in found if _unfit(kernel, p)]
        unable += [(other.leaf, other.reason) for other in survey.others]
        self._check_names([kernel for kernel, _ in able], unable)
        chosen = [(kernel, p) for kernel, p in able if self._wants(kernel)]
        if not chosen:
            raise ValueError(
                f"Nothing to prune in '{model.name}'. {_listing([k for k, _ in able])} The first "
                "and the last layer are pruned only if Policy(include=[...]) names them in full or "
                "Policy(first_and_last=True)."
            )
        return [
            Choice(kernel, kernel.fitted(p), _lookup(self.sparsity, kernel.leaf, None))
            for kernel, p in chosen
        ]

    def _wants(self, kernel: kernels.Kernel) -> bool:
        leaf = kernel.leaf
        if not _matches(self.include, leaf) or _matches(self.exclude, leaf):
            return False
        if _lookup(self.sparsity, leaf, None) == 0.0:
            return False
        if self.first_and_last or not (leaf.is_first() or leaf.is_last()):
            return True
        return not leaf.own_names().isdisjoint((*self.include, *self.sparsity))

    def _check_names(
        self, able: list[kernels.Kernel], unable: list[tuple[wiring.Leaf, str]]
    ) -> None:
        for name in (*self.include, *self.exclude, *self.sparsity, *self.pattern):
            if name == "*" or any(_matches((name,), kernel.leaf) for kernel in able):
                continue
            reasons = {reason for leaf, reason in unable if _matches((name,), leaf)}
            if not reasons:
                raise ValueError(f"No layer matches '{name}'. {_listing(able)}")
            if name not in self.exclude:  # or it is dense anyway
                raise ValueError(f"'{name}' can't be pruned: {'; '.join(sorted(reasons))}.")


def _unfit(kernel: kernels.Kernel, pattern: Pattern) -> str:
    """Why a kernel can't have a pattern; empty if it can."""
    if kernel.reason:
        return kernel.reason
    reason = pattern.unfit(kernel.operator, kernel.view)
    if not reason:
        return ""
    shape = "x".join(map(str, kernel.shape))
    fitting = ", ".join(patterns.fitting(kernel.operator, kernel.view))
    return (
        f"{pattern.name} does not fit '{kernel.name}' ({kernel.operator}, {shape}): {reason}; "
        f"patterns that fit: {fitting or 'none'}"
    )


def _names(value: str | Iterable[str], argument: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"Policy({argument}=...) takes layer names or globs, not {value!r}.")
    return names


def _matches(names: Iterable[str], leaf: wiring.Leaf) -> bool:
    own = leaf.names()
    return any(
        name in own or any(fnmatch.fnmatchcase(each, name) for each in own) for name in names
    )


def _lookup(table: Mapping[str, Any], leaf: wiring.Leaf, default: Any) -> Any:
    return next((v for name, v in table.items() if _matches((name,), leaf)), default)


def _listing(able: list[kernels.Kernel]) -> str:
    if not able:
        return "It has no layer that can be pruned with this pattern."
    marks = [
        kernel.leaf.path
        + (" (first)" if kernel.leaf.is_first() else "")
        + (" (last)" if kernel.leaf.is_last() else "")
        for kernel in able
    ]
    return f"Layers that can be pruned: {', '.join(marks)}."
