"""Costs: a line through the medians, and what is assumed where nothing was measured."""

from __future__ import annotations

import pytest

from bandit.costs import ArmTimes


def times(*seen: tuple[str, int, float]) -> ArmTimes:
    measured = ArmTimes()
    for arm, depth, took_ms in seen:
        measured.add(arm, depth, took_ms)
    return measured


def test_a_line_is_found_and_extended_and_a_pause_does_not_move_it() -> None:
    measured = times(*[("a", depth, 2 + 0.1 * depth) for depth in (10, 50) for _ in range(9)], ("a", 10, 900.0))
    assert measured.milliseconds("a", 10) == pytest.approx(3)
    assert measured.milliseconds("a", 200) == pytest.approx(22)


def test_one_depth_says_nothing_about_the_slope() -> None:
    assert times(("a", 10, 4.0)).milliseconds("a", 100) == 4.0


def test_deeper_is_never_cheaper_and_nothing_costs_less_than_nothing() -> None:
    falling = times(("a", 10, 5.0), ("a", 50, 1.0))
    assert falling.milliseconds("a", 50) >= falling.milliseconds("a", 10) > 0
    steep = times(("a", 10, 1.0), ("a", 20, 10.0))
    assert 0 < steep.milliseconds("a", 1) < steep.milliseconds("a", 20)


def test_an_arm_never_asked_is_as_dear_as_the_dearest() -> None:
    assert times(("a", 10, 4.0), ("b", 10, 9.0)).milliseconds("c", 10) == 9.0
    assert ArmTimes().milliseconds("a", 10) == 0.0


def test_old_times_are_forgotten() -> None:
    assert times(*[("a", 10, 50.0)] * 600, *[("a", 10, 5.0)] * 501).milliseconds("a", 10) == 5.0
