"""A policy that is wrong on purpose: whatever lets a new policy through must stop this one."""

from __future__ import annotations

from collections.abc import Mapping

from bandit.draw import draw
from bandit.plans import PlanLibrary
from core.protocols import Policy
from core.types import Choice, Features, Query


class MisguidedPolicy:
    """Another policy's probabilities, handed to its plans in reverse: its best gets the least."""

    def __init__(self, library: PlanLibrary, policy: Policy, *, seed: int) -> None:
        self._library = library
        self._policy = policy
        self._seed = seed
        self.version = f"misguided-{seed}-{policy.version}"

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        guided = self._policy.propensities(query, context)
        order = sorted(guided, key=lambda name: guided[name])
        reversed_chances = sorted(guided.values(), reverse=True)
        swapped = dict(zip(order, reversed_chances, strict=True))
        return {name: swapped[name] for name in guided}

    def choose(self, query: Query, context: Features) -> Choice:
        return draw(self._library, self.propensities(query, context), query, seed=self._seed, policy=self.version)
