"""What an episode tells of arms and plans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from builders import episode, shadow

from bandit.coverage.labels import Labeller, Labels
from bandit.plans import PlanLibrary
from core.episodes import Episode
from core.types import ArmReport, ArmStatus, Plan

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


def test_after_a_learned_ranker_places_stay() -> None:
    ranks = {"lexical": (30, 2, 0), "vector": (0, 0, 1)}
    seen = episode(gains=(0.0, 0.5, 0.0), reward=0.5 / np.log2(3), ranks=ranks, arms=asked(lexical=50, vector=10))
    seen = replace(seen, impression=replace(seen.impression, ranker="lambdamart-1"), examination=(1.0, 0.5, 0.25))
    labels = read(seen)
    np.testing.assert_allclose(labels.heads, [0.5 / np.log2(3), 0.5 / np.log2(3), 0.0])
    np.testing.assert_allclose(labels.plans, [0.5 / np.log2(3), 0.5 / np.log2(3), 0.0])
    assert labels.told_heads.all()
    assert labels.told_plans.all()


def test_fusion_is_done_again_for_what_a_plan_has() -> None:
    """Fused: the vector arm's third stood first, because the lexical arm has it too."""
    ranks = {"lexical": (2, 1, 0), "vector": (3, 0, 1)}
    seen = episode(gains=(1.0, 0.0, 0.0), reward=1.0, ranks=ranks, arms=asked(lexical=50, vector=10))
    seen = replace(seen, examination=(1.0, 0.5, 0.25))
    labels = read(seen)
    np.testing.assert_allclose(labels.heads, [0.5 / np.log2(3), 0.5 / np.log2(3), 0.25 / np.log2(4)])
    np.testing.assert_allclose(labels.plans, [1.0, 0.5 / np.log2(3), 0.25 / np.log2(4)])


def test_of_equals_the_one_stays_first_that_was_shown_first() -> None:
    """Two arms that find nothing in common tie at every rank; what was drawn earned what it earned."""
    ranks = {"lexical": (1, 0, 2, 0), "vector": (0, 1, 0, 2)}
    shown = ("a", "b", "c", "d")
    for row, gains in enumerate(np.eye(4).tolist()):
        seen = episode(gains=gains, ranks=ranks, shown=shown, arms=asked(lexical=50, vector=10))
        np.testing.assert_allclose(read(seen).plans[0], 1 / np.log2(2 + row))


def test_below_the_page_nobody_clicks() -> None:
    seen = episode(gains=(1.0, 0.0, 0.0), reward=1.0, ranks={"lexical": (9, 1, 2)}, arms=asked(lexical=50))
    assert read(seen).heads[0] == 0.0


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
    assert labels.held[1:].tolist() == [True, True]
    quiet = replace(seen, gains=(0.0, 0.0, 0.0), reward=0.0, shadow=shadow())
    assert not read(quiet).shadowed.any()


def test_a_reward_is_at_most_one_but_a_place_may_be_seen_more_often() -> None:
    ranks = {"lexical": (1, 2, 3), "vector": (0, 0, 1)}
    seen = episode(gains=(1.0, 1.0, 1.0), reward=1.0, ranks=ranks, arms=asked(lexical=50, vector=10))
    labels = read(replace(seen, examination=(1.0, 0.5, 0.1)))
    assert labels.plans[0] >= 1.0
    np.testing.assert_allclose(labels.heads[2], 4.0)
