"""The empirical likelihood estimate and interval with Cressie-Read divergence of power -2.

Among all reweightings u of the log, with mean(u) = 1 and mean(u w) = 1, those with sum((u - 1)^2) close to the least
possible are plausible; the interval is the range of mean(u w r) over them. The log is first extended by one fake row,
with an extreme weight and an extreme reward, for what has not been seen (Karampatziakis, Langford and Mineiro 2020,
"Empirical Likelihood for Contextual Bandits"; their code is the package vw-estimators). A linear objective, two linear
constraints and a ball: the answer is a regression of w r on w.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bandit.ope.evidence import Doubles, Evidence
from bandit.ope.student import critical_value


@dataclass(frozen=True, slots=True)
class _Fit:
    """Of [rows] values on weights: the value where the weight is 1, the residual variance, and `least`, the smallest
    mean of (u - 1)^2 that brings the mean weight to 1."""

    centre: float
    residual: float
    least: float


def cressie_read(
    evidence: Evidence,
    *,
    confidence: float,
    reward_range: tuple[float, float],
    weight_range: tuple[float, float],
) -> tuple[float, float, float]:
    """(value, low, high) of the target policy's mean reward. At least one row.

    The ranges are those of all possible rewards and weights, not of the observed; the interval lies in `reward_range`.
    """
    weights, rewards = evidence.weights, evidence.rewards
    least_weight = min(weight_range[0], float(weights.min()))
    most_weight = max(weight_range[1], float(weights.max()))
    likely = most_weight if weights.mean() < 1 else least_weight  # the fake row that explains the mean weight best
    rows = len(weights)
    radius = critical_value(confidence, rows) ** 2 / (rows + 1)
    bounds = []
    for extreme, sign in ((reward_range[0], 1), (reward_range[1], -1)):
        budget = radius + _fit(weights, sign * rewards, likely, sign * extreme).least
        fits = [_fit(weights, sign * rewards, fake, sign * extreme) for fake in (least_weight, most_weight)]
        worst = min(
            fit.centre - math.sqrt(max(budget - fit.least, 0.0) * fit.residual)
            for fit in fits
            if fit.least <= budget  # otherwise no plausible reweighting has such a row
        )
        bounds.append(min(max(sign * worst, reward_range[0]), reward_range[1]))
    return _value(weights, rewards, likely), bounds[0], bounds[1]


def _fit(weights: Doubles, rewards: Doubles, fake: float, extreme: float) -> _Fit:
    """The log with one more row, of the weight `fake` and the reward `extreme`."""
    rows = len(weights)
    if math.isinf(fake):  # the limit: all weight that is missing goes to the fake row
        values = weights * (rewards - extreme)
        return _Fit(extreme + float(values.mean()), float(values.var()) * rows / (rows + 1), 1 / rows)
    weights, values = np.append(weights, fake), np.append(weights * rewards, fake * extreme)
    spread = float(weights.var())
    if spread == 0:
        return _Fit(extreme, 0.0, math.inf)
    short = 1 - float(weights.mean())
    together = float(np.mean((weights - weights.mean()) * (values - values.mean())))
    residual = max(float(values.var()) - together**2 / spread, 0.0)
    return _Fit(float(values.mean()) + short * together / spread, residual, short**2 / spread)


def _value(weights: Doubles, rewards: Doubles, fake: float) -> float:
    """mean(u w r) at the most plausible u; weight that no row accounts for earns what the log earned on average."""
    rows = len(weights)
    if math.isinf(fake):
        masses = np.full(rows, 1 / rows)
    else:
        extended = np.append(weights, fake)
        slope = (1 - extended.mean()) / extended.var()
        masses = (1 + slope * (weights - extended.mean())) / (rows + 1)
    missing = max(0.0, 1 - float(masses @ weights))
    return float(masses @ (weights * rewards)) + missing * float(rewards.mean())
