"""Plan libraries: names, and the depths that define the heads."""

from __future__ import annotations

import pytest

from bandit.fixed import FixedPolicy
from bandit.plans import PlanLibrary
from bandit.warmup import WarmupPolicy
from core.errors import InvalidConfig
from core.types import Plan

ARMS = ("lexical", "memory", "vector")
LIBRARY = PlanLibrary((Plan("b", {"lexical": 50, "vector": 20}), Plan("a", {"lexical": 10})), default="a", arms=ARMS)


@pytest.mark.parametrize("depth", [1, 2])
def test_two_plans_of_one_name_are_refused(depth: int) -> None:
    with pytest.raises(InvalidConfig, match="Two plans are called 'a'"):
        PlanLibrary((Plan("a", {"lexical": 1}), Plan("a", {"lexical": depth})), "a", ARMS)


def test_every_depth_that_a_plan_asks_of_an_arm_is_a_head() -> None:
    assert LIBRARY.heads == (("lexical", 10), ("lexical", 50), ("vector", 20))


def test_an_unknown_plan_is_named_with_the_plans_there_are() -> None:
    with pytest.raises(InvalidConfig, match=r"Unknown plan 'c'\. Allowed: a, b"):
        FixedPolicy(LIBRARY, "c")


@pytest.mark.parametrize("explore", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(explore: float) -> None:
    with pytest.raises(InvalidConfig, match="allowed are 0 to 1"):
        WarmupPolicy(LIBRARY, 1, explore)


def test_nearly_equal_shares_have_different_versions() -> None:
    assert WarmupPolicy(LIBRARY, 1, 0.1).version != WarmupPolicy(LIBRARY, 1, 0.1 + 1e-9).version
