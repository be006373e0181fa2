"""Builds a library of complementary plans offline, from what shadow traffic knows of clicked items and of times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bandit.building.best_plan import Depths, Doubles, best_fixed_plan
from bandit.building.shadowed_clicks import ShadowedClicks
from core.errors import InvalidInput
from core.types import Plan

NEEDED = 100  # clicked items; the standard error of a coverage is then at most 0.05
SMALLEST, LARGEST = 16, 48
_PRICES = (1.0, 4.0, 0.25, 16.0, 0.0)  # of a millisecond, times the configured one
_FEWEST = 10  # clicked items that make a kind of their own
_FREE_MS = 1e-3


@dataclass(frozen=True, slots=True)
class BuiltPlan:
    """`coverage`: share of the clicked items that its arms have within their depths; `cost_ms`: what they take."""

    plan: Plan
    coverage: float
    cost_ms: float


def build_plans(clicks: ShadowedClicks, *, size: int, cost_per_ms: float, seed: int) -> list[BuiltPlan]:
    """At most `size` distinct plans: `best` (fixed, see bandit.building.best_plan), `all`, and others in order of cost.

    A plan's value is satisfied * coverage - cost_per_ms * ms, as the policy scores it. The others are picked from
    greedy frontiers, one for each kind of click (all, those that `best` misses, those of which an arm has the best
    rank), at several prices of a millisecond, so that a library holds specialists as well as cheap and dear plans.
    InvalidInput with fewer than `NEEDED` clicks, or a size that isn't from `SMALLEST` to `LARGEST`.
    """
    _check(len(clicks.ranks), size)
    menu = _Menu.of(clicks)

    def value(depths: Depths) -> Doubles:
        return clicks.satisfied * _coverage(clicks.ranks, depths) - cost_per_ms * menu.cost(depths)

    best = best_fixed_plan(value, clicks.arms, menu.grid, seed=seed)
    chosen = {tuple(best.get(arm, 0) for arm in clicks.arms): "best"}
    chosen.setdefault((menu.grid[-1],) * len(clicks.arms), "all")
    for depths in _others(clicks, menu, np.array(next(iter(chosen))), cost_per_ms):
        if len(chosen) >= size:
            break
        chosen.setdefault(depths, "")
    return _named(clicks, menu, chosen)


@dataclass(frozen=True, slots=True)
class _Menu:
    """What can be asked of each arm, and for how much: `ms` is [arms, 1 + grid], 0 where nothing is asked."""

    grid: tuple[int, ...]
    ms: Doubles

    @classmethod
    def of(cls, clicks: ShadowedClicks) -> _Menu:
        grid = tuple(sorted({max(1, clicks.depth // part) for part in (10, 5, 2, 1)}))
        ms = [[0.0, *(clicks.times.milliseconds(arm, depth) for depth in grid)] for arm in clicks.arms]
        return cls(grid, np.array(ms))

    def cost(self, depths: Depths) -> Doubles:
        """[n] milliseconds of depths [n, arms]."""
        picks = np.searchsorted((0, *self.grid), depths)
        total: Doubles = self.ms[np.arange(len(self.ms)), picks].sum(axis=1)
        return total


def _others(clicks: ShadowedClicks, menu: _Menu, best: Depths, cost_per_ms: float) -> Iterator[tuple[int, ...]]:
    """The best of each frontier at each price; then the rest of them; then every arm, with `best` and alone."""
    frontiers = [(kind, plans) for kind in _kinds(clicks.ranks, best) if len(plans := _frontier(menu, kind))]
    for price in _PRICES:
        for kind, plans in frontiers:
            values = clicks.satisfied * _coverage(kind, plans) - price * cost_per_ms * menu.cost(plans)
            yield tuple(plans[np.argmax(values)].tolist())
    for _, plans in frontiers:
        yield from map(tuple, plans.tolist())
    for depth in reversed(menu.grid):
        for start in (best, np.zeros_like(best)):
            yield from map(tuple, _steps(start, (depth,)).tolist())


def _kinds(ranks: NDArray[np.int64], best: Depths) -> list[NDArray[np.int64]]:
    """All clicks, those that the best plan misses, and for each arm those that it has at the best rank."""
    reached = (ranks > 0) & (ranks <= best)
    nearest = np.where(ranks > 0, ranks, np.iinfo(np.int64).max)
    found = (ranks > 0).any(axis=1)
    of_arms = [ranks[found & (nearest.argmin(axis=1) == arm)] for arm in range(ranks.shape[1])]
    return [kind for kind in (ranks, ranks[~reached.any(axis=1)], *of_arms) if len(kind) >= _FEWEST]


def _frontier(menu: _Menu, ranks: NDArray[np.int64]) -> Depths:
    """[plans, arms] from the empty plan on, each with the step more that adds most coverage per millisecond."""
    depths, covered, cost = np.zeros(ranks.shape[1], dtype=np.int64), 0.0, 0.0
    nested: list[Depths] = []
    while len(steps := _steps(depths, menu.grid)):
        coverage, costs = _coverage(ranks, steps), menu.cost(steps)
        if coverage.max() <= covered:
            break
        step = int(np.argmax((coverage - covered) / np.maximum(costs - cost, _FREE_MS)))
        depths, covered, cost = steps[step], float(coverage[step]), float(costs[step])
        nested.append(depths)
    return np.array(nested)


def _steps(depths: Depths, grid: Sequence[int]) -> Depths:
    """[steps, arms] all plans that ask one arm deeper than depths [arms], as deep as in the grid."""
    deeper = [(arm, depth) for arm, now in enumerate(depths) for depth in grid if depth > now]
    plans = np.repeat(depths[None], len(deeper), axis=0)
    for row, (arm, depth) in enumerate(deeper):
        plans[row, arm] = depth
    return plans


def _coverage(ranks: NDArray[np.int64], depths: Depths) -> Doubles:
    """[n] share of the clicks that some arm of depths [n, arms] reaches. Arm by arm, to need [n, clicks] at a time."""
    missed = np.ones((len(depths), len(ranks)), dtype=bool)
    for arm in range(ranks.shape[1]):
        missed &= (ranks[:, arm] == 0) | (ranks[:, arm] > depths[:, arm, None])
    share: Doubles = 1 - missed.mean(axis=1)
    return share


def _named(clicks: ShadowedClicks, menu: _Menu, chosen: dict[tuple[int, ...], str]) -> list[BuiltPlan]:
    """`best` and `all` first, the others numbered, cheap ones first."""
    depths = np.array(list(chosen))
    coverage, cost = _coverage(clicks.ranks, depths).tolist(), menu.cost(depths).tolist()
    names = [name for name in chosen.values() if name]
    rows = zip(chosen.items(), coverage, cost, strict=True)
    ordered = [*islice(rows, len(names)), *sorted(rows, key=lambda row: (row[2], -row[1]))]
    return [
        BuiltPlan(
            Plan(
                name or f"plan-{number:02}",
                {arm: depth for arm, depth in zip(clicks.arms, asked, strict=True) if depth},
            ),
            covered,
            ms,
        )
        for number, ((asked, name), covered, ms) in enumerate(ordered, start=1 - len(names))
    ]


def _check(clicks: int, size: int) -> None:
    if not SMALLEST <= size <= LARGEST:
        message = f"A library of {size} plans was asked for; allowed are {SMALLEST} to {LARGEST}."
        raise InvalidInput("bad_library_size", message, "Choose a size in between.")
    if clicks < NEEDED:
        raise InvalidInput(
            "too_few_shadowed_clicks",
            f"There are {clicks} clicked items in searches with a full shadow; {NEEDED} are needed.",
            "Let more searches come in, or raise shadow.share.",
        )
