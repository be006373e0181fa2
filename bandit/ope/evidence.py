"""What off-policy evaluation stands on: rewards, the probabilities of what was done, and how well they overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One row per logged decision.

    `rewards` [n]; `logged` [n], the probability in (0, 1] with which the logging policy drew what was done; `target`
    [n], the probability in [0, 1] of the same action under the policy that is asked about. From a reward model, both
    or neither: `predicted` [n], its expected reward of what was done, and `expected` [n], its expected reward under the
    target policy (the sum over all actions). `left_out` counts rows that were not used, by reason.
    InvalidInput names the column that breaks this.
    """

    rewards: Doubles
    logged: Doubles
    target: Doubles
    predicted: Doubles | None = None
    expected: Doubles | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("rewards", "logged", "target", "predicted", "expected"):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, _column(name, values, len(self.rewards)))
        if (self.predicted is None) != (self.expected is None):
            raise _invalid("Only one of predicted and expected is given.", "Give both, or neither.")
        _within("logged", self.logged, (self.logged > 0) & (self.logged <= 1), "above 0, at most 1")
        _within("target", self.target, (self.target >= 0) & (self.target <= 1), "0 to 1")
        _within("logged", self.logged, np.isfinite(self.weights), "large enough to divide by")

    @property
    def rows(self) -> int:
        return len(self.rewards)

    @property
    def weights(self) -> Doubles:
        """[n] importance weights target / logged, with mean 1 where the log has support for all the target does."""
        with np.errstate(over="ignore"):  # __post_init__ refuses infinity
            return self.target / self.logged


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of the log speaks of the target policy.

    `effective`: effective sample size (sum w)^2 / sum w^2 (Kish 1965). `rewarded`: the same of w * reward, so about how
    many rewarded rows carry the estimate. `mean_weight` should be 1 within a few `mean_weight_error`s (its standard
    error). `top_share`: share of the total weight in the heaviest 1% of the rows (at least one row). `unsupported`:
    share of the rows that the target would never have produced (target = 0).
    """

    effective: float
    rewarded: float
    mean_weight: float
    mean_weight_error: float
    largest_weight: float
    top_share: float
    unsupported: float


def overlap(evidence: Evidence) -> Overlap:
    """All zeros for no rows."""
    weights, rows = evidence.weights, evidence.rows
    if rows == 0:
        return Overlap(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    total = float(weights.sum())
    heaviest = np.sort(weights)[-max(1, rows // 100) :]
    return Overlap(
        effective=effective_size(weights),
        rewarded=effective_size(np.abs(weights * evidence.rewards)),
        mean_weight=total / rows,
        mean_weight_error=float(weights.std(ddof=1)) / rows**0.5 if rows > 1 else 0.0,
        largest_weight=float(weights.max()),
        top_share=float(heaviest.sum()) / total if total > 0 else 0.0,
        unsupported=float(np.mean(evidence.target == 0)),
    )


def effective_size(weights: Doubles) -> float:
    """(sum w)^2 / sum w^2, from 1 to the number of rows; 0 when no weight is above 0."""
    largest = float(weights.max(initial=0.0))
    if largest <= 0:
        return 0.0
    scaled = weights / largest  # squares neither overflow nor vanish
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def _column(name: str, values: object, rows: int) -> Doubles:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (rows,):
        raise _invalid(f"{name} has the shape {column.shape}; rewards has {rows} rows.", "Give one number per row.")
    _within(name, column, np.isfinite(column), "finite numbers")
    return column


def _within(name: str, column: Doubles, allowed: NDArray[np.bool_], what: str) -> None:
    if not allowed.all():
        row = int(np.argmin(allowed))
        raise _invalid(f"{name}[{row}] is {column[row]}; allowed: {what}.", "Leave such rows out, or correct the log.")


def _invalid(message: str, remedy: str) -> InvalidInput:
    return InvalidInput("bad_evidence", message, remedy)
