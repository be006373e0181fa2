"""Every policy through the simulated world, beside the Bayes oracle and the best plan in hindsight."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandit.adf.learner import AdfLearner
from bandit.adf.policy import VwAdfPolicy
from bandit.coverage.learner import CoverageLearner
from bandit.coverage.policy import CoveragePolicy
from bandit.fixed import FixedPolicy
from bandit.misguided import MisguidedPolicy
from bandit.terms import Terms
from bandit.uniform import UniformPolicy
from bandit.warmup import WarmupPolicy
from benchmarks.bandit.contestants import Contestant, oracle, run, static
from benchmarks.bandit.worlds import BROKEN, COST_PER_MS, World, library

Doubles = NDArray[np.float64]
SEARCHES, SEEDS, DELAY = 20_000, (1, 2, 3, 4, 5), 1_000
_BROKEN = range(SEARCHES // 2, SEARCHES * 3 // 4)
_AFTER_BREAK, _END = slice(_BROKEN.start, _BROKEN.start + 1_000), slice(SEARCHES - 2_000, SEARCHES)
_TERMS, _EXPLORE = Terms(min_clicked=100, cost_per_ms=COST_PER_MS, gamma=300.0, floor=0.01), 0.1
Make = Callable[[World, int], Contestant]


def simulated(seeds: tuple[int, ...] = SEEDS) -> dict[str, Any]:
    """Figures as means over the seeds; `policies` has them for every policy, `curves` the first seed's."""
    rows: dict[str, list[dict[str, float]]] = {}
    curves: dict[str, Doubles] = {}
    anchors, names = [], []
    for seed in seeds:
        world = World.draw(SEARCHES, seed, library(), broken=_BROKEN)
        best_possible, plans = oracle(world), static(world)
        best_plan = max(plans, key=lambda name: float(plans[name].mean()))
        anchors.append(float(plans[best_plan].mean() / best_possible.mean()))
        names.append(best_plan)
        for name, (make, delay) in CONTESTANTS.items():
            found = run(world, make(world, seed), delay=delay)
            rows.setdefault(name, []).append(_measured(found, best_possible, plans[best_plan]))
            print(f"seed {seed}: {name} {rows[name][-1]}", file=sys.stderr, flush=True)
            curves.setdefault(name, found / best_possible.mean())
        curves.setdefault("best plan in hindsight", plans[best_plan] / best_possible.mean())
        curves.setdefault("oracle", best_possible / best_possible.mean())
    policies = {name: _mean(found) for name, found in rows.items()}
    learned, late = policies["coverage"], policies["coverage, delayed"]
    return {
        "figures": {
            "sim.oracle_ratio": learned["oracle_ratio"],
            "sim.static_ratio": learned["static_ratio"],
            "sim.crossover": learned["crossover"],
            "sim.delay_crossover": late["crossover"],
            "sim.after_break": learned["after_break"],
        },
        "policies": policies,
        "by_seed": rows,
        "static_over_oracle": statistics.fmean(anchors),
        "best_plans": names,
        "stated": f"{SEARCHES} searches; {BROKEN} answers with rubbish from {_BROKEN.start} to {_BROKEN.stop}; "
        "expected reward minus cost under the policy's draws, exploration included; ratios over the whole run, `end_` "
        "over its last 2,000 searches, `after_break` over the first 1,000 after the break; crossover: the search from "
        "which on the total is never again behind the best plan's; "
        f"delayed: feedback comes {DELAY} searches later",
        "curves": {name: _smooth(values) for name, values in curves.items()},
    }


def _coverage(world: World, seed: int) -> Contestant:
    learner = CoverageLearner(world.plans, seed, _TERMS)
    return Contestant(_warmup(world, seed), learner, lambda model: CoveragePolicy.load(model, seed=seed))


def _misguided(world: World, seed: int) -> Contestant:
    guided = _coverage(world, seed)
    return Contestant(
        guided.start,
        guided.learner,
        lambda model: MisguidedPolicy(world.plans, CoveragePolicy.load(model, seed=seed), seed=seed),
    )


def _adf(world: World, seed: int) -> Contestant:
    learner = AdfLearner(world.plans, seed, _TERMS)
    return Contestant(_warmup(world, seed), learner, lambda model: VwAdfPolicy.load(model, seed=seed))


def _warmup(world: World, seed: int) -> WarmupPolicy:
    return WarmupPolicy(world.plans, seed, _EXPLORE)


CONTESTANTS: Mapping[str, tuple[Make, int]] = {
    "coverage": (_coverage, 0),
    "coverage, delayed": (_coverage, DELAY),
    "vw_adf": (_adf, 0),
    "fixed": (lambda world, _: Contestant(FixedPolicy(world.plans, world.plans.default)), 0),
    "uniform": (lambda world, seed: Contestant(UniformPolicy(world.plans, seed)), 0),
    "misguided": (_misguided, 0),
}


def _measured(found: Doubles, best_possible: Doubles, best_plan: Doubles) -> dict[str, float]:
    def ratio(beside: Doubles, part: slice = slice(None)) -> float:
        return float(found[part].mean() / beside[part].mean())

    behind = np.flatnonzero(np.cumsum(found - best_plan) < 0)
    return {
        "oracle_ratio": ratio(best_possible),
        "static_ratio": ratio(best_plan),
        "end_oracle_ratio": ratio(best_possible, _END),
        "end_static_ratio": ratio(best_plan, _END),
        "after_break": ratio(best_possible, _AFTER_BREAK),
        "crossover": float(behind[-1] + 1) if len(behind) else 0.0,
    }


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}


def _smooth(values: Doubles, width: int = 500) -> list[float]:
    """Means of consecutive stretches."""
    means: list[float] = values.reshape(-1, width).mean(axis=1).round(4).tolist()
    return means
