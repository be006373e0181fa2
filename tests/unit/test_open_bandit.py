"""The benchmark on the Open Bandit Dataset asks one log about the other, and nothing of the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bandit.ope import assess
from benchmarks.bandit.open_bandit import Log, click_rates, evidence, read, shares, wilson


def logs(folder: Path) -> tuple[Log, Log]:
    uniform, learned = (read(folder / policy / "men" / "men.csv.gz") for policy in ("random", "bts"))
    return uniform, learned


def test_the_random_log_supports_the_learned_policy(dataset: Callable[[str], Path]) -> None:
    uniform, learned = logs(dataset("open-bandit"))
    found = evidence(uniform, shares(learned, 34))
    report = assess(found, resamples=50, reward_range=(0.0, 1.0))
    assert (found.rows, report.refusal) == (10_000, None)
    assert abs(report.overlap.mean_weight - 1) < 3 * report.overlap.mean_weight_error


def test_the_clicks_of_the_truth_are_never_read(dataset: Callable[[str], Path]) -> None:
    _, learned = logs(dataset("open-bandit"))
    without = replace(learned, clicks=1 - learned.clicks)
    assert np.array_equal(shares(learned, 34), shares(without, 34))
    assert shares(learned, 34).sum(axis=1) == pytest.approx(1)


def test_click_rates_are_drawn_towards_the_overall_rate() -> None:
    log = Log(np.array([0] * 200 + [1] * 200), np.zeros(400, int), np.repeat([1.0, 0.0], 200), np.full(400, 0.5))
    assert click_rates(log, np.ones(400, bool), 3) == pytest.approx([0.75, 0.25, 0.5])


def test_no_click_predicts_itself() -> None:
    clicks = np.zeros(50)
    clicks[7] = 1
    log = Log(np.zeros(50, int), np.zeros(50, int), clicks, np.ones(50))
    found = evidence(log, np.ones((3, 1)))
    assert found.predicted is not None
    assert found.predicted[7] == 0 < found.predicted[8]


def test_wilson_by_hand() -> None:
    assert wilson(np.repeat([1.0, 0.0], [1, 9])) == pytest.approx((0.0179, 0.4042), abs=1e-4)  # 1 of 10
