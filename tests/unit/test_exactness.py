"""The policy draws as it says, here and elsewhere, and the measure of that would see if it did not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from bandit.coverage import CoveragePolicy
from benchmarks.exactness import Asked, Calibration, Decisions, chi2_survival, trained, varied
from benchmarks.replay import drawn, replayed_otherwise
from benchmarks.worlds import World, library


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


def test_exact_draws_have_p_values_of_every_size_alike() -> None:
    random, found = np.random.default_rng(1), []
    for _ in range(300):
        chances = random.dirichlet(np.ones(5), size=500)
        picks = (random.random((500, 1)) >= chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
        found.append(Calibration.of(chances, picks).p_value)
    assert np.histogram(found, bins=5, range=(0, 1))[0] == pytest.approx(60, abs=28)  # four standard deviations


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 31])
def test_the_survival_function_is_that_of_scipy(degrees: int) -> None:
    for statistic in (0.0, 0.1, 3.0, 40.0, 200.0):
        assert chi2_survival(statistic, degrees) == pytest.approx(chi2.sf(statistic, degrees), rel=1e-9)


def test_another_process_reading_the_log_in_another_order_draws_the_same(learned: tuple[bytes, list[Asked]]) -> None:
    model, asked = learned
    assert replayed_otherwise(model, asked[:500], seed=1) == 0
    first, second = (drawn(CoveragePolicy.load(model, seed=seed), asked[:500]) for seed in (1, 2))
    assert sum(first[query] != second[query] for query in first) == 500  # even the version would tell
