"""Counts that can be added up: mean with interval of plain figures, and of figures weighted by importance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_Z = 1.96
_LEAST = 2


@dataclass(slots=True)
class Sum:
    """Of independent figures. The interval is the normal one of 95 %, absent below two figures."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.squares += value * value

    def merge(self, other: Sum) -> None:
        self.count += other.count
        self.total += other.total
        self.squares += other.squares

    def to_json(self) -> dict[str, Any]:
        """`count`, and what is known of `mean`, `low` and `high`."""
        if not self.count:
            return {"count": 0}
        mean = self.total / self.count
        if self.count < _LEAST:
            return {"count": self.count, "mean": mean}
        variance = max(0.0, self.squares / self.count - mean * mean) * self.count / (self.count - 1)
        error = _Z * math.sqrt(variance / self.count)
        return {"count": self.count, "mean": mean, "low": mean - error, "high": mean + error}


@dataclass(slots=True)
class Weighted:
    """Self-normalised importance sampling (SNIPS, Swaminathan & Joachims 2015) of what one plan earns for everybody.

    Weights are 1 / propensity over the searches that drew the plan. The interval is the delta method's, of 95 %.
    """

    weights: float = 0.0
    squares: float = 0.0
    earned: float = 0.0
    square_earned: float = 0.0
    square_squares: float = 0.0

    def add(self, reward: float, propensity: float) -> None:
        weight = 1 / propensity
        self.weights += weight
        self.squares += weight**2
        self.earned += weight * reward
        self.square_earned += weight**2 * reward
        self.square_squares += (weight * reward) ** 2

    def merge(self, other: Weighted) -> None:
        self.weights += other.weights
        self.squares += other.squares
        self.earned += other.earned
        self.square_earned += other.square_earned
        self.square_squares += other.square_squares

    @property
    def effective(self) -> float:
        """Effective sample size (Kish 1965)."""
        return self.weights**2 / self.squares if self.squares else 0.0

    @property
    def value(self) -> float:
        """NaN without a search."""
        return self.earned / self.weights if self.weights else math.nan

    @property
    def variance(self) -> float:
        """Of `value`."""
        spread = self.square_squares - 2 * self.value * self.square_earned + self.value**2 * self.squares
        return max(0.0, spread) / self.weights**2


@dataclass(slots=True)
class Pooled:
    """Estimates of the same from several loggers, each weighted by its effective sample size (cf. Agarwal et al. 2017,
    Effective evaluation using logged bandit feedback from multiple loggers)."""

    effective: float = 0.0
    values: float = 0.0
    variances: float = 0.0

    def add(self, found: Weighted) -> None:
        effective = found.effective
        self.effective += effective
        self.values += effective * found.value
        self.variances += effective**2 * found.variance

    def merge(self, other: Pooled) -> None:
        self.effective += other.effective
        self.values += other.values
        self.variances += other.variances

    @property
    def value(self) -> float:
        """NaN without an estimate."""
        return self.values / self.effective if self.effective else math.nan

    def to_json(self) -> dict[str, Any]:
        if not self.effective:
            return {"effective": 0.0}
        error = _Z * math.sqrt(self.variances) / self.effective
        low, high = max(-1.0, self.value - error), min(1.0, self.value + error)  # rewards are in -1..1
        return {"effective": self.effective, "mean": self.value, "low": low, "high": high}
