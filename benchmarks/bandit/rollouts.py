"""Rollouts by the hundred in a world of known values: who becomes champion, how soon, and who must not.

    python -m benchmarks.bandit.rollouts

Six plans with known click rates, thousands of clients who differ, the shipped settings, and the real gate, guardrails
and stages. Only clients and searches are drawn in bulk. The candidates: a policy of exactly the same value that prefers
the twin of the default plan (A/A), a better one, the better one misguided, and one that turns bad at the second
stage. `past the gate`: the same without the gate, because few of the bad ones ever pass it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.learning.rollout import PATIENCE
from app.settings import load_settings
from app.wiring.rollout import rules
from bandit.draw import draw
from bandit.misguided import MisguidedPolicy
from bandit.ope import Evidence, assess
from bandit.ope.evidence import effective_size
from bandit.plans import PlanLibrary
from bandit.rollout import Rollout, Rules, advance, judge, offer, promote
from bandit.rollouts.gate import gate, latency
from bandit.rollouts.guardrails import Group, Mean
from bandit.warmup import WarmupPolicy
from core.protocols import Policy
from core.types import Choice, Features, Plan, Query, QueryId

CLICK_RATES = {"all": 0.30, "twin": 0.30, "best": 0.36, "poor": 0.25, "poorer": 0.20, "poorest": 0.15}
LIBRARY = PlanLibrary(
    tuple(Plan(name, {"arm": 10 + depth}) for depth, name in enumerate(CLICK_RATES)), default="all", arms=("arm",)
)
CLIENTS, SPREAD = 8_000, 0.05  # the standard deviation of a client's own click rate
SEARCHES_A_STEP = 4_000
MS = 20.0
NOBODY = Query(QueryId("q"), "lamp", 0.0)
NO_CONTEXT = Features((), np.zeros(0, dtype=np.float32))
RESAMPLES = 200
LEARNED = (0.01, 0.01, 0.02, 0.03, 0.03, 0.9)  # from the poorest plan to the best

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """A policy that is a table of probabilities."""

    version: str
    chances: Mapping[str, float]

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        return self.chances

    def choose(self, query: Query, context: Features) -> Choice:
        return draw(LIBRARY, self.chances, query, seed=1, policy=self.version)


WARMUP = WarmupPolicy(LIBRARY, 1, 0.3)


def equal() -> Policy:
    """The warm-up policy with the default plan and its twin exchanged."""
    chances = dict(WARMUP.propensities(NOBODY, NO_CONTEXT))
    return Table("equal", {**chances, "all": chances["twin"], "twin": chances["all"]})


def better() -> Policy:
    """Knows the order of the plans, so that misguided it prefers the poorest."""
    return Table("better", dict(zip(sorted(CLICK_RATES, key=CLICK_RATES.__getitem__), LEARNED, strict=True)))


def misguided() -> Policy:
    return MisguidedPolicy(LIBRARY, better(), seed=1)


def chances(policy: Policy) -> Doubles:
    found = policy.propensities(NOBODY, NO_CONTEXT)
    return np.array([found[name] for name in CLICK_RATES])


def value(policy: Policy) -> float:
    return float(chances(policy) @ np.array(list(CLICK_RATES.values())))


@dataclass(frozen=True, slots=True)
class Run:
    """How one rollout ended: the last decision, its sentence, and the searches it took after the gate."""

    what: str
    reason: str
    stage: int
    searches: int

    @property
    def promoted(self) -> bool:
        return self.what == "promoted"


def run(policy: Policy, seed: int, wanted: Rules, *, gated: bool = True, bad_from: int = 9) -> Run:
    """One rollout to its end; from stage `bad_from` on the candidate earns what the misguided one does."""
    random = np.random.default_rng(seed)
    rollout = offer(Rollout(), WARMUP.version, policy.version, learned_until=0.0)
    rollout = at_the_gate(rollout, policy, random, wanted) if gated else promote(rollout, wanted, "Forced.", now=0.0)
    traffic, stage, searches = Traffic(random, rollout.share(wanted), wanted), rollout.stage, 0
    while rollout.candidate:
        if rollout.stage != stage:
            stage = rollout.stage
            traffic = Traffic(random, rollout.share(wanted), wanted)
        bad = misguided() if stage >= bad_from else policy
        candidate, champion = traffic.step(value(bad), value(WARMUP))
        searches += SEARCHES_A_STEP
        rollout = advance(rollout, candidate, champion, wanted, now=float(searches))
    last = rollout.decisions[-1]
    return Run(last.what, last.reason, stage, searches)


def at_the_gate(rollout: Rollout, policy: Policy, random: np.random.Generator, wanted: Rules) -> Rollout:
    """Looks at doubling sizes, as the learner's gate does, at one growing log of the warm-up policy."""
    served, most = chances(WARMUP), PATIENCE * wanted.gate_searches
    plans = random.choice(len(served), size=most, p=served)
    rewards = (random.uniform(size=most) < np.array(list(CLICK_RATES.values()))[plans]).astype(float)
    size = wanted.gate_searches
    while rollout.candidate and not rollout.stage:
        found = Evidence(rewards[:size], served[plans[:size]], chances(policy)[plans[:size]])
        took = latency(Evidence(np.full(size, MS), found.logged, found.target))
        report = assess(found, resamples=RESAMPLES, reward_range=(0.0, 1.0))
        verdict = gate(report, took, slow_factor=wanted.limits.slow_factor, last_look=size >= most)
        rollout = judge(rollout, verdict, wanted, now=0.0)
        size = min(2 * size, most)
    return rollout


class Traffic:
    """The searches of one stage, as sums per client."""

    def __init__(self, random: np.random.Generator, share: float, wanted: Rules) -> None:
        self._random = random
        drawn = random.uniform(size=CLIENTS)
        self._is_candidate = drawn < share
        self._is_champion = (drawn >= share) & (drawn < 1 - wanted.control)
        self._taste = random.normal(scale=SPREAD, size=CLIENTS)
        activity = random.exponential(size=CLIENTS)
        self._activity = activity / activity.sum()
        self._counts, self._rewards = np.zeros(CLIENTS), np.zeros(CLIENTS)

    def step(self, candidate: float, champion: float) -> tuple[Group, Group]:
        """Some more searches, at these click rates; the groups since the stage began."""
        counts = self._random.multinomial(SEARCHES_A_STEP, self._activity)
        rates = np.where(self._is_candidate, candidate, champion) + self._taste
        self._counts += counts
        self._rewards += self._random.binomial(counts, np.clip(rates, 0, 1))
        return self._group(self._is_candidate), self._group(self._is_champion)

    def _group(self, members: NDArray[np.bool_]) -> Group:
        active = members & (self._counts > 0)
        reward = clustered(self._rewards[active], self._counts[active])
        nothing = Mean(0.0, 0.0)
        return Group(
            int(self._counts[active].sum()),
            int(active.sum()),
            reward,
            nothing,
            nothing,
            MS,
            effective_size(self._counts[active]),
        )


def clustered(sums: Doubles, counts: Doubles) -> Mean:
    """bandit.assignment.clustered_mean, from each client's sum and count."""
    clients, searches = len(counts), counts.sum()
    mean = sums.sum() / searches if searches else 0.0
    if clients < 2:
        return Mean(float(mean), float("inf"))
    squares = ((sums - mean * counts) ** 2).sum()
    return Mean(float(mean), float(np.sqrt(clients / (clients - 1) * squares)) / float(searches))


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    promoted = [each.searches for each in runs if each.promoted]
    return {
        "runs": len(runs),
        "promoted": len(promoted),
        "searches_to_champion": float(np.median(promoted)) if promoted else None,
        "reached_people": sum(each.searches > 0 for each in runs),
        "dropped_at": {stage: sum(each.stage == stage and not each.promoted for each in runs) for stage in range(4)},
        "example": runs[0].reason,
    }


def rollouts(*, equal_runs: int = 200, other_runs: int = 40) -> dict[str, Any]:
    """`figures` and the `details` of every kind of candidate."""
    wanted = rules(load_settings())

    def repeated(policy: Callable[[], Policy], count: int, *, gated: bool = True, bad_from: int = 9) -> dict[str, Any]:
        found = [run(policy(), seed, wanted, gated=gated, bad_from=bad_from) for seed in range(count)]
        return summary(found)

    details = {
        "equal": repeated(equal, equal_runs),
        "equal, past the gate": repeated(equal, equal_runs, gated=False),
        "misguided": repeated(misguided, other_runs),
        "misguided, past the gate": repeated(misguided, other_runs, gated=False),
        "better": repeated(better, other_runs),
        "bad from the second stage": repeated(better, other_runs, bad_from=2),
    }
    misled = details["misguided"]["promoted"] + details["misguided, past the gate"]["promoted"]
    figures = {
        "rollout.aa_rate": rate(details["equal"]),
        "rollout.aa_rate_past_gate": rate(details["equal, past the gate"]),
        "rollout.misguided_promoted": misled,
        "rollout.better_rate": rate(details["better"]),
        "rollout.better_searches": details["better"]["searches_to_champion"],
        "rollout.turned_bad_promoted": details["bad from the second stage"]["promoted"],
    }
    return {"figures": figures, "details": details}


def rate(found: Mapping[str, Any]) -> float:
    return float(found["promoted"]) / float(found["runs"])


if __name__ == "__main__":
    print(json.dumps(rollouts(), indent=2))
