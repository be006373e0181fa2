"""How everything is drawn: a pure function of the seed, an id and the probabilities."""

from __future__ import annotations

from collections.abc import Mapping

from bandit.plans import PlanLibrary
from core.seeds import uniform
from core.types import Choice, Query


def draw(library: PlanLibrary, propensities: Mapping[str, float], query: Query, *, seed: int, policy: str) -> Choice:
    """The plan whose share of [0, 1), in library order, holds the query's number."""
    shares = {plan.name: propensities[plan.name] for plan in library.plans}
    name = holder(shares, uniform(seed, "plan", query.id))
    return Choice(library.plan(name), propensities[name], policy)


def holder(shares: Mapping[str, float], number: float) -> str:
    """The name whose share of [0, 1), in the order of `shares`, holds the number; never one with a share of 0."""
    reached = 0.0
    possible = [name for name, share in shares.items() if share > 0]
    for name in possible:
        reached += shares[name]
        if number < reached:
            break
    # Falls through to the last name when the sum ends a rounding error below 1.
    return name
