"""What a policy earned and spent on every search of a recorded world, and which arms it asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.bandit.kinds.hindsight import Doubles
from benchmarks.bandit.kinds.static_plans import Library, World
from core.types import Plan

Searches = NDArray[np.int64] | NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Course:
    """Expectations over the policy's draws: `reward` and `ms` [T]; of every arm P(asked) and depth, [T, A]."""

    reward: Doubles
    ms: Doubles
    asked: Doubles
    depth: Doubles

    @classmethod
    def of_plan(cls, world: World, plan: Plan) -> Course:
        """One plan for every search."""
        reward, depths = world.rewards(plan), world.depths(plan)
        return cls(
            reward,
            np.full(len(reward), world.plan_ms(depths)),
            np.tile((depths > 0).astype(np.float64), (len(reward), 1)),
            np.tile(depths.astype(np.float64), (len(reward), 1)),
        )

    @classmethod
    def of_chances(cls, library: Library, chances: Doubles, start: int = 0) -> Course:
        """`chances` [n, M] of the library's plans, for the n searches from `start` on."""
        rewards = library.rewards.T[start : start + len(chances)]
        asked = (library.depths > 0).astype(np.float64)
        return cls((chances * rewards).sum(axis=1), chances @ library.ms, chances @ asked, chances @ library.depths)

    @classmethod
    def joined(cls, courses: Sequence[Course]) -> Course:
        """One after the other."""
        return cls(
            np.concatenate([each.reward for each in courses]),
            np.concatenate([each.ms for each in courses]),
            np.concatenate([each.asked for each in courses]),
            np.concatenate([each.depth for each in courses]),
        )

    @classmethod
    def mean(cls, courses: Sequence[Course]) -> Course:
        """Search by search, of several runs."""
        return cls(
            np.mean([each.reward for each in courses], axis=0),
            np.mean([each.ms for each in courses], axis=0),
            np.mean([each.asked for each in courses], axis=0),
            np.mean([each.depth for each in courses], axis=0),
        )

    def summary(self, searches: Searches, price: float) -> dict[str, float]:
        """Means: reward, milliseconds, and reward - price * ms."""
        reward, ms = float(self.reward[searches].mean()), float(self.ms[searches].mean())
        return {"reward": reward, "ms": ms, "net": reward - price * ms}

    def arms(self, searches: Searches) -> tuple[list[float], list[float]]:
        """Of every arm: the share of searches that asked it, and how deep they did on average."""
        asked = self.asked[searches].mean(axis=0)
        depth = self.depth[searches].mean(axis=0) / np.maximum(asked, 1e-12)
        return asked.tolist(), depth.tolist()


def oracle(library: Library, price: float) -> Course:
    """The best plan of the library for every single search: what no policy can do better with it."""
    net = library.rewards - price * library.ms[:, None]
    chances = np.zeros(net.T.shape)
    chances[np.arange(net.shape[1]), net.argmax(axis=0)] = 1.0
    return Course.of_chances(library, chances)


def best_of_each_kind(library: Library, kinds: NDArray[np.int64], price: float) -> Course:
    """For every kind the plan of the library that is best for it: what a policy can earn that knows only the kind."""
    net = library.rewards - price * library.ms[:, None]
    chances = np.zeros(net.T.shape)
    for kind in np.unique(kinds):
        chances[kinds == kind, int(net[:, kinds == kind].mean(axis=1).argmax())] = 1.0
    return Course.of_chances(library, chances)
