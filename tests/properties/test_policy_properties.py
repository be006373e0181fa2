"""Laws of every policy: a distribution whatever the context, and a union that grows with depth and arms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from words import query

from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.coverage.union import United
from bandit.misguided import MisguidedPolicy
from bandit.plans import PlanLibrary
from core.types import Features, Plan

LIBRARY = PlanLibrary(
    (
        Plan("a10", {"a": 10}),
        Plan("a50", {"a": 50}),
        Plan("a90", {"a": 90}),
        Plan("a50b20", {"a": 50, "b": 20}),
        Plan("a90b20", {"a": 90, "b": 20}),
        Plan("a90b70", {"a": 90, "b": 70}),
    ),
    default="a10",
    arms=("a", "b"),
)
NAMES = ("x", "y", "z")
# Every pair of which the second asks all that the first asks, and more.
GROWING = [("a10", "a50"), ("a50", "a90"), ("a50", "a50b20"), ("a50b20", "a90b20"), ("a90b20", "a90b70")]

contexts = arrays(np.float32, len(NAMES), elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
shares = st.floats(0, 1)


@st.composite
def models(draw: st.DrawFn) -> CoverageModel:
    heads = len(LIBRARY.heads)
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    return CoverageModel(
        library=LIBRARY,
        names=NAMES,
        weights=random.normal(scale=draw(st.sampled_from([0.1, 1.0, 10.0])), size=(heads + 1, len(NAMES) + 1)),
        head_ms=random.exponential(size=heads),
        corrections=random.normal(size=(len(LIBRARY.plans), len(NAMES) + 1)),
        gamma=draw(st.floats(0, 1e9)),
        floor=draw(shares),
        cost_per_ms=draw(st.floats(0, 10)),
        novelty=np.eye(len(NAMES) + 1) * draw(st.sampled_from([0.0, 0.1, 10.0])),
    )


@given(models(), contexts)
def test_propensities_are_a_distribution_whatever_the_context(model: CoverageModel, values: np.ndarray) -> None:
    policy = CoveragePolicy(model, seed=1)
    for each in (policy, MisguidedPolicy(LIBRARY, policy, seed=1)):
        chances = each.propensities(query("lamp"), Features(NAMES, values))
        assert list(chances) == [plan.name for plan in LIBRARY.plans]
        assert all(0 <= chance <= 1 for chance in chances.values())
        assert min(chances.values()) >= model.floor / len(LIBRARY.plans) * (1 - 1e-12)
        assert sum(chances.values()) == pytest.approx(1, abs=1e-9)


@given(models(), contexts)
def test_asking_more_never_earns_less_before_the_correction(model: CoverageModel, values: np.ndarray) -> None:
    united, ceiling = United(LIBRARY)(model.weights, values)
    of = {plan.name: reward for plan, reward in zip(LIBRARY.plans, united, strict=True)}
    assert all(0 <= reward <= ceiling for reward in of.values())
    assert all(of[less] <= of[more] + 1e-12 for less, more in GROWING)
