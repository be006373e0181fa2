"""What the learner says of the serving policy, on a log whose truth is known."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from builders import episode

from app.learning.learner_state import LearnerState, read_state, write_state
from app.learning.policy_watch import PolicyWatch
from bandit.fixed import FixedPolicy
from bandit.plans import PlanLibrary
from core.episodes import Episode
from core.types import Choice, Plan

GOOD, BAD = Plan("good", {"lexical": 10}), Plan("bad", {"lexical": 20})
LIBRARY = PlanLibrary((GOOD, BAD), default="good", arms=("lexical",))


def logged(count: int) -> list[Episode]:
    """Good half of the time, and rewarded 60 % of it; bad the other half, rewarded 20 %."""
    draw = random.Random(1)
    made = []
    for n in range(count):
        plan = draw.choice([GOOD, BAD])
        reward = float(draw.random() < (0.6 if plan is GOOD else 0.2))
        one = episode(gains=(reward, 0.0, 0.0), query_id=f"q{n}")
        made.append(replace(one, impression=replace(one.impression, choice=Choice(plan, 0.5, "uniform"))))
    return made


def test_the_value_of_the_policy_that_serves_and_how_far_to_believe_it() -> None:
    watch = PolicyWatch(lambda: FixedPolicy(LIBRARY, "good"))
    assert watch.snapshot() is None
    assert watch.figures(0.0) == {}
    watch.learn(logged(1_000))
    found = watch.figures(1.0)
    assert found["value_low"] < 0.6 < found["value_high"]
    assert found["value_high"] - found["value_low"] < 0.15
    assert found["value"] == pytest.approx(0.6, abs=0.06)
    assert found["logged_value"] == pytest.approx(0.4, abs=0.06)
    assert found["effective_sample_size"] == pytest.approx(500, abs=50)  # half of the log is of another plan
    assert (found["lowest_propensity"], found["rows"]) == (0.5, 1_000)


def test_it_looks_at_the_newest_and_not_more_often_than_twice_a_minute() -> None:
    watch = PolicyWatch(lambda: FixedPolicy(LIBRARY, "good"))
    watch.learn(logged(3_000))
    assert watch.figures(0.0)["rows"] == 2_000
    watch.learn(logged(10))
    before = watch.figures(29.0)
    assert watch.figures(29.0) is before
    assert watch.figures(30.0) is not before


def test_what_the_learner_wrote_is_read_and_damage_is_not_known(tmp_path) -> None:
    assert read_state(tmp_path) is None
    state = LearnerState(12.5, 7, {"value": 0.4})
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    (tmp_path / "learner-state.json").write_text('{"caught_up": 1')
    assert read_state(tmp_path) is None


def test_what_is_forgotten_is_not_counted_beside_what_comes_again() -> None:
    watch = PolicyWatch(lambda: FixedPolicy(LIBRARY, "good"))
    watch.learn(logged(100))
    watch.forget()
    watch.learn(logged(90))
    assert watch.figures(0.0)["rows"] == 90
