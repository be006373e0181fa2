"""Libraries built from shadowed clicks, in worlds where one can see which plans they need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import episode, shadow

from bandit.building.plan_builder import BuiltPlan, build_plans
from bandit.building.shadowed_pages import ShadowedPages
from bandit.costs import ArmTimes
from bandit.plans import PlanLibrary
from core.episodes import Episode
from core.errors import InvalidInput

ARMS = ("both", "left", "right", "useless")
MS = {"both": 40.0, "left": 1.0, "right": 1.0, "useless": 1.0}


def page(number: int, ranks: dict[str, int], ranker: str = "lambdamart-1") -> Episode:
    """A search of which the only item was clicked, with the ranks that the arms of its shadow have for it."""
    made = episode(query_id=f"q{number}", gains=(1.0,), shown=("a",))
    made = replace(made, impression=replace(made.impression, ranker=ranker, arms={}))
    return replace(made, shadow=shadow(ranks={arm: (ranks.get(arm, 0),) for arm in ARMS}))


def times() -> ArmTimes:
    found = ArmTimes()
    for arm, ms in MS.items():
        for depth in (10, 100):
            found.add(arm, depth, ms * (1 + depth / 100))
    return found


def shadowed(pages: list[Episode], searches: int) -> ShadowedPages:
    """As if there had been so many searches, and the arms took MS."""
    return replace(ShadowedPages.of(pages, ARMS, 100), searches=searches, times=times())


def world(rows: int = 300, *, satisfied: float = 0.5) -> ShadowedPages:
    """`left` has the items of two thirds of the searches, `right` those of the others, `both` has all but is dear. What
    is found stands where it was shown."""
    random = np.random.default_rng(1)
    deep, near = random.integers(1, 101, (rows, 2)).tolist(), random.integers(1, 11, rows).tolist()
    pages = [
        page(n, {"both": deep[n][0], **({"left": deep[n][1]} if n % 3 else {"right": near[n]})}) for n in range(rows)
    ]
    return shadowed(pages, int(rows / satisfied))


def built(pages: ShadowedPages, size: int = 24, cost_per_ms: float = 0.001) -> dict[str, BuiltPlan]:
    plans = build_plans(pages, size=size, cost_per_ms=cost_per_ms, seed=1)
    return {each.plan.name: each for each in plans}


def test_the_best_plan_leaves_out_what_is_dear_and_what_is_useless() -> None:
    assert built(world())["best"].plan.depths == {"left": 100, "right": 10}


def test_what_searches_are_worth_less_than_buys_less() -> None:
    assert built(world(satisfied=0.002))["best"].cost_ms < built(world())["best"].cost_ms


@pytest.mark.parametrize("size", [16, 20, 24])
def test_a_library_has_the_size_asked_for_and_can_be_served(size: int) -> None:
    plans = [each.plan for each in built(world(), size).values()]
    assert len(PlanLibrary(tuple(plans), "best", ARMS).plans) == size
    assert plans[0].name == "best"
    assert built(world(), size)["all"].plan.depths == dict.fromkeys(ARMS, 100)


def test_a_library_has_a_specialist_for_each_kind_of_search() -> None:
    asked = [dict(each.plan.depths) for each in built(world(), 16).values()]
    assert {"right": 10} in asked
    assert any(set(depths) == {"left"} for depths in asked)


def test_reward_coverage_and_cost_are_what_one_counts_by_hand() -> None:
    pages = world()
    for each in built(pages).values():
        depths = np.array([each.plan.depths.get(arm, 0) for arm in ARMS])
        reached = [any(0 < rank <= depth for rank, depth in zip(row, depths, strict=True)) for row in pages.clicks]
        assert each.coverage == pytest.approx(sum(reached) / len(reached))
        assert each.reward == pytest.approx(each.coverage / 2)  # half of the searches had no click
        assert each.cost_ms == pytest.approx(sum(MS[arm] * (1 + n / 100) for arm, n in each.plan.depths.items()))


def test_the_best_plan_comes_first_even_where_nothing_costs_anything() -> None:
    plans = build_plans(replace(world(), times=ArmTimes()), size=16, cost_per_ms=0.001, seed=1)
    assert [each.plan.name for each in plans][:3] == ["best", "all", "plan-01"]
    assert plans[0].coverage == plans[1].coverage == 1.0


def test_too_few_clicks_and_impossible_sizes_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"There are 99 clicked items .* 100 are needed") as caught:
        built(world(99))
    assert "raise shadow.share" in caught.value.remedy
    with pytest.raises(InvalidInput, match=r"A library of 15 plans .* 16 to 48"):
        built(world(), 15)


def seen(number: int, reward: float, **changes: object) -> Episode:
    ranks = {"lexical": (1, 2, 3), "vector": (0, 70, 9)}
    made = replace(shadow(ranks=ranks, depth=100), **changes)  # type: ignore[arg-type]
    return replace(episode(query_id=f"q{number}", gains=(0.0, reward, reward)), shadow=made)


def test_only_searches_with_a_full_shadow_speak_of_clicks() -> None:
    alone = {"ranks": {"lexical": (1, 2, 3)}, "depths": {"lexical": 100}, "took_ms": {"lexical": 1.0}}
    shallow = {"depths": {"lexical": 100, "vector": 49}}
    episodes = [
        episode(query_id="q0"), seen(1, 1.0), seen(2, 0.0), seen(3, 1.0, **alone), seen(4, 1.0, **shallow),
    ]  # fmt: skip
    pages = ShadowedPages.of(episodes, ("lexical", "vector"), 50)
    assert np.where(pages.clicks > 50, 0, pages.clicks).tolist() == [[2, 0], [3, 9]]
    assert (pages.searches, len(pages.pages)) == (2, 1)
    assert pages.times.milliseconds("lexical", 10) == 1.0
    assert pages.times.milliseconds("vector", 100) == 2.0


def test_where_fusion_ranks_an_arm_that_has_everything_far_down_is_worth_nothing() -> None:
    """`useless` costs next to nothing and has each item, at rank 60; alone it would show none of them."""
    found = [page(n, {"useless": 60, "left" if n % 3 else "right": 1 + n % 3}, ranker="rrf") for n in range(300)]
    library = built(shadowed(found, 600), 16)
    assert library["best"].plan.depths == {"left": 10, "right": 10}
    useless = [each for each in library.values() if set(each.plan.depths) == {"useless"}]
    assert [each.reward for each in useless] == [0.0] * len(useless)
    assert [each.coverage for each in useless if each.plan.depths["useless"] == 100] in ([], [1.0])
