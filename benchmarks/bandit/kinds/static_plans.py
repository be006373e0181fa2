"""Fixed plans on a recorded world: what each earns and costs, and the best of all of them in hindsight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandit.building.best_plan import best_fixed_plan
from bandit.plans import PlanLibrary
from benchmarks.bandit.kinds.hindsight import Depths, Doubles, Hindsight
from benchmarks.bandit.kinds.recorded import DEPTHS, Recording
from core.types import Plan

_SAMPLE, _RESTARTS = 1_000, 3
_PROMISING = 100


@dataclass(frozen=True, slots=True)
class World:
    """A recording and its answers in hindsight."""

    recording: Recording
    hindsight: Hindsight

    def depths(self, plan: Plan) -> Depths:
        """[A]"""
        return np.array([plan.depths.get(arm, 0) for arm in self.recording.arms])

    def plan(self, name: str, depths: Depths) -> Plan:
        """The plan of depths [A]."""
        asked = zip(self.recording.arms, depths.tolist(), strict=True)
        return Plan(name, {arm: depth for arm, depth in asked if depth})

    def arm_ms(self, arm: int, depth: int) -> float:
        """What asking one arm takes: the measured median, between the measured depths on the straight line."""
        return float(np.interp(depth, DEPTHS, self.recording.arm_ms[arm]))

    def plan_ms(self, depths: Depths) -> float:
        """What a plan of depths [A] takes: the sum over its arms, because they share the processors."""
        return sum(self.arm_ms(arm, depth) for arm, depth in enumerate(depths.tolist()) if depth)

    def rewards(self, plan: Plan) -> Doubles:
        """[T] expected reward of every search."""
        return self.hindsight.rewards(self.hindsight.shown(self.depths(plan)))


@dataclass(frozen=True, slots=True)
class Library:
    """M plans on a recorded world: `shown` [M, T, 10] rows, `rewards` [M, T] expected, `ms` [M] of retrieval."""

    plans: PlanLibrary
    depths: Depths
    shown: NDArray[np.int64]
    rewards: Doubles
    ms: Doubles

    @classmethod
    def of(cls, world: World, plans: PlanLibrary) -> Library:
        depths = np.array([world.depths(plan) for plan in plans.plans])
        shown = np.array([world.hindsight.shown(each) for each in depths])
        rewards = np.array([world.hindsight.rewards(each) for each in shown])
        return cls(plans, depths, shown, rewards, np.array([world.plan_ms(each) for each in depths]))


def best_static(world: World, price: float, *, seed: int) -> Plan:
    """The best fixed plan for reward - price * ms over all searches, as far as searching finds it.

    Cross-entropy search looks at a sample of the searches; the best of what it saw are valued on all, and the best of
    these is bettered one arm at a time.
    """
    count = len(world.hindsight.attraction)
    sample = np.unique(np.linspace(0, count - 1, _SAMPLE).astype(np.int64))
    on_sample, on_all = Values(world, sample, price), Values(world, np.arange(count), price)
    best_fixed_plan(on_sample, world.recording.arms, DEPTHS, seed=seed, restarts=_RESTARTS)
    promising = on_sample.best(_PROMISING)
    return climbed(world, promising[int(np.argmax(on_all(promising)))], on_all)


class Values:
    """Depths [n, A] -> [n] mean reward - price * ms over some searches; every plan is valued once, and remembered."""

    def __init__(self, world: World, searches: NDArray[np.int64], price: float) -> None:
        self._world = world
        self._hindsight = world.hindsight.part(searches)
        self._price = price
        self._known: dict[tuple[int, ...], float] = {}

    def __call__(self, plans: Depths) -> Doubles:
        keys = [tuple(depths) for depths in plans.tolist()]
        for key in keys:
            if key not in self._known:
                self._known[key] = self._value(np.array(key))
        return np.array([self._known[key] for key in keys])

    def best(self, count: int) -> Depths:
        """[count, A] the best of those valued so far, best first, without the plan that asks nothing."""
        return np.array(sorted(filter(any, self._known), key=lambda key: -self._known[key])[:count])

    def _value(self, depths: Depths) -> float:
        reward = self._hindsight.rewards(self._hindsight.shown(depths)).mean()
        return float(reward) - self._price * self._world.plan_ms(depths)


def climbed(world: World, start: Depths, value: Values) -> Plan:
    """The best of all plans on the way up from depths [A], one arm's depth being changed at a time."""
    depths = start
    while True:
        near = np.array([_with(depths, arm, depth) for arm in range(len(depths)) for depth in (0, *DEPTHS)])
        near = near[near.any(axis=1)]
        values = value(near)
        if values.max() <= value(depths[None])[0]:
            return world.plan("best-static", depths)
        depths = near[int(np.argmax(values))]


def _with(depths: Depths, arm: int, depth: int) -> Depths:
    changed = depths.copy()
    changed[arm] = depth
    return changed
