"""Whether the learned policy draws as it says: frequencies against propensities, replay elsewhere, and how fast.

`python -m benchmarks.bandit.exactness` prints the figures `exact.chi2_p`, `exact.propensity_chi2_p`,
`exact.replayed_otherwise` and `choose.p50_ms`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandit.coverage.learner import CoverageLearner
from bandit.coverage.policy import CoveragePolicy
from bandit.terms import Terms
from bandit.warmup import WarmupPolicy
from benchmarks.bandit.choice_speed import choice_speed
from benchmarks.bandit.replay import replayed_otherwise
from benchmarks.bandit.worlds import COST_PER_MS, World, library
from core.protocols import Policy
from core.types import Features, Query

Doubles = NDArray[np.float64]
Asked = tuple[Query, Features]
_GAMMA = 30.0  # so that there are propensities of every size
_REPLAYED = 10_000
_NO_VARIANCE = 1e-9  # of the largest


@dataclass(frozen=True, slots=True)
class Decisions:
    """[decisions, plans] what the policy said the chances were, and [decisions] the plan that it drew."""

    chances: Doubles
    drawn: NDArray[np.int64]

    @classmethod
    def of(cls, policy: Policy, asked: Sequence[Asked]) -> Decisions:
        """ValueError when a choice carries another propensity than the policy states for that plan."""
        chances, drawn = [], []
        for query, context in asked:
            stated, choice = policy.propensities(query, context), policy.choose(query, context)
            if choice.propensity != stated[choice.plan.name]:
                raise ValueError(f"{choice} was drawn with another propensity than {stated[choice.plan.name]}")
            chances.append(list(stated.values()))
            drawn.append(list(stated).index(choice.plan.name))
        return cls(np.array(chances), np.array(drawn))

    def by_plan(self) -> Calibration:
        """Each plan is a group."""
        return Calibration.of(self.chances, self.drawn)

    def by_propensity(self, groups: int = 10) -> Calibration:
        """All (decision, plan) pairs in groups of about equal size and rising propensity: was what was said to happen
        once in a hundred times drawn once in a hundred times?"""
        edges = np.unique(np.quantile(self.chances, np.arange(1, groups) / groups))
        group = np.searchsorted(edges, self.chances, side="right")
        chances = np.stack([np.where(group == n, self.chances, 0).sum(axis=1) for n in range(len(edges) + 1)], axis=1)
        return Calibration.of(chances, group[np.arange(len(group)), self.drawn])


@dataclass(frozen=True, slots=True)
class Calibration:
    """[groups] how many draws were expected and seen, and how likely a difference as great is for an exact policy."""

    expected: Doubles
    observed: Doubles
    p_value: float

    @classmethod
    def of(cls, chances: Doubles, drawn: NDArray[np.int64]) -> Calibration:
        """From `chances` [decisions, groups], whose rows sum to 1, and the group [decisions] that was drawn.

        The chances differ from decision to decision, so Pearson's statistic would be too small. The sum of one-hot
        draws has the covariance V = sum(diag(p) - p p'), and d' V^+ d for d = observed - expected is chi-square with
        as many degrees of freedom as V has rank. That is for large samples: some ten expected draws in every group.
        """
        expected = chances.sum(axis=0)
        observed = np.bincount(drawn, minlength=chances.shape[1]).astype(np.float64)
        covariance = np.diag(expected) - chances.T @ chances
        values, directions = np.linalg.eigh(covariance)
        free = values > _NO_VARIANCE * values.max()  # at least one direction is not: the groups sum to 1
        statistic = float((((observed - expected) @ directions)[free] ** 2 / values[free]).sum())
        return cls(expected, observed, chi2_survival(statistic, int(free.sum())))


def chi2_survival(statistic: float, degrees: int) -> float:
    """P(chi-square with so many degrees of freedom > statistic), by Q(a + 1, z) = Q(a, z) + z^a e^-z / Gamma(a + 1)
    (Abramowitz and Stegun 6.5.21)."""
    z = statistic / 2
    if z <= 0:
        return 1.0
    a, found = (0.5, math.erfc(math.sqrt(z))) if degrees % 2 else (1.0, math.exp(-z))
    while a < degrees / 2:
        found += math.exp(a * math.log(z) - z - math.lgamma(a + 1))
        a += 1
    return found


def varied(world: World, seed: int) -> list[Asked]:
    """All searches of the world, whose queries have had none to very many clicks."""
    clicks = np.random.default_rng(seed).geometric(0.1, size=len(world)) - 1
    return [(world.query(search), world.context(search, int(clicks[search]))) for search in range(len(world))]


def trained(world: World, searches: int, seed: int) -> bytes:
    """A coverage model that has learned from so many searches under the warm-up policy."""
    policy = WarmupPolicy(world.plans, seed, 0.5)
    learner = CoverageLearner(world.plans, seed, Terms(1, COST_PER_MS, _GAMMA, 0.02))
    clicks = np.random.default_rng(seed).geometric(0.1, size=searches) - 1
    rows = [(n, int(clicks[n]), world.query(n), world.context(n, int(clicks[n]))) for n in range(searches)]
    learner.learn([world.visit(n, had, policy.choose(query, seen)) for n, had, query, seen in rows])
    model = learner.snapshot()
    learner.close()
    if model is None:
        raise ValueError(f"{searches} searches are too few to learn from")
    return model


def exactness(decisions: int = 100_000, seed: int = 1) -> dict[str, Any]:
    """`figures`, and how often each tenth of the propensities was `expected` to be drawn and `observed`."""
    world = World.draw(decisions, seed, library())
    model, asked = trained(world, 3_000, seed), varied(world, seed)
    drawn = Decisions.of(CoveragePolicy.load(model, seed=seed), asked)
    plans, propensities = drawn.by_plan(), drawn.by_propensity()
    figures = {
        "exact.chi2_p": plans.p_value,
        "exact.propensity_chi2_p": propensities.p_value,
        "exact.replayed_otherwise": replayed_otherwise(model, asked[:_REPLAYED], seed=seed),
        "choose.p50_ms": choice_speed()["p50_ms"],
    }
    return {
        "figures": figures,
        "decisions": decisions,
        "expected": propensities.expected.round(1).tolist(),
        "observed": propensities.observed.tolist(),
    }


if __name__ == "__main__":
    print(json.dumps(exactness(), indent=1))
