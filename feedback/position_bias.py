"""Where people look: the examination curve, estimated from the log itself.

The policy draws plans, so the same answer to the same query appears at several positions. How its clicks differ between
them is the effect of the position alone ("intervention harvesting", Agarwal et al. 2019). Only searches of one release
are compared: a new one moves up what was clicked by luck, which then disappoints there, and the curve would come out
far too flat. Neighbours that were swapped at random are compared whatever the release; the surer of both comparisons
counts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.episodes import LAST_SWAPPED, Episode, Impression
from core.rates import examination
from core.text import query_key

POSITIONS = 50  # estimated; further down the assumed curve goes on from there
_POWER_SPREAD = 1.0  # of the two powers, as standard deviation
_SPREADS = (0.03, 0.1, 0.3, 1.0)  # of single positions around that power, as standard deviations of the logarithm
_TOLD = 9  # the position, from 0, by whose error it is said which comparison tells more
_MAX_CELLS = 200_000
_ITERATIONS = 50
_CONVERGED = 1e-6
_FIRST_AFTER = 500

Cell = tuple[str, str, int]
Curve = NDArray[np.float64]


def assumed_curve() -> Curve:
    """[POSITIONS] examination relative to the first position, before any evidence."""
    return np.array([examination(position) for position in range(1, POSITIONS + 1)])


@dataclass(frozen=True, slots=True)
class Estimate:
    """[POSITIONS] the curve, whose first is 1, and the standard error of its logarithm."""

    curve: Curve
    log_error: Curve

    def interval(self) -> tuple[Curve, Curve]:
        """95 %, by Fisher information: (low, high)."""
        far = 1.96 * self.log_error
        return self.curve * np.exp(-far), np.minimum(self.curve * np.exp(far), 1.0)


def estimate(cells: Mapping[Cell, Sequence[int]]) -> Estimate:
    """Examination from (circumstances, what, position) -> (times shown, times clicked).

    Clicks of a pair (circumstances, what) at position k are taken as Poisson with mean shown * attraction *
    examination(k); given their sum over positions the attraction cancels out: every pair is compared only with itself,
    and pairs seen at one position say nothing. What remains is concave in the logarithm of the curve. That has a prior:
    a power of the assumed curve times a power of the position (the curve of Joachims et al. 2017), both estimated, the
    first being 1 and the second 0 unless clicks say otherwise. Each position varies around it; by how much is chosen by
    the marginal likelihood (Laplace).
    """
    shown, clicked = _moved(cells)
    fits = [_fit(shown, clicked, spread) for spread in _SPREADS]
    return max(fits, key=lambda fit: fit[0])[1]


def _moved(cells: Mapping[Cell, Sequence[int]]) -> tuple[Curve, Curve]:
    """[pairs, POSITIONS] times shown and clicked, of pairs that were clicked and shown at two positions or more."""
    pairs: dict[tuple[str, str], int] = {}
    pair = np.array([pairs.setdefault((where, what), len(pairs)) for where, what, _ in cells], dtype=np.int64)
    column = np.array([position - 1 for _, _, position in cells], dtype=np.int64)
    counts = np.array(list(cells.values()), dtype=np.float64).reshape(-1, 2)
    places = np.bincount(pair, minlength=len(pairs))
    useful = (places > 1) & (np.bincount(pair, counts[:, 1], minlength=len(pairs)) > 0)
    row = np.cumsum(useful) - 1
    kept = useful[pair]
    shown, clicked = np.zeros((2, int(useful.sum()), POSITIONS))
    shown[row[pair[kept]], column[kept]], clicked[row[pair[kept]], column[kept]] = counts[kept].T
    return shown, clicked


def _fit(shown: Curve, clicked: Curve, spread: float) -> tuple[float, Estimate]:
    """(log marginal likelihood but for a constant, estimate) by Newton's method.

    Unknown are the powers of the assumed curve and of the position and, from the second on, what is apart from these.
    """
    powers = np.column_stack([np.log(assumed_curve()), -np.log(np.arange(1, POSITIONS + 1))])
    design = np.hstack([powers, np.eye(POSITIONS)[:, 1:]])
    mean = np.eye(len(design.T))[0]
    precision = np.array([_POWER_SPREAD**-2] * 2 + [spread**-2] * (POSITIONS - 1))
    each, at = clicked.sum(axis=1), clicked.sum(axis=0)
    unknown = mean.copy()
    for _ in range(_ITERATIONS):
        chances = shown * np.exp(design @ unknown)
        chances /= chances.sum(axis=1, keepdims=True)
        expected = each @ chances
        information = np.diag(expected) - chances.T @ (chances * each[:, None])
        curvature = design.T @ information @ design + np.diag(precision)
        step = np.linalg.solve(curvature, design.T @ (at - expected) - precision * (unknown - mean))
        unknown = unknown + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _CONVERGED:
            break
    likelihood = float(np.sum(clicked * np.log(np.where(clicked > 0, chances, 1.0))))
    likelihood -= float(precision @ (unknown - mean) ** 2) / 2
    likelihood += (float(np.log(precision).sum()) - float(np.linalg.slogdet(curvature)[1])) / 2
    error = np.sqrt(np.einsum("ij,jk,ik->i", design, np.linalg.inv(curvature), design))
    return likelihood, Estimate(np.minimum(np.exp(design @ unknown), 1.0), error)


class PositionBias:
    """Corrects episodes in log order with what all earlier ones have shown: a function of the log, not of the clock."""

    def __init__(self, *, first_after: int = _FIRST_AFTER) -> None:
        """Estimates first after so many episodes, then again whenever there are a tenth more."""
        self._cells: OrderedDict[Cell, list[int]] = OrderedDict()
        self._swaps: dict[Cell, list[int]] = {}
        self._seen = 0
        self._due = first_after
        self.curve = assumed_curve()

    def correct(self, episodes: Sequence[Episode]) -> list[Episode]:
        """The episodes with the estimated examination of every shown item."""
        return [self._correct(episode) for episode in episodes]

    def estimated(self) -> Estimate:
        """From all episodes up to now: by what has moved within a release or by swaps, whichever tells more."""
        found = [estimate(cells) for cells in (self._cells, self._swaps)]
        return min(found, key=lambda each: float(each.log_error[_TOLD]))

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
            circumstances = f"{key}\n{impression.release}"
            for item_id, gain, position in zip(impression.shown, episode.gains, positions, strict=True):
                _add(self._cells, (circumstances, item_id, position), gain > 0)
                if position <= POSITIONS:
                    self._cells.move_to_end((circumstances, item_id, position))
        if impression.swap_propensity < 1:
            for rank, gain, position in zip(_ranks(impression), episode.gains, positions, strict=True):
                _add(self._swaps, (_lottery(impression), str(rank), position), gain > 0)
        while len(self._cells) > _MAX_CELLS:
            self._cells.popitem(last=False)
        self._seen += 1
        if self._seen >= self._due:
            self._due = self._seen + max(_FIRST_AFTER, self._seen // 10)
            self.curve = self.estimated().curve


def _add(cells: dict[Cell, list[int]], cell: Cell, clicked: bool) -> None:
    if cell[-1] <= POSITIONS:
        counts = cells.setdefault(cell, [0, 0])
        counts[0] += 1
        counts[1] += clicked


def _lottery(impression: Impression) -> str:
    """Pages on which every swap was as likely: there, chance alone decides whether a rank's item is at its place."""
    pairs = min(len(impression.shown), LAST_SWAPPED + 2 - impression.first_position) - 1
    swap = impression.swap_propensity * pairs if impression.swapped else 1 - impression.swap_propensity
    return f"swap {impression.first_position} {pairs} {swap:.6f}"


def _ranks(impression: Impression) -> list[int]:
    """Of every shown item the position that it would have without the swap."""
    ranks = list(range(impression.first_position, impression.first_position + len(impression.shown)))
    if impression.swapped:
        first = impression.swapped - impression.first_position
        ranks[first], ranks[first + 1] = ranks[first + 1], ranks[first]
    return ranks
