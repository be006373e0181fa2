"""Policies on a recorded world, in time order: one serves, its drawn clicks are logged, and the learner learns.

What a policy is worth is the exact expectation over its draws and the clicks; only what a learner sees is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandit.coverage.learner import CoverageLearner
from bandit.coverage.policy import CoveragePolicy
from bandit.terms import Terms
from bandit.warmup import WarmupPolicy
from benchmarks.bandit.kinds.hindsight import Doubles, discounts
from benchmarks.bandit.kinds.recorded import DEPTH
from benchmarks.bandit.kinds.static_plans import Library, World
from core.episodes import Episode, Impression, Shadow
from core.protocols import Policy
from core.rates import examination
from core.seeds import generator, uniform
from core.types import ArmReport, ArmStatus, Choice, Features, ItemId, Query, QueryId
from feedback.position_bias import PositionBias

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Setup:
    """How the coverage policy learns: see [policy] and [shadow] in configs/default.toml."""

    min_clicked: int
    explore: float
    gamma: float
    floor: float
    shadow_share: float


def learned(
    world: World, library: Library, setup: Setup, price: float, *, run: int, history: Sequence[Episode] = ()
) -> Doubles:
    """[T - history, M] plan probabilities of the coverage policy, which learns from its own log, batch by batch.

    It serves after `history`, which another policy served, and from which it learns first. `run` seeds the query ids,
    and with them every draw.
    """
    learner = CoverageLearner(library.plans, run, Terms(setup.min_clicked, price, setup.gamma, setup.floor))
    policy: Policy = WarmupPolicy(library.plans, run, setup.explore)
    chances, episodes, bias = [], list(history), PositionBias()
    for n in range(len(history), len(world.hindsight.attraction)):
        if n % _BATCH == 0:
            learner.learn(bias.correct(episodes))
            episodes.clear()
            if (model := learner.snapshot()) is not None:
                policy = CoveragePolicy.load(model, seed=run)
        found = policy.propensities(*search(world, n, run))
        chances.append([found[plan.name] for plan in library.plans.plans])
        episodes.append(visit(world, library, policy, n, run=run, shadow_share=setup.shadow_share))
    learner.close()
    return np.array(chances)


def served(
    world: World, library: Library, policy: Policy, count: int, *, run: int, shadow_share: float
) -> list[Episode]:
    """The log of the first `count` searches under a policy that stays as it is."""
    return [visit(world, library, policy, n, run=run, shadow_share=shadow_share) for n in range(count)]


def search(world: World, n: int, run: int) -> tuple[Query, Features]:
    """Search `n` as a policy sees it."""
    recording = world.recording
    return Query(QueryId(f"run{run}-{n}"), recording.texts[n], float(n)), Features(
        recording.names, recording.context[n]
    )


def visit(world: World, library: Library, policy: Policy, n: int, *, run: int, shadow_share: float) -> Episode:
    """Search `n` as the log tells it: the first ten of the drawn plan, drawn clicks, and now and then a shadow."""
    query, context = search(world, n, run)
    choice = policy.choose(query, context)
    shown = library.shown[library.plans.plans.index(choice.plan), n]
    shown = shown[shown >= 0]
    chances = world.hindsight.looked[: len(shown)] * world.hindsight.attraction[n, shown]
    gains = (generator(run, "clicks", query.id).random(len(shown)) < chances).astype(np.float64)
    ranks = dict(zip(world.recording.arms, world.hindsight.ranks[:, n, shown], strict=True))
    return Episode(
        impression=_impression(world, query, context, choice, shown, ranks, n),
        feedback=(),
        gains=tuple(gains.tolist()),
        examination=tuple(examination(position) for position in range(1, len(shown) + 1)),
        reward=min(1.0, float(gains @ discounts(len(shown)))),
        shadow=_shadow(world, query, ranks, n) if uniform(run, "shadow", query.id) < shadow_share else None,
    )


def _impression(
    world: World,
    query: Query,
    context: Features,
    choice: Choice,
    shown: NDArray[np.int64],
    ranks: dict[str, NDArray[np.int16]],
    n: int,
) -> Impression:
    depths = choice.plan.depths
    return Impression(
        query=query,
        choice=choice,
        context=context,
        shown=tuple(ItemId(str(row)) for row in shown.tolist()),
        features=Features((), np.zeros((len(shown), 0), dtype=np.float32)),
        ranks={arm: _within(ranks[arm], depth) for arm, depth in depths.items()},
        arms={
            arm: ArmReport(ArmStatus.OK, depth, depth, _took_ms(world, n, arm, depth)) for arm, depth in depths.items()
        },
        ranker="rrf",
        release=0,
        config="",
    )


def _shadow(world: World, query: Query, ranks: dict[str, NDArray[np.int16]], n: int) -> Shadow:
    """The recording knows what every arm had within 100."""
    return Shadow(
        query_id=query.id,
        ranks={arm: _within(found, DEPTH) for arm, found in ranks.items()},
        depths=dict.fromkeys(ranks, DEPTH),
        took_ms={arm: _took_ms(world, n, arm, DEPTH) for arm in ranks},
        time=query.time,
    )


def _within(ranks: NDArray[np.int16], depth: int) -> tuple[int, ...]:
    return tuple(np.where(ranks <= depth, ranks, 0).tolist())


def _took_ms(world: World, n: int, arm: str, depth: int) -> float:
    """The arm's usual time at this depth, as much longer or shorter as the recording took for this search."""
    row = world.recording.arms.index(arm)
    return world.arm_ms(row, depth) * float(world.recording.pace[n, row])


def warmup_chances(policy: WarmupPolicy, library: Library) -> Doubles:
    """[M] of every search."""
    found = policy.propensities(Query(QueryId(""), "", 0.0), Features((), np.zeros(0, dtype=np.float32)))
    return np.array([found[plan.name] for plan in library.plans.plans])
