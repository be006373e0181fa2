"""What an episode tells of arms and plans: how much of its reward each would have earned alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bandit.plans import PlanLibrary
from core.types import ArmStatus, Episode

Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]
_NOWHERE = np.iinfo(np.int64).max


class Labels(NamedTuple):
    """Rewards, and of whom they tell.

    `heads` [H] and `plans` [M]: the share of the episode's reward whose items the head or the plan has. `told_heads`
    and `told_plans`: those that were asked, or lie within what was asked; the others could have earned what nobody saw.
    `shadowed` [H]: heads that only the shadow tells of, though about clicked items alone.
    """

    heads: Doubles
    plans: Doubles
    told_heads: Flags
    told_plans: Flags
    shadowed: Flags


class Labeller:
    """Reads episodes for one library."""

    def __init__(self, library: PlanLibrary) -> None:
        self._arms = tuple(dict.fromkeys(arm for arm, _ in library.heads))
        self._head_arm = np.array([self._arms.index(arm) for arm, _ in library.heads])
        self._head_depth = np.array([depth for _, depth in library.heads])
        self._plan_depths = np.array([[plan.depths.get(arm, 0) for arm in self._arms] for plan in library.plans])

    def __call__(self, episode: Episode) -> Labels:
        """Only positive gains earn; what was dismissed earns nothing."""
        clicked = [row for row, gain in enumerate(episode.gains) if gain > 0]
        gains = np.array([episode.gains[row] for row in clicked])
        shares = max(episode.reward, 0.0) * gains / gains.sum() if clicked else gains
        asked, ranks = self._answered(episode, clicked)
        deep, shadow_ranks = self._shadowed(episode, clicked)
        told = self._head_depth <= asked[self._head_arm]
        shadowed = ~told & (self._head_depth <= deep[self._head_arm]) if clicked else np.zeros(len(told), dtype=bool)
        seen = np.where(told[:, None], ranks[self._head_arm], shadow_ranks[self._head_arm])
        told_plans: Flags = np.all(self._plan_depths <= asked, axis=1)
        within = ranks[None] <= self._plan_depths[:, :, None]
        return Labels(
            heads=(seen <= self._head_depth[:, None]) @ shares,
            plans=within.any(axis=1) @ shares,
            told_heads=told,
            told_plans=told_plans,
            shadowed=shadowed,
        )

    def _answered(self, episode: Episode, clicked: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """[arms] how deep each was asked, 0 if it did not answer; [arms, clicked] its ranks, _NOWHERE for none."""
        reports = episode.impression.arms
        asked = [
            reports[arm].depth if arm in reports and reports[arm].status is ArmStatus.OK else 0 for arm in self._arms
        ]
        ranks = [[episode.impression.ranks[arm][row] if arm in reports else 0 for row in clicked] for arm in self._arms]
        return np.array(asked), _ranks(ranks)

    def _shadowed(self, episode: Episode, clicked: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The same of the shadow; zeros and _NOWHERE without one."""
        depths, ranks = (episode.shadow.depths, episode.shadow.ranks) if episode.shadow else ({}, {})
        found = [[ranks[arm][row] if arm in ranks else 0 for row in clicked] for arm in self._arms]
        return np.array([depths.get(arm, 0) for arm in self._arms]), _ranks(found)


def _ranks(found: list[list[int]]) -> NDArray[np.int64]:
    ranks = np.array(found, dtype=np.int64)
    return np.where(ranks > 0, ranks, _NOWHERE)
