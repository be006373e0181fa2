"""What an episode tells of arms and plans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import episode, shadow

from bandit.coverage.labels import Labeller, Labels
from bandit.coverage.offsets import PlanOffsets
from bandit.plans import PlanLibrary
from core.types import ArmReport, ArmStatus, Episode, Plan

# Heads in order: lexical 10, lexical 50, vector 10.
LIBRARY = PlanLibrary(
    (Plan("wide", {"lexical": 50, "vector": 10}), Plan("short", {"lexical": 10}), Plan("vector", {"vector": 10})),
    default="wide",
    arms=("lexical", "vector"),
)


def asked(**depths: int) -> dict[str, ArmReport]:
    return {arm: ArmReport(ArmStatus.OK, depth, depth, 1.0) for arm, depth in depths.items()}


def read(seen: Episode) -> Labels:
    return Labeller(LIBRARY)(seen)


def test_the_reward_is_shared_by_gain_among_heads_and_plans() -> None:
    ranks = {"lexical": (30, 2, 0), "vector": (0, 0, 1)}
    seen = episode(gains=(1.0, 3.0, 0.0), reward=0.8, ranks=ranks, arms=asked(lexical=50, vector=10))
    labels = read(seen)
    np.testing.assert_allclose(labels.heads, [0.6, 0.8, 0.0])
    np.testing.assert_allclose(labels.plans, [0.8, 0.6, 0.0])
    assert labels.told_heads.all()
    assert labels.told_plans.all()


def test_only_what_lies_within_the_asked_is_told() -> None:
    labels = read(episode(ranks={"lexical": (1, 2, 3)}, arms=asked(lexical=10)))
    assert labels.told_heads.tolist() == [True, False, False]
    assert labels.told_plans.tolist() == [False, True, False]


def test_without_a_click_everybody_who_was_asked_earned_nothing() -> None:
    ranks = {"lexical": (1, 2, 3), "vector": (1, 2, 3)}
    labels = read(episode(gains=(0.0, 0.0, 0.0), reward=0.0, ranks=ranks, arms=asked(lexical=50, vector=10)))
    assert labels.told_heads.all()
    assert not labels.heads.any()
    assert not labels.plans.any()


def test_what_is_dismissed_earns_nothing() -> None:
    labels = read(episode(gains=(-1.0, 0.0, 0.0), reward=-1.0, ranks={"lexical": (1, 2, 3)}, arms=asked(lexical=10)))
    assert labels.heads[0] == 0


def test_a_shadow_tells_of_arms_that_were_not_asked_when_there_was_a_click() -> None:
    seen = episode(ranks={"lexical": (1, 2, 3)}, arms=asked(lexical=10))
    labels = read(replace(seen, shadow=shadow(ranks={"lexical": (1, 2, 3), "vector": (4, 0, 0)}, depth=50)))
    assert labels.shadowed.tolist() == [False, True, True]
    assert (labels.heads > 0).tolist() == [True, True, True]
    quiet = replace(seen, gains=(0.0, 0.0, 0.0), reward=0.0, shadow=shadow())
    assert not read(quiet).shadowed.any()


@pytest.mark.parametrize("truth", [0.2, 0.5, 0.7])
def test_an_offset_closes_the_gap_between_what_is_predicted_and_what_is_earned(truth: float) -> None:
    random, offsets = np.random.default_rng(1), PlanOffsets(2)
    for _ in range(5_000):
        predicted = 1 / (1 + np.exp(-offsets.values))
        offsets.learn(np.array([True, False]), predicted, np.array([float(random.random() < truth), 1.0]))
    assert 1 / (1 + np.exp(-offsets.values[0])) == pytest.approx(truth, abs=0.04)
    assert offsets.values[1] == 0
