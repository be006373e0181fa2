"""The best fixed plan, checked against all plans there are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bandit.building.best_plan import Depths, best_fixed_plan
from core.errors import InvalidInput

ARMS, GRID = ("a", "b", "c", "d"), (10, 20, 50, 100)
EVERY_PLAN = np.array([depths for depths in product((0, *GRID), repeat=len(ARMS)) if any(depths)])


def rugged(seed: int) -> np.ndarray:
    """One independent figure for each of the 625 plans: nothing to climb along, the hardest objective there is."""
    return np.random.default_rng(seed).normal(size=(5,) * len(ARMS))


def bumpy(seed: int) -> np.ndarray:
    """The same with every pair of arms on its own, as overlap and cost make it."""
    random = np.random.default_rng(seed)
    total = np.zeros((5,) * len(ARMS))
    for first, second in product(range(4), repeat=2):
        if first < second:
            shape = [5 if arm in (first, second) else 1 for arm in range(4)]
            total = total + random.normal(size=(5, 5)).reshape(shape)
    return total


def looked_up(table: np.ndarray, depths: Depths) -> np.ndarray:
    found: np.ndarray = table[tuple(np.searchsorted((0, *GRID), depths).T)]
    return found


@pytest.mark.parametrize("seed", range(8))
def test_no_plan_is_better_when_arms_interact(seed: int) -> None:
    table = bumpy(seed)
    found = best_fixed_plan(lambda depths: looked_up(table, depths), ARMS, GRID, seed=seed)
    value = looked_up(table, np.array([[found.get(arm, 0) for arm in ARMS]]))[0]
    assert value == looked_up(table, EVERY_PLAN).max()


@pytest.mark.parametrize("seed", range(8))
def test_no_change_of_one_arm_is_better_whatever_the_objective(seed: int) -> None:
    table = rugged(seed)
    found = best_fixed_plan(lambda depths: looked_up(table, depths), ARMS, GRID, seed=seed, restarts=1)
    plan = np.array([found.get(arm, 0) for arm in ARMS])
    near = EVERY_PLAN[(plan != EVERY_PLAN).sum(axis=1) <= 1]
    assert looked_up(table, plan[None])[0] == looked_up(table, near).max()


def test_asking_nothing_is_no_plan_even_where_it_would_be_best() -> None:
    assert best_fixed_plan(lambda depths: -depths.sum(axis=1) * 1.0, ARMS, GRID, seed=1) in [{arm: 10} for arm in ARMS]


def test_equal_seeds_find_equal_plans() -> None:
    def value(depths: Depths) -> np.ndarray:
        return np.sin(depths @ np.array([3.0, 5.0, 7.0, 11.0]))

    assert best_fixed_plan(value, ARMS, GRID, seed=3) == best_fixed_plan(value, ARMS, GRID, seed=3)


@pytest.mark.parametrize("wrong", [np.array([1.0]), np.nan])
def test_an_objective_that_is_no_figure_per_plan_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidInput, match="The objective returned"):
        best_fixed_plan(lambda depths: np.zeros(len(depths)) * wrong if wrong is np.nan else wrong, ARMS, GRID, seed=1)  # type: ignore[arg-type, return-value, operator]
