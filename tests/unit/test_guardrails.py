"""Comparisons that may be looked at as often as one likes."""

from __future__ import annotations

import numpy as np
import pytest

from bandit.experiments.assignment import compare
from bandit.rollouts.guardrails import Limits, Seen, group, groups, guardrails, margin

LIMITS = Limits(empty_margin=0.01, slow_factor=1.5, alpha=0.05)


def seen(client: str, reward: float = 0.0, *, empty: bool = False, ms: float = 10.0) -> Seen:
    return Seen(client, 0.0, reward, empty, ms)


def test_the_error_is_that_between_clients() -> None:
    random = np.random.default_rng(1)
    clients = [[float(value) for value in random.uniform(size=random.integers(1, 9))] for _ in range(50)]
    found = group([seen(str(n), value) for n, values in enumerate(clients) for value in values])
    expected = compare(clients, [[0.0], [0.0]])
    assert found.reward.value == pytest.approx(expected.mean_first)
    assert found.reward.error == pytest.approx((expected.interval[1] - expected.interval[0]) / 2 / 1.959964, rel=1e-6)
    assert 30 < found.effective_clients < 50
    assert (found.clients, found.searches) == (50, sum(map(len, clients)))


def test_chance_passes_the_margin_seldom_at_any_of_500_looks() -> None:
    random = np.random.default_rng(1)
    runs, looks = 1_000, 500
    counts = 20 * np.arange(1, looks + 1)
    means = random.normal(scale=np.sqrt(20), size=(runs, looks)).cumsum(axis=1) / counts
    allowed = np.array([margin(count**-0.5, alpha=0.05, scale=0.05) for count in counts])
    fixed = 1.96 * counts**-0.5
    assert (np.abs(means) > allowed).any(axis=1).mean() <= 0.05
    assert (np.abs(means) > fixed).any(axis=1).mean() > 0.3  # what looking again and again does to a fixed interval


def test_no_error_needs_no_margin_and_an_unknown_one_any() -> None:
    assert margin(0.0, alpha=0.05, scale=0.05) == 0
    assert margin(float("inf"), alpha=0.05, scale=0.05) == float("inf")


def test_nobody_is_judged_by_few_clients() -> None:
    bad = [seen(f"c{n}", -1.0, empty=True, ms=900.0) for n in range(40)]
    good = [seen(f"d{n}", 1.0) for n in range(40)]
    assert guardrails(*groups(bad, good, LIMITS), LIMITS) is not None
    assert guardrails(*groups(bad[:29], good, LIMITS), LIMITS) is None
    assert guardrails(*groups(bad, good[:29], LIMITS), LIMITS) is None
    busy = [*bad, *[seen("c0", -1.0)] * 40]  # one who searches as much as all others together
    assert guardrails(*groups(busy, good, LIMITS), LIMITS) is None


def test_slow_is_what_takes_longer_than_the_champions_p99_allows() -> None:
    random = np.random.default_rng(1)
    champion = [seen(f"d{n}", ms=float(ms)) for n, ms in enumerate(random.gamma(4.0, size=2_000))]
    alike = [seen(f"c{n}", ms=float(ms)) for n, ms in enumerate(random.gamma(4.0, size=2_000))]
    slow = [seen(f"c{n}", ms=2 * each.milliseconds) for n, each in enumerate(alike)]
    assert guardrails(*groups(alike, champion, LIMITS), LIMITS) is None
    assert "p99" in str(guardrails(*groups(slow, champion, LIMITS), LIMITS))


def test_of_nothing_the_figures_are_zero() -> None:
    assert (group([]).searches, group([]).reward.value, group([]).p99_ms) == (0, 0.0, 0.0)
