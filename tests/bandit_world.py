"""A toy world whose right answer is obvious: lexical knows numbers, vector long questions, memory all the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from builders import episode
from words import query

from bandit.context import context_features
from bandit.plans import PlanLibrary
from core.episodes import Episode
from core.protocols import Policy
from core.types import ArmReport, ArmStatus, Choice, Features, Plan, Query

ARMS = ("lexical", "memory", "vector")
DEEP, SHORT = 60, 20
LIBRARY = PlanLibrary(
    (
        Plan("all", dict.fromkeys(ARMS, DEEP)),
        Plan("all-short", dict.fromkeys(ARMS, SHORT)),
        Plan("lexical-memory", {"lexical": DEEP, "memory": DEEP}),
        Plan("lexical-vector", {"lexical": DEEP, "vector": DEEP}),
        *(Plan(arm, {arm: DEEP}) for arm in ARMS),
        *(Plan(f"{arm}-short", {arm: SHORT}) for arm in ARMS),
    ),
    default="all",
    arms=ARMS,
)
COST_PER_MS = 0.01
CLICKED_WHEN_FOUND = 0.7
FOUND_BY_CHANCE = 0.05
BASE_MS, MS_PER_CANDIDATE = 2.0, 0.1


@dataclass(frozen=True)
class Search:
    """A query, the one arm that answers it, and what the policy sees."""

    query: Query
    knows: str
    context: Features


def search(number: int, random: np.random.Generator) -> Search:
    knows = ARMS[random.integers(3)]
    words = random.choice(["lamp", "chair", "table", "green", "oak"], size=7 if knows == "vector" else 2)
    text = " ".join(words) + (f" {random.integers(1000)}" if knows == "lexical" else "")
    asked = query(text, f"q{number}")
    signals = {arm: {"noise": float(random.uniform())} for arm in ARMS}
    return Search(asked, knows, context_features(asked, signals))


def milliseconds(plan: Plan) -> float:
    return sum(BASE_MS + MS_PER_CANDIDATE * depth for depth in plan.depths.values())


def value(plan: Plan, knows: str) -> float:
    """Expected reward minus cost: the wanted item is at a rank from 1 to DEEP, every one as likely."""
    missed = 1.0
    for arm, depth in plan.depths.items():
        missed *= 1 - (1.0 if arm == knows else FOUND_BY_CHANCE) * depth / DEEP
    return CLICKED_WHEN_FOUND * (1 - missed) - COST_PER_MS * milliseconds(plan)


def policy_value(policy: Policy, searches: list[Search]) -> float:
    """The exact expectation over the policy's draws, exploration included."""
    total = 0.0
    for each in searches:
        chances = policy.propensities(each.query, each.context)
        total += sum(chances[plan.name] * value(plan, each.knows) for plan in LIBRARY.plans)
    return total / len(searches)


def best_fixed(searches: list[Search]) -> float:
    return max(float(np.mean([value(plan, each.knows) for each in searches])) for plan in LIBRARY.plans)


def oracle(searches: list[Search]) -> float:
    return float(np.mean([max(value(plan, each.knows) for plan in LIBRARY.plans) for each in searches]))


def visit(policy: Policy, asked: Search, random: np.random.Generator) -> Episode:
    """One search as the log would tell it: the wanted item first of three, if it was found, clicked or not."""
    choice: Choice = policy.choose(asked.query, asked.context)
    depths = choice.plan.depths
    truth = {
        arm: int(random.integers(1, DEEP + 1)) * (arm == asked.knows or random.uniform() < FOUND_BY_CHANCE)
        for arm in ARMS
    }
    wanted = {arm: truth[arm] if truth[arm] <= depth else 0 for arm, depth in depths.items()}
    clicked = any(wanted.values()) and random.uniform() < CLICKED_WHEN_FOUND
    told = episode(
        query_id=asked.query.id,
        gains=(float(clicked), 0.0, 0.0),
        shown=("wanted", "other", "another"),
        context=dict(zip(asked.context.names, asked.context.values.tolist(), strict=True)),
        ranks={arm: (rank, 1, 2) for arm, rank in wanted.items()},
        arms={
            arm: ArmReport(
                ArmStatus.OK, depth, depth, (BASE_MS + MS_PER_CANDIDATE * depth) * float(random.lognormal(sigma=0.3))
            )
            for arm, depth in depths.items()
        },
    )
    return replace(told, impression=replace(told.impression, choice=choice, ranker="one that knows"))
