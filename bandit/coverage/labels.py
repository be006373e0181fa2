"""What an episode tells of arms and plans: how much of its reward each would have earned alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bandit.plans import PlanLibrary
from core.episodes import Episode
from core.types import ArmStatus

Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]
_NOWHERE = np.iinfo(np.int64).max
_RRF_K = 60  # of the fusion that orders answers as long as nothing is learned
_MOST_LOOKED = 4.0  # by how much more a place may be looked at than the one that was shown


class Labels(NamedTuple):
    """Rewards, and of whom they tell.

    `heads` [H] and `plans` [M]: the reward that the head or the plan would have earned with those of the clicked items
    that it has, at the places where it would have shown them. `told_heads` and `told_plans`: those that were asked, or
    lie within what was asked; the others could have earned what nobody saw. `shadowed` [H]: heads that only the shadow
    tells of, though about clicked items alone; `held` [H] is true where those have a clicked item.
    """

    heads: Doubles
    plans: Doubles
    told_heads: Flags
    told_plans: Flags
    shadowed: Flags
    held: Flags


class Labeller:
    """Reads episodes for one library."""

    def __init__(self, library: PlanLibrary) -> None:
        self._arms = tuple(dict.fromkeys(arm for arm, _ in library.heads))
        self._head_arm = np.array([self._arms.index(arm) for arm, _ in library.heads])
        self._head_depth = np.array([depth for _, depth in library.heads])
        self._plan_depths = np.array([[plan.depths.get(arm, 0) for arm in self._arms] for plan in library.plans])
        # A head is a plan of one arm.
        self._head_depths = np.where(
            self._head_arm[:, None] == np.arange(len(self._arms)), self._head_depth[:, None], 0
        )

    def __call__(self, episode: Episode) -> Labels:
        """Only positive gains earn; what was dismissed earns nothing."""
        asked, ranks = self._answered(episode)
        clicked = np.flatnonzero(np.array(episode.gains) > 0)
        deep, shadow_ranks = self._shadowed(episode, clicked)
        told: Flags = self._head_depth <= asked[self._head_arm]
        shadowed = ~told & (self._head_depth <= deep[self._head_arm]) & (len(clicked) > 0)
        return Labels(
            heads=_earned(episode, clicked, ranks, self._head_depths),
            plans=_earned(episode, clicked, ranks, self._plan_depths),
            told_heads=told,
            told_plans=np.all(self._plan_depths <= asked, axis=1),
            shadowed=shadowed,
            held=(shadow_ranks[self._head_arm] <= self._head_depth[:, None]).any(axis=1),
        )

    def _answered(self, episode: Episode) -> tuple[Integers, Integers]:
        """[arms] how deep each was asked, 0 if it did not answer; [arms, shown] its ranks, _NOWHERE for none."""
        reports, nowhere = episode.impression.arms, (0,) * len(episode.impression.shown)
        asked = [
            reports[arm].depth if arm in reports and reports[arm].status is ArmStatus.OK else 0 for arm in self._arms
        ]
        return np.array(asked), _ranks([episode.impression.ranks.get(arm, nowhere) for arm in self._arms])

    def _shadowed(self, episode: Episode, clicked: Integers) -> tuple[Integers, Integers]:
        """The same of the shadow, its ranks those of the clicked items; zeros and _NOWHERE without one."""
        depths, ranks = (episode.shadow.depths, episode.shadow.ranks) if episode.shadow else ({}, {})
        found = [[ranks[arm][row] if arm in ranks else 0 for row in clicked] for arm in self._arms]
        return np.array([depths.get(arm, 0) for arm in self._arms]), _ranks(found)


def _earned(episode: Episode, clicked: Integers, ranks: Integers, depths: Integers) -> Doubles:
    """[plans] the reward if what was clicked stood where each plan of `depths` [plans, arms] would have shown it.

    A place that is looked at twice as often is worth twice the clicks (inverse propensity scoring of positions).
    """
    impression = episode.impression
    if not len(clicked):
        return np.zeros(len(depths))
    places = _places(impression.ranker == "rrf", ranks, depths)[:, clicked] + impression.first_position - 1
    looked = np.array([*episode.examination, 0.0])  # below the page, nobody
    last = impression.first_position + len(impression.shown)
    places = np.minimum(places, last)
    there = np.array(episode.gains)[clicked] / np.log2(1 + places) * (places < last)
    whole = there.sum(axis=1)
    seen = np.minimum(looked[places - impression.first_position] / looked[clicked], _MOST_LOOKED)
    # A reward is at most 1, however many were clicked; only how often they would be may be more than once.
    earned: Doubles = np.minimum(1.0, 1 / np.maximum(whole, 1e-9)) * (there * seen).sum(axis=1)
    return earned


def _places(fused: bool, ranks: Integers, depths: Integers) -> Integers:
    """[plans, shown] the places from 1 on at which each plan would have shown what was shown, _NOWHERE for none.

    Rank fusion is done again with the ranks of the plan's arms, and what only one arm has stands as in its answer. What
    a learned ranker would do without the features of the arms that are left out is not known: places stay.
    """
    has = ranks[None] <= depths[:, :, None]
    within = has.any(axis=1)
    if fused:
        scores = np.where(has, 1.0 / (_RRF_K + np.where(has, ranks[None], 0)), 0.0).sum(axis=1)
        places = 1 + (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
        alone = (depths > 0).sum(axis=1) == 1
        own = np.where(has, ranks[None], 0).sum(axis=1)
        places = np.where(alone[:, None], own, places)
    else:
        places = np.broadcast_to(np.arange(1, ranks.shape[1] + 1), within.shape)
    found: Integers = np.where(within, places, _NOWHERE // 2)
    return found


def _ranks(found: list[list[int]] | list[tuple[int, ...]]) -> Integers:
    ranks = np.array(found, dtype=np.int64)
    return np.where(ranks > 0, ranks, _NOWHERE)
