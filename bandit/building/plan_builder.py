"""Builds a library of complementary plans offline, from what shadow traffic knows of pages and of times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, cycle, islice, product

import numpy as np

from bandit.building.best_plan import best_fixed_plan
from bandit.building.shadowed_pages import Depths, ShadowedPages
from bandit.earned import Doubles
from core.errors import InvalidInput
from core.types import Plan

NEEDED = 100  # clicked items; the standard error of a coverage is then at most 0.05
SMALLEST, LARGEST = 16, 48
_PRICES = (1.0, 1.0, 4.0, 1.0, 0.25)  # of a millisecond, times the configured one; plans are picked by each in turn
_FREE_MS = 1e-3


@dataclass(frozen=True, slots=True)
class BuiltPlan:
    """`reward`: what it would have earned on the average; `coverage`: the share of the clicked items that its arms have
    within their depths; `cost_ms`: what they take."""

    plan: Plan
    reward: float
    coverage: float
    cost_ms: float


def build_plans(pages: ShadowedPages, *, size: int, cost_per_ms: float, seed: int) -> list[BuiltPlan]:
    """At most `size` distinct plans: `best` (fixed, see bandit.building.best_plan), `all`, and others in order of cost.

    A plan is worth reward - cost_per_ms * ms, as the policy scores it. The others are picked one by one: each is the
    one that adds most, if every clicked page were answered by the plan of the library that is worth most for it. Prices
    of a millisecond take turns in that, so that a library holds cheap and dear plans as well as specialists.
    InvalidInput with fewer than `NEEDED` clicks, or a size that isn't from `SMALLEST` to `LARGEST`.
    """
    _check(len(pages.clicks), size)
    menu = _Menu.of(pages)

    def value(depths: Depths) -> Doubles:
        found: Doubles = pages.mean_rewards(depths) - cost_per_ms * menu.cost(depths)
        return found

    best = best_fixed_plan(value, pages.arms, menu.grid, seed=seed)
    chosen = {tuple(best.get(arm, 0) for arm in pages.arms): "best"}
    chosen.setdefault((menu.grid[-1],) * len(pages.arms), "all")
    choices = np.array([*_few_arms(menu, len(pages.arms)), *_frontier(pages, menu)])
    for depths in _complements(pages, menu, np.array([*chosen]), choices, cost_per_ms):
        if len(chosen) >= size:
            break
        chosen.setdefault(depths, "")
    return _named(pages, menu, chosen)


@dataclass(frozen=True, slots=True)
class _Menu:
    """What can be asked of each arm, and for how much: `ms` is [arms, 1 + grid], 0 where nothing is asked."""

    grid: tuple[int, ...]
    ms: Doubles

    @classmethod
    def of(cls, pages: ShadowedPages) -> _Menu:
        grid = tuple(sorted({max(1, pages.depth // part) for part in (10, 5, 2, 1)}))
        ms = [[0.0, *(pages.times.milliseconds(arm, depth) for depth in grid)] for arm in pages.arms]
        return cls(grid, np.array(ms))

    def cost(self, depths: Depths) -> Doubles:
        """[n] milliseconds of depths [n, arms]."""
        picks = np.searchsorted((0, *self.grid), depths)
        total: Doubles = self.ms[np.arange(len(self.ms)), picks].sum(axis=1)
        return total


def _complements(
    pages: ShadowedPages, menu: _Menu, chosen: Depths, choices: Depths, cost_per_ms: float
) -> Iterator[tuple[int, ...]]:
    """The choices, at each price in turn the one that betters the best that the library has for each page by most."""
    rewards, ms = pages.rewards(choices), menu.cost(choices)[:, None]
    had, had_ms = pages.rewards(chosen), menu.cost(chosen)[:, None]
    left = np.ones(len(choices), dtype=bool)
    for price in islice(cycle(_PRICES), len(choices)):
        worth = rewards - price * cost_per_ms * ms
        best = (had - price * cost_per_ms * had_ms).max(axis=0)
        gains = np.where(left, np.maximum(worth - best, 0.0).mean(axis=1), -1.0)
        pick = int(np.lexsort((worth.mean(axis=1), gains))[-1])  # where nothing adds any more, the best on the average
        left[pick] = False
        had, had_ms = np.vstack([had, rewards[pick]]), np.vstack([had_ms, ms[pick]])
        yield tuple(choices[pick].tolist())


def _few_arms(menu: _Menu, arms: int) -> Iterator[tuple[int, ...]]:
    """All plans of one arm or two."""
    for asked in (each for count in (1, 2) for each in combinations(range(arms), count)):
        for depths in product(menu.grid, repeat=len(asked)):
            deep = dict(zip(asked, depths, strict=True))
            yield tuple(deep.get(arm, 0) for arm in range(arms))


def _frontier(pages: ShadowedPages, menu: _Menu) -> Iterator[tuple[int, ...]]:
    """From the empty plan on, each with the step more that adds most reward per millisecond."""
    depths, reward, cost = np.zeros(len(pages.arms), dtype=np.int64), 0.0, 0.0
    while len(steps := _steps(depths, menu.grid)):
        rewards, costs = pages.mean_rewards(steps), menu.cost(steps)
        if rewards.max() <= reward:
            break
        step = int(np.argmax((rewards - reward) / np.maximum(costs - cost, _FREE_MS)))
        depths, reward, cost = steps[step], float(rewards[step]), float(costs[step])
        yield tuple(depths.tolist())


def _steps(depths: Depths, grid: tuple[int, ...]) -> Depths:
    """[steps, arms] all plans that ask one arm deeper than depths [arms], as deep as in the grid."""
    deeper = [(arm, depth) for arm, now in enumerate(depths) for depth in grid if depth > now]
    plans = np.repeat(depths[None], len(deeper), axis=0)
    for row, (arm, depth) in enumerate(deeper):
        plans[row, arm] = depth
    return plans


def _named(pages: ShadowedPages, menu: _Menu, chosen: dict[tuple[int, ...], str]) -> list[BuiltPlan]:
    """`best` and `all` first, the others numbered, cheap ones first."""
    depths = np.array(list(chosen))
    figures = pages.mean_rewards(depths).tolist(), pages.coverage(depths).tolist(), menu.cost(depths).tolist()
    names = [name for name in chosen.values() if name]
    rows = zip(chosen.items(), *figures, strict=True)
    ordered = [*islice(rows, len(names)), *sorted(rows, key=lambda row: (row[3], -row[1]))]
    return [
        BuiltPlan(
            Plan(
                name or f"plan-{number:02}",
                {arm: depth for arm, depth in zip(pages.arms, asked, strict=True) if depth},
            ),
            reward,
            covered,
            ms,
        )
        for number, ((asked, name), reward, covered, ms) in enumerate(ordered, start=1 - len(names))
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
