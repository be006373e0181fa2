"""What any plan would have shown and earned on a recorded world: its answers cut to the plan's depths, united, fused.

The order is that of ranking.rrf on retrievers.union: by the sum of 1 / (60 + rank), and of equals the one first, which
the union sees first. The expected reward of an answer is the sum over its first ten of P(click at the position) /
log2(1 + position), cut to 1, with the probabilities of a position-based click model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking.rrf import RRF_K
from simulation.clicks import PositionBasedClicks

PAGE = 10
Depths = NDArray[np.int64]
Doubles = NDArray[np.float64]
_NOWHERE = 30_000  # as a rank: below every depth
_TIE = 1e-15  # more than the rounding of such sums, and less than their differences


@dataclass(frozen=True, slots=True)
class Shown:
    """The first ten of each search: `rows` [T, 10] into the world's rows, -1 where nothing was left to show."""

    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hindsight:
    """T searches, W rows each, of which a row is an item that some plan could show; A arms.

    `ranks` [A, T, W]: every arm's rank of the item, from 1. `attraction` [T, W]: P(click | it is looked at), so that
    P(click at position k) = looked[k - 1] * attraction.
    """

    ranks: NDArray[np.int16]
    attraction: Doubles
    looked: Doubles

    @classmethod
    def of(
        cls, found: NDArray[np.int32], grades: Sequence[Mapping[int, int]], clicks: PositionBasedClicks
    ) -> Hindsight:
        """`found` [T, A, depth]: numbers of items, -1 after the last; `grades` by number, one mapping per search."""
        searches = [_reachable(*_rank_table(answers)) for answers in found]
        width = max(len(items) for items, _ in searches)
        ranks = np.full((found.shape[1], len(found), width), _NOWHERE, dtype=np.int16)
        attraction = np.zeros((len(found), width))
        for n, ((items, table), graded) in enumerate(zip(searches, grades, strict=True)):
            ranks[:, n, : len(items)] = table.T
            attraction[n, : len(items)] = _attraction([graded.get(item, 0) for item in items.tolist()], clicks)
        return cls(ranks, attraction, clicks.probabilities([clicks.best] * PAGE))

    def part(self, searches: NDArray[np.int64]) -> Hindsight:
        """The same of some of the searches."""
        return Hindsight(self.ranks[:, searches], self.attraction[searches], self.looked)

    def shown(self, depths: Depths) -> NDArray[np.int64]:
        """[T, 10] rows shown, in order, by a plan of depths [A]; -1 where the union has fewer."""
        fused = np.zeros(self.attraction.shape)
        seen = np.full(self.attraction.shape, _NOWHERE, dtype=np.int16)
        for arm, depth in enumerate(depths.tolist()):
            if depth:
                ranks = self.ranks[arm]
                fused += _gains(depth)[np.minimum(ranks, depth + 1)]
                first = np.where(ranks <= depth, arm * (_DEEPEST + 1) + ranks, _NOWHERE).astype(np.int16)
                np.minimum(seen, first, out=seen)
        keys = np.where(seen < _NOWHERE, fused - seen * _TIE, -1.0)
        best = np.argpartition(-keys, PAGE - 1, axis=1)[:, :PAGE] if keys.shape[1] > PAGE else _all_rows(keys)
        values = np.take_along_axis(keys, best, axis=1)
        order = np.argsort(-values, axis=1)
        rows = np.take_along_axis(np.where(values >= 0, best, -1), order, axis=1)
        return rows

    def chances(self, shown: NDArray[np.int64]) -> Doubles:
        """[T, 10] P(click) of every shown row, 0 where nothing is shown."""
        attraction = np.take_along_axis(self.attraction, np.maximum(shown, 0), axis=1)
        chances: Doubles = self.looked[: shown.shape[1]] * np.where(shown >= 0, attraction, 0.0)
        return chances

    def rewards(self, shown: NDArray[np.int64]) -> Doubles:
        """[T] expected reward of what is shown."""
        chances = self.chances(shown)
        total: Doubles = np.minimum(1.0, chances @ discounts(chances.shape[1]))
        return total


_DEEPEST = 1_000


def discounts(count: int) -> Doubles:
    """[count] what a click at each position is worth, from 1 on: see feedback.reward."""
    worth: Doubles = 1 / np.log2(1 + np.arange(1, count + 1))
    return worth


def _gains(depth: int) -> Doubles:
    """[depth + 2] the share of each rank in the fused score; 0 for rank 0 and beyond the depth."""
    ranks = np.arange(depth + 2)
    gains: Doubles = np.where((ranks >= 1) & (ranks <= depth), 1 / (RRF_K + ranks), 0.0)
    return gains


def _all_rows(keys: Doubles) -> NDArray[np.int64]:
    return np.tile(np.arange(keys.shape[1]), (len(keys), 1))


def _rank_table(answers: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """(items [U], ranks [U, A]) of answers [A, depth]."""
    arms, ranks = np.nonzero(answers >= 0)
    items, rows = np.unique(answers[arms, ranks], return_inverse=True)
    table = np.full((len(items), len(answers)), _NOWHERE, dtype=np.int16)
    table[rows, arms] = ranks + 1
    return items, table


def _reachable(items: NDArray[np.int32], ranks: NDArray[np.int16]) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Without what no plan can show: an item has no chance when ten others are above it in every arm that has it."""
    above = np.ones((len(items), len(items)), dtype=np.int16)
    for column in ranks.T:
        above &= (column[:, None] == _NOWHERE) | (column[:, None] > column[None, :])
    possible = above.sum(axis=1) < PAGE
    return items[possible], ranks[possible]


def _attraction(grades: Sequence[int], clicks: PositionBasedClicks) -> Doubles:
    """P(click | looked at) of each grade."""
    by_grade = np.array([clicks.probabilities([grade])[0] for grade in range(clicks.best + 1)])
    attraction: Doubles = by_grade[np.array(grades, dtype=np.int64)]
    return attraction
