"""How every policy draws: a pure function of the seed, the query's id and the probabilities."""

from __future__ import annotations

from collections.abc import Mapping

from bandit.plans import PlanLibrary
from core.seeds import uniform
from core.types import Choice, Query


def draw(library: PlanLibrary, propensities: Mapping[str, float], query: Query, *, seed: int, policy: str) -> Choice:
    """The plan whose share of [0, 1), in library order, holds the query's number."""
    number = uniform(seed, "plan", query.id)
    reached = 0.0
    possible = [plan for plan in library.plans if propensities[plan.name] > 0]
    for plan in possible:
        reached += propensities[plan.name]
        if number < reached:
            break
    # Falls through to the last plan when the sum ends a rounding error below 1.
    return Choice(plan, propensities[plan.name], policy)
