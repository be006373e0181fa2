"""Our off-policy estimates beside vw-estimators, and the Cressie-Read interval beside a general optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import f, t

from bandit.ope.cressie_read import cressie_read
from bandit.ope.evidence import Evidence
from bandit.ope.student import critical_value
from benchmarks.bandit.ope_parity import difference, random_log

CLICKS = (0.0, 1.0)


@pytest.mark.parametrize("largest", [math.inf, 200.0])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("seed", range(8))
def test_estimates_are_those_of_vw_estimators(seed: int, confidence: float, largest: float) -> None:
    assert difference(random_log(seed), confidence, largest) < 1e-6


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 49, 50, 1_000, 1_000_000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_critical_values_are_those_of_scipy(degrees: int, confidence: float) -> None:
    assert critical_value(confidence, degrees) == pytest.approx(t.ppf((1 + confidence) / 2, degrees), rel=1e-6)


@pytest.mark.parametrize("mean_weight", [0.7, 1.4])
@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_what_a_general_optimiser_finds(seed: int, mean_weight: float) -> None:
    random = np.random.default_rng(seed)
    weights = random.uniform(0.5, 1.5, size=12) * mean_weight
    evidence = Evidence(random.uniform(size=12), np.full(12, 0.25), weights / 4)
    _, *bounds = cressie_read(evidence, confidence=0.95, reward_range=CLICKS, weight_range=(0.0, 4.0))
    assert bounds == pytest.approx([slow_bound(evidence, 0.0, 1), slow_bound(evidence, 1.0, -1)], abs=1e-5)


def slow_bound(evidence: Evidence, extreme: float, sign: int) -> float:
    """The least sign * mean(u w r) over reweightings of the log and a fake row, by sequential quadratic programming."""
    rows = evidence.rows
    likely = 4.0 if evidence.weights.mean() < 1 else 0.0
    weights = np.append(evidence.weights, likely)
    least = minimize(lambda u: np.sum((u - 1) ** 2), np.ones(rows + 1), constraints=_means(weights), tol=1e-12).fun
    budget = least + f.isf(0.05, 1, rows)
    found = []
    for fake in (0.0, 4.0):
        weights = np.append(evidence.weights, fake)
        earned = weights * np.append(evidence.rewards, extreme)
        ball = {"type": "ineq", "fun": lambda u: budget - np.sum((u - 1) ** 2)}
        solved = minimize(
            lambda u, earned=earned: sign * np.mean(u * earned),
            np.ones(rows + 1),
            constraints=[*_means(weights), ball],
            tol=1e-10,
            options={"maxiter": 1_000},
        )
        if solved.success:
            found.append(float(solved.fun))
    return min(max(sign * min(found), 0.0), 1.0)


def _means(weights: np.ndarray) -> list[dict[str, object]]:
    return [
        {"type": "eq", "fun": lambda u: np.mean(u) - 1},
        {"type": "eq", "fun": lambda u: np.mean(u * weights) - 1},
    ]


def test_few_clicks_in_many_rows_have_the_interval_of_the_normal_distribution() -> None:
    rewards = np.zeros(300_000)
    rewards[:30] = 1
    half = np.full(len(rewards), 0.5)
    evidence = Evidence(rewards, half, half)
    _, low, high = cressie_read(evidence, confidence=0.95, reward_range=CLICKS, weight_range=(0.0, math.inf))
    margin = 1.96 * rewards.std() / math.sqrt(len(rewards))
    assert (low, high) == pytest.approx((1e-4 - margin, 1e-4 + margin), rel=1e-3)
