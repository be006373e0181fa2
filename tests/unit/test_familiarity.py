"""How far a context is like those that were learned from, and what the policy does where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from words import query

from bandit.coverage.familiarity import Familiarity, trust
from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.plans import PlanLibrary
from core.types import Features, Plan

LIBRARY = PlanLibrary((Plan("a", {"lexical": 10}), Plan("b", {"vector": 10})), default="a", arms=("lexical", "vector"))
# The vector arm earns more where `new` is 1, says a weight that nothing ever taught.
WEIGHTS = np.array([[0.0, 0.0, 0.0], [0.0, 2.0, -0.5], [0.0, 0.0, 3.0]])


def familiar() -> Familiarity:
    """Two thousand contexts: `size` varies, `new` was 1 at the beginning only."""
    random, seen = np.random.default_rng(1), Familiarity(2)
    for n in range(4_000):
        seen.learn(np.array([random.random(), float(n < 50)]))
    return seen


def test_what_was_seen_often_is_trusted_and_what_was_long_ago_is_not() -> None:
    novelty = familiar().export()
    assert trust(novelty, np.array([0.5, 0.0])) == 1.0
    assert trust(novelty, np.array([0.95, 0.0])) == 1.0
    assert trust(novelty, np.array([0.5, 1.0])) < 0.1


def test_trust_returns_with_the_evidence() -> None:
    seen = familiar()
    before = trust(seen.export(), np.array([0.5, 1.0]))
    for n in range(4_000):
        seen.learn(np.array([0.5, float(n % 5 == 0)]))
    assert trust(seen.export(), np.array([0.5, 1.0])) == 1.0 > before


@pytest.mark.parametrize(("new", "likelier"), [(0.0, "a"), (1.0, "b")])
def test_the_default_plan_answers_where_nothing_is_known(new: float, likelier: str) -> None:
    model = CoverageModel(
        LIBRARY, ("size", "new"), WEIGHTS, np.zeros((2, 3)), np.ones(2), 100.0, 0.0, 0.0, np.zeros((3, 3))
    )
    context = Features(model.names, np.array([0.5, new], dtype=np.float32))

    def drawn(given: CoverageModel) -> str:
        chances = CoveragePolicy(given, seed=1).propensities(query("x"), context)
        return max(chances, key=chances.__getitem__)

    assert drawn(model) == likelier
    assert drawn(replace(model, novelty=familiar().export())) == "a"
