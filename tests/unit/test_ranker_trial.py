"""A new ranking model between the gate and serving all: offered, tried, promoted or dropped, and the way back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import episode

from app.learning.ranker_trial import CANDIDATE, PREVIOUS, RANKER, RankerTrial, trial_name, way_back
from bandit.experiments.sequential import evidence
from core.episodes import Episode
from feedback.registry import FileRegistry


def searches(name: str, count: int, second_wins: float, seed: int) -> list[Episode]:
    """Interleaved, each with one click."""
    random = np.random.default_rng(seed)
    made = []
    for n in range(count):
        won = random.random() < second_wins
        each = episode(query_id=f"{name}-{n}", shown=["a", "b"], gains=(float(not won), float(won)), ranks={})
        mixed = replace(each.impression, experiment=f"{name}:both", teams=(1, 2))
        made.append(replace(each, impression=mixed))
    return made


def split_searches(name: str, count: int, gains: tuple[float, float], seed: int) -> list[Episode]:
    """A/B, a client a search."""
    random = np.random.default_rng(seed)
    made = []
    for n in range(count):
        variant = n % 2
        each = episode(
            query_id=f"{name}-{n}", client_id=f"c{n}", shown=["a", "b"], gains=(1.0, 0.0), ranks={},
            reward=float(random.random() < gains[variant]),
        )  # fmt: skip
        told = replace(each.impression, experiment=f"{name}:{('first', 'second')[variant]}")
        made.append(replace(each, impression=told))
    return made


class World:
    """A registry with a current model, and what the gate lets through onto it."""

    def __init__(self, folder: Path) -> None:
        self.registry = FileRegistry(folder)
        self.trial = RankerTrial(self.registry, searches=1_000)
        self.step(b"old")

    def step(self, *made: bytes) -> None:
        admitted = self.trial.admit({RANKER: made[0]} if made else {}, self.registry.current(), 0.0)
        if admitted:
            self.registry.publish(admitted)

    def holds(self, component: str) -> bytes:
        release = self.registry.current()
        assert release is not None
        return self.registry.load(release, component) if component in release.components else b""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_first_model_serves_at_once_the_next_is_a_candidate(world: World) -> None:
    assert world.holds(RANKER) == b"old"
    world.step(b"new")
    assert (world.holds(RANKER), world.holds(CANDIDATE)) == (b"old", b"new")
    world.step(b"newer")  # waits
    assert world.holds(CANDIDATE) == b"new"


def test_a_candidate_that_wins_is_promoted_and_there_is_a_way_back(world: World) -> None:
    world.step(b"new")
    world.trial.learn(searches(trial_name(b"new"), 400, 0.65, seed=1))
    world.step()
    assert (world.holds(RANKER), world.holds(CANDIDATE), world.holds(PREVIOUS)) == (b"new", b"", b"old")
    found = way_back(world.registry, world.registry.current())
    assert found is not None
    world.registry.publish(found[0])
    assert world.holds(RANKER) == b"old"


def test_one_that_loses_is_dropped_and_not_offered_again(world: World) -> None:
    world.step(b"new")
    world.trial.learn(searches(trial_name(b"new"), 400, 0.35, seed=1))
    world.step()
    assert (world.holds(RANKER), world.holds(CANDIDATE)) == (b"old", b"")
    world.step(b"new")
    assert world.holds(CANDIDATE) == b""
    world.step(b"newest")
    assert world.holds(CANDIDATE) == b"newest"


def test_one_that_is_no_different_is_dropped_in_the_end(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.step(b"new")
    world.trial.learn(searches(trial_name(b"new"), 500, 0.5, seed=2))
    world.step()
    assert world.holds(CANDIDATE) == b"new"
    world.trial.learn(searches(trial_name(b"new"), 500, 0.5, seed=3))
    with caplog.at_level("INFO"):
        world.step()
    assert world.holds(CANDIDATE) == b""
    assert "no difference seen in 1000 searches" in caplog.text


@pytest.mark.parametrize(("gains", "serves"), [((0.3, 0.6), b"new"), ((0.6, 0.3), b"old")])
def test_clients_of_their_own_decide_as_well(world: World, gains: tuple[float, float], serves: bytes) -> None:
    world.step(b"new")
    world.trial.learn(split_searches(trial_name(b"new"), 900, gains, seed=1))
    world.step()
    assert (world.holds(RANKER), world.holds(CANDIDATE)) == (serves, b"")


def test_without_a_candidate_or_an_earlier_model_there_is_no_way_back(world: World) -> None:
    assert way_back(world.registry, world.registry.current()) is None


def test_chance_seldom_decides_however_often_one_looks() -> None:
    random = np.random.default_rng(1)
    fooled = 0
    for _ in range(400):
        wins = np.cumsum(random.random(600) < 0.5)
        fooled += any(evidence(int(won), n - int(won)) >= 20 for n, won in enumerate(wins, start=1))
    assert fooled / 400 < 0.05
    assert evidence(1, 1) == pytest.approx(4 / 6)
    assert evidence(70, 30) > 20 > evidence(60, 40)
