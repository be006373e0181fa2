"""What an episode tells of arms and plans: how much of its reward each would have earned alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bandit.earned import Doubles, Integers, clicked, earned, ranks_of
from bandit.plans import PlanLibrary
from core.episodes import Episode
from core.types import ArmStatus

Flags = NDArray[np.bool_]


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
        rows = clicked(episode)
        deep, shadow_ranks = self._shadowed(episode, rows)
        told: Flags = self._head_depth <= asked[self._head_arm]
        shadowed = ~told & (self._head_depth <= deep[self._head_arm]) & (len(rows) > 0)
        return Labels(
            heads=earned(episode, ranks, self._head_depths),
            plans=earned(episode, ranks, self._plan_depths),
            told_heads=told,
            told_plans=np.all(self._plan_depths <= asked, axis=1),
            shadowed=shadowed,
            held=(shadow_ranks[self._head_arm] <= self._head_depth[:, None]).any(axis=1),
        )

    def _answered(self, episode: Episode) -> tuple[Integers, Integers]:
        """[arms] how deep each was asked, 0 if it did not answer; [arms, shown] its ranks, NOWHERE for none."""
        reports, nowhere = episode.impression.arms, (0,) * len(episode.impression.shown)
        asked = [
            reports[arm].depth if arm in reports and reports[arm].status is ArmStatus.OK else 0 for arm in self._arms
        ]
        return np.array(asked), ranks_of([episode.impression.ranks.get(arm, nowhere) for arm in self._arms])

    def _shadowed(self, episode: Episode, rows: Integers) -> tuple[Integers, Integers]:
        """The same of the shadow, its ranks those of the clicked items; zeros and NOWHERE without one."""
        depths, ranks = (episode.shadow.depths, episode.shadow.ranks) if episode.shadow else ({}, {})
        found = [[ranks[arm][row] if arm in ranks else 0 for row in rows] for arm in self._arms]
        return np.array([depths.get(arm, 0) for arm in self._arms]), ranks_of(found)
