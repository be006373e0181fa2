"""Runs policies through a simulated world, each serving, logging and learning as the service does, side by side."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.bandit.worlds import World
from core.episodes import Episode
from core.protocols import Learner, Policy

Doubles = NDArray[np.float64]
BATCH = 100  # searches between two models


@dataclass(frozen=True)
class Contestant:
    """A policy to begin with, and, if it learns, its learner and how to read what that learned."""

    start: Policy
    learner: Learner | None = None
    load: Callable[[bytes], Policy] | None = None


def run(world: World, contestant: Contestant, *, delay: int = 0) -> Doubles:
    """[T] expected reward minus cost of each search under the policy of the time, exploration included.

    An episode reaches the learner `delay` searches later.
    """
    policy, clicks = contestant.start, defaultdict[int, int](int)
    waiting: deque[Episode] = deque()
    found = np.zeros(len(world))
    names = [plan.name for plan in world.plans.plans]
    for search in range(len(world)):
        query = int(world.queries[search])
        asked, context = world.query(search), world.context(search, clicks[query])
        chances = policy.propensities(asked, context)
        found[search] = world.values(search, clicks[query]) @ [chances[name] for name in names]
        choice = policy.choose(asked, context)
        waiting.append(world.visit(search, clicks[query], choice))
        clicks[query] += world.satisfied(search, clicks[query], names.index(choice.plan.name))
        if contestant.learner and contestant.load and (search + 1) % BATCH == 0 and len(waiting) > delay:
            contestant.learner.learn([waiting.popleft() for _ in range(len(waiting) - delay)])
            if (model := contestant.learner.snapshot()) is not None:
                policy = contestant.load(model)
    return found


def oracle(world: World) -> Doubles:
    """[T] what Bayes gets, who knows the world and sees what the policies see."""
    return _greedy(world, world.believed)


def static(world: World) -> Mapping[str, Doubles]:
    """Plan -> [T] what it gets when it always serves."""
    found = {}
    for number, plan in enumerate(world.plans.plans):
        found[plan.name] = _greedy(world, partial(_always, np.eye(len(world.plans.plans))[number]))
    return found


def _always(scores: Doubles, search: int, clicks: int) -> Doubles:
    return scores


def _greedy(world: World, scores: Callable[[int, int], Doubles]) -> Doubles:
    clicks, found = defaultdict[int, int](int), np.zeros(len(world))
    for search in range(len(world)):
        query = int(world.queries[search])
        best = int(np.argmax(scores(search, clicks[query])))
        found[search] = world.values(search, clicks[query])[best]
        clicks[query] += world.satisfied(search, clicks[query], best)
    return found
