"""The policy draws as it says, here and elsewhere, and the measure of that would see if it did not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, chisquare, kstest

from bandit.coverage.policy import CoveragePolicy
from benchmarks.bandit.exactness import Asked, Calibration, Decisions, chi2_survival, trained, varied
from benchmarks.bandit.replay import drawn, replayed_otherwise
from benchmarks.bandit.worlds import World, library


@pytest.fixture(scope="module")
def learned() -> tuple[bytes, list[Asked]]:
    world = World.draw(20_000, 1, library())
    return trained(world, 1_000, 1), varied(world, 1)


def test_what_is_drawn_is_what_was_said(learned: tuple[bytes, list[Asked]]) -> None:
    decisions = Decisions.of(CoveragePolicy.load(learned[0], seed=1), learned[1])
    assert decisions.by_plan().p_value > 0.001
    assert decisions.by_propensity().p_value > 0.001
    assert decisions.by_plan().observed.sum() == decisions.by_propensity().observed.sum() == 20_000
    assert decisions.by_plan().expected.sum() == pytest.approx(20_000)


def test_a_draw_that_is_a_little_off_is_seen(learned: tuple[bytes, list[Asked]]) -> None:
    """What was said is p^1.1 where p was drawn from."""
    decisions = Decisions.of(CoveragePolicy.load(learned[0], seed=1), learned[1])
    sharper = decisions.chances**1.1
    off = Decisions(sharper / sharper.sum(axis=1, keepdims=True), decisions.drawn)
    assert off.by_propensity().p_value < 1e-6


@pytest.mark.parametrize("groups", ["by_plan", "by_propensity"])
def test_exact_draws_have_p_values_of_every_size_alike(groups: str) -> None:
    random, found = np.random.default_rng(1), []
    for _ in range(400):
        chances = random.dirichlet(np.ones(5), size=500)
        picks = (random.random((500, 1)) >= chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
        found.append(getattr(Decisions(chances, picks), groups)().p_value)
    assert kstest(found, "uniform").pvalue > 0.001


@pytest.mark.parametrize("groups", [2, 7, 32])
def test_of_chances_that_are_always_the_same_it_is_the_test_of_pearson(groups: int) -> None:
    random = np.random.default_rng(groups)
    for _ in range(20):
        chances = 0.02 / groups + 0.98 * random.dirichlet(np.full(groups, 0.5))
        picks = random.choice(groups, size=5_000, p=chances)
        found = Calibration.of(np.tile(chances, (5_000, 1)), picks)
        assert found.p_value == pytest.approx(chisquare(found.observed, found.expected).pvalue, rel=1e-4)


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 31])
def test_the_survival_function_is_that_of_scipy(degrees: int) -> None:
    for statistic in (0.0, 0.1, 3.0, 40.0, 200.0):
        assert chi2_survival(statistic, degrees) == pytest.approx(chi2.sf(statistic, degrees), rel=1e-9)


def test_another_process_reading_the_log_in_another_order_draws_the_same(learned: tuple[bytes, list[Asked]]) -> None:
    model, asked = learned
    assert replayed_otherwise(model, asked[:500], seed=1) == 0
    first, second = (drawn(CoveragePolicy.load(model, seed=seed), asked[:500]) for seed in (1, 2))
    assert sum(first[query] != second[query] for query in first) == 500  # even the version would tell
