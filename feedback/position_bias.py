"""Where people look: the examination curve, estimated from the log itself.

The policy draws plans and models change, so the same answer to the same query appears at several positions. How its
clicks differ between them is the effect of the position alone ("intervention harvesting", Agarwal et al. 2019).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.rates import examination
from core.text import query_key
from core.types import Episode, ItemId

POSITIONS = 50  # estimated; further down the assumed curve goes on from there
_STRENGTH = 10.0  # clicks that the assumed curve counts for, at every position
_MAX_CELLS = 200_000
_ITERATIONS = 100
_FIRST_AFTER = 500  # episodes; then again whenever there are a tenth more

Cell = tuple[str, ItemId, int]
Curve = NDArray[np.float64]


def assumed_curve() -> Curve:
    """[POSITIONS] examination relative to the first position, before any evidence."""
    return np.array([examination(position) for position in range(1, POSITIONS + 1)])


def estimate(cells: Mapping[Cell, Sequence[int]]) -> Curve:
    """[POSITIONS] examination from (query, item, position) -> (times shown, times clicked); the first is 1.

    Clicks of a (query, item) at position k are taken as Poisson with mean shown * attraction * examination(k); given
    their sum over positions the attraction cancels out: every pair is compared only with itself, and pairs seen at one
    position say nothing. Maximum a posteriori, the assumed curve being the prior, by fixed-point iteration.
    """
    pairs: dict[tuple[str, ItemId], int] = {}
    pair = np.array([pairs.setdefault((key, item), len(pairs)) for key, item, _ in cells], dtype=np.int64)
    column = np.array([position - 1 for _, _, position in cells], dtype=np.int64)
    shown, clicked = np.array(list(cells.values()), dtype=np.float64).reshape(-1, 2).T
    prior = curve = assumed_curve()
    clicks_of_pair = np.bincount(pair, clicked, minlength=len(pairs))
    clicks_at = np.bincount(column, clicked, minlength=POSITIONS)
    for _ in range(_ITERATIONS):
        attraction = clicks_of_pair / np.bincount(pair, shown * curve[column], minlength=len(pairs))
        expected = np.bincount(column, shown * attraction[pair], minlength=POSITIONS)
        curve = (clicks_at + _STRENGTH * prior) / (expected + _STRENGTH)
        curve = np.minimum(curve / curve[0], 1.0)
    return curve


class PositionBias:
    """Corrects episodes in log order with what all earlier ones have shown: a function of the log, not of the clock."""

    def __init__(self) -> None:
        self._cells: OrderedDict[Cell, list[int]] = OrderedDict()
        self._seen = 0
        self._due = _FIRST_AFTER
        self.curve = assumed_curve()

    def correct(self, episodes: Sequence[Episode]) -> list[Episode]:
        """The episodes with the estimated examination of every shown item."""
        return [self._correct(episode) for episode in episodes]

    def examined(self, position: int) -> float:
        """Examination at `position`, from 1."""
        if position <= POSITIONS:
            return float(self.curve[position - 1])
        return float(self.curve[-1]) * examination(position) / examination(POSITIONS)

    def _correct(self, episode: Episode) -> Episode:
        positions = range(episode.impression.first_position, episode.impression.first_position + len(episode.gains))
        corrected = replace(episode, examination=tuple(map(self.examined, positions)))
        self._count(episode, positions)
        return corrected

    def _count(self, episode: Episode, positions: range) -> None:
        impression = episode.impression
        key = query_key(impression.query.text)
        if key and not impression.query.filters:
            for item_id, gain, position in zip(impression.shown, episode.gains, positions, strict=True):
                if position <= POSITIONS:
                    counts = self._cells.setdefault((key, item_id, position), [0, 0])
                    counts[0] += 1
                    counts[1] += gain > 0
                    self._cells.move_to_end((key, item_id, position))
        while len(self._cells) > _MAX_CELLS:
            self._cells.popitem(last=False)
        self._seen += 1
        if self._seen >= self._due:
            self._due = self._seen + max(_FIRST_AFTER, self._seen // 10)
            self.curve = estimate(self._cells)
