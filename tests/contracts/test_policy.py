"""What every policy must do. A policy joins by one line in POLICIES."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from words import query as words_query

from bandit.adf.policy import AdfModel, VwAdfPolicy, action_features
from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.fixed import FixedPolicy
from bandit.misguided import MisguidedPolicy
from bandit.plans import PlanLibrary
from bandit.rollouts.staged import StagedPolicy
from bandit.uniform import UniformPolicy
from bandit.warmup import WarmupPolicy
from core.protocols import Policy
from core.types import Features, Plan, Query

LIBRARY = PlanLibrary(
    (
        Plan("all", {"lexical": 100, "vector": 100}),
        Plan("lexical", {"lexical": 100}),
        Plan("lexical-short", {"lexical": 20}),
        Plan("vector", {"vector": 100}),
    ),
    default="all",
    arms=("lexical", "vector"),
)
NAMES = ("x", "y")


def coverage(seed: int = 1) -> CoveragePolicy:
    weights = np.random.default_rng(5).normal(size=(len(LIBRARY.heads) + 1, len(NAMES) + 1))
    model = CoverageModel(
        LIBRARY,
        NAMES,
        weights,
        corrections=np.linspace(-0.3, 0.3, 3 * len(LIBRARY.plans)).reshape(-1, 3),
        head_ms=np.array([1.0, 2.0, 5.0]),
        gamma=50.0,
        floor=0.1,
        cost_per_ms=0.01,
        novelty=np.eye(len(NAMES) + 1),
    )
    return CoveragePolicy(model, seed=seed)


def vw_adf(seed: int = 1) -> VwAdfPolicy:
    size = (action_features(LIBRARY).shape[1], len(NAMES) + 1)
    weights = np.random.default_rng(5).normal(size=size)
    return VwAdfPolicy(AdfModel(LIBRARY, NAMES, weights, gamma=5.0, floor=0.1, vw=b""), seed=seed)


POLICIES: dict[str, Callable[[], Policy]] = {
    "fixed": lambda: FixedPolicy(LIBRARY, "lexical"),
    "uniform": lambda: UniformPolicy(LIBRARY, 1),
    "warmup": lambda: WarmupPolicy(LIBRARY, 1, 0.2),
    "coverage": coverage,
    "vw_adf": vw_adf,
    "misguided": lambda: MisguidedPolicy(LIBRARY, coverage(), seed=1),
    "staged": lambda: StagedPolicy(coverage(), WarmupPolicy(LIBRARY, 1, 0.2), 0.05, UniformPolicy(LIBRARY, 1), 0.5),
}


def query(text: str, query_id: str = "q") -> Query:
    """Of one client: who gets which policy may depend on that."""
    return replace(words_query(text, query_id), client_id="client")


@pytest.fixture(params=POLICIES)
def policy(request: pytest.FixtureRequest) -> Policy:
    return POLICIES[request.param]()


def context(x: float = 0.3, y: float = -1.0) -> Features:
    return Features(NAMES, np.array([x, y], dtype=np.float32))


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (0.3, -1.0), (1e6, -1e6), (-50.0, 50.0)])
def test_propensities_are_a_distribution_over_all_plans(policy: Policy, x: float, y: float) -> None:
    chances = policy.propensities(query("lamp"), context(x, y))
    assert list(chances) == [plan.name for plan in LIBRARY.plans]
    assert all(0 <= chance <= 1 for chance in chances.values())
    assert sum(chances.values()) == pytest.approx(1, abs=1e-9)


def test_the_choice_carries_its_exact_propensity_and_version(policy: Policy) -> None:
    for n in range(50):
        asked = query("lamp", f"q{n}")
        choice = policy.choose(asked, context())
        assert choice.propensity == policy.propensities(asked, context())[choice.plan.name] > 0
        assert choice.policy == drawing(policy).version


def drawing(policy: Policy) -> Policy:
    """Who draws for the client: of a policy of several, that one; and that one's version goes into the log."""
    return policy.of(query("lamp")) if isinstance(policy, StagedPolicy) else policy


def test_a_replay_in_another_order_by_another_instance_chooses_the_same(
    request: pytest.FixtureRequest, policy: Policy
) -> None:
    other = POLICIES[request.node.callspec.params["policy"]]()
    ids = [f"q{n}" for n in range(200)]
    first = {each: policy.choose(query("lamp", each), context()) for each in ids}
    again = {each: other.choose(query("lamp", each), context()) for each in reversed(ids)}
    assert first == again
    assert policy.version == other.version


def test_observed_frequencies_are_the_propensities(policy: Policy) -> None:
    draws = 20_000
    counts = Counter(policy.choose(query("lamp", f"q{n}"), context()).plan.name for n in range(draws))
    expected = policy.propensities(query("lamp"), context())
    possible = {name: chance for name, chance in expected.items() if chance > 0}
    assert set(counts) <= set(possible)
    squares = sum((counts[name] - draws * chance) ** 2 / (draws * chance) for name, chance in possible.items())
    assert squares < 16.3  # chi-square with three degrees of freedom, p = 0.001


def test_versions_differ_when_the_function_differs() -> None:
    versions = {build().version for build in POLICIES.values()}
    versions |= {coverage(seed=2).version, vw_adf(seed=2).version}
    versions |= {WarmupPolicy(LIBRARY, 1, 0.3).version, UniformPolicy(LIBRARY, 2).version}
    assert len(versions) == len(POLICIES) + 4
