"""The simulated world tells the truth about itself."""

from __future__ import annotations

import numpy as np
import pytest

from bandit.fixed import FixedPolicy
from bandit.plans import PlanLibrary
from bandit.uniform import UniformPolicy
from benchmarks.bandit.contestants import Contestant, oracle, run, static
from benchmarks.bandit.worlds import BROKEN, World, library
from core.types import Choice

PLANS = library()


@pytest.fixture(scope="module")
def world() -> World:
    return World.draw(4_000, 7, PLANS, broken=range(3_000, 4_000))


@pytest.mark.parametrize("plan", ["lexical50", "lexical50-vector50-structured20", "memory50"])
def test_what_a_plan_is_said_to_be_worth_is_what_visits_earn_on_average(world: World, plan: str) -> None:
    number = [each.name for each in PLANS.plans].index(plan)
    said = np.mean([world.values(search, 3)[number] for search in range(3_000)])
    choice = Choice(PLANS.plans[number], 1.0, "test")
    earned = np.mean([world.visit(search, 3, choice).reward for search in range(3_000)]) - world.cost[number]
    assert earned == pytest.approx(said, abs=0.025)


def test_nobody_beats_bayes_and_the_uniform_policy_is_the_mean_of_its_plans(world: World) -> None:
    best, plans = oracle(world).mean(), static(world)
    assert best > max(found.mean() for found in plans.values())
    uniform = run(world, Contestant(UniformPolicy(PLANS, 1))).mean()
    assert uniform == pytest.approx(np.mean([found.mean() for found in plans.values()]), abs=0.02)


def test_a_fixed_policy_gets_what_its_plan_gets(world: World) -> None:
    plan = PLANS.plans[5].name
    np.testing.assert_allclose(run(world, Contestant(FixedPolicy(PLANS, plan))), static(world)[plan])


def test_the_memory_is_worth_more_the_more_was_clicked(world: World) -> None:
    memory = [plan.name for plan in PLANS.plans].index("memory50")
    worth = [world.values(0, clicks)[memory] for clicks in (0, 1, 5, 50)]
    assert worth == sorted(worth)
    assert worth[-1] > worth[0] + 0.1


def test_a_broken_arm_finds_nothing_that_anybody_wants(world: World) -> None:
    alone = PlanLibrary(tuple(plan for plan in PLANS.plans if list(plan.depths) == [BROKEN]), "vector50", [BROKEN])
    choice = Choice(alone.plans[0], 1.0, "test")
    ranks = [world.visit(search, 0, choice).impression.ranks[BROKEN] for search in range(3_000, 4_000)]
    mistaken = np.mean([any(each) for each in ranks])
    assert mistaken < 0.06  # clicks on what nobody wanted
