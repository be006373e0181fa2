"""A poisoned batch does not ship: bots who applaud one bad arm, the real learner, the gate of retrained versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bandit_world import policy_value, search
from rollout_world import RULES, WARMUP, Loop, World, policy_of

from bandit.coverage.policy import CoverageModel
from bandit.rollout import Rollout
from bandit.rollouts.staged import StagedPolicy

FRESH = [search(n, np.random.default_rng(9)) for n in range(300)]
BAD_ARM = "vector"


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    """A learned champion that serves, after 2,000 honest searches."""
    made = Loop(tmp_path, World(3))
    made.learner.learn(made.world.log(WARMUP, 2_000))
    model = made.learner.snapshot()
    assert model is not None
    made.registry.publish({"policy": model})
    yield made
    made.learner.close()


def standing(loop: Loop) -> Rollout:
    return loop.gate.stored(loop.registry.current()).rollout


def value_of_what_serves(loop: Loop) -> float:
    return policy_value(policy_of(loop.gate.stored(loop.registry.current()).policy), FRESH)


def serve(loop: Loop, searches: int, *, applauded: str = "") -> None:
    for _ in range(0, searches, 100):
        policy = policy_of(loop.gate.stored(loop.registry.current()).policy)
        loop.step(loop.world.log(policy, 100, applauded=applauded))


def test_honest_versions_ship_at_once(loop: Loop) -> None:
    before = value_of_what_serves(loop)
    serve(loop, 1_500)
    shipped = [each for each in standing(loop).decisions if each.what == "shipped"]
    assert shipped
    assert "not worse" in shipped[0].reason
    assert value_of_what_serves(loop) > before - RULES.margin


def test_five_hundred_bots_at_once_are_stopped(loop: Loop) -> None:
    before = value_of_what_serves(loop)
    policy = policy_of(loop.gate.stored(loop.registry.current()).policy)
    loop.step(loop.world.log(policy, 500, applauded=BAD_ARM))
    poisoned = loop.gate.stored(loop.registry.current()).candidate
    assert policy_value(policy_of(poisoned), FRESH) < before - 0.03  # or there is nothing to stop
    serve(loop, 3_000)
    (first, *_) = standing(loop).decisions
    assert (first.what, first.policy) == ("dropped", policy_of(poisoned).version)
    assert value_of_what_serves(loop) > before - RULES.margin


def test_bots_who_stay_to_applaud_the_result_move_it_little(loop: Loop) -> None:
    serve(loop, 600)
    before = value_of_what_serves(loop)
    serve(loop, 1_000, applauded=BAD_ARM)
    loop.learner.learn(loop.world.log(WARMUP, 1))
    ungated = loop.learner.snapshot()
    assert ungated is not None
    assert policy_value(policy_of(ungated), FRESH) < before - 0.1  # or there is nothing to stop
    assert value_of_what_serves(loop) > before - 2 * RULES.margin


def test_a_champion_that_is_bad_all_the_same_makes_way_for_the_control(loop: Loop) -> None:
    model = CoverageModel.load(loop.gate.stored(loop.registry.current()).policy)
    bad = replace(model, weights=-model.weights).dump()
    loop.registry.publish({"policy": bad})
    serving = StagedPolicy(policy_of(bad), WARMUP, control_share=0.3)
    while not standing(loop).decisions:
        loop.gate.learn(loop.world.log(serving, 100))
        current = loop.registry.current()
        if admitted := loop.gate.admit({}, current, loop.world.now):
            loop.registry.publish(admitted, onto=current)
        assert loop.world.searches < 4_000
    assert "less than the control's" in standing(loop).decisions[0].reason
    after = loop.gate.stored(loop.registry.current())
    assert (after.policy, after.previous) == (b"", bad)
    assert after.rollout.champion == WARMUP.version
