"""Where people look: the examination curve, estimated from the log itself.

The policy draws plans, so the same answer to the same query appears at several positions. How its clicks differ between
them is the effect of the position alone ("intervention harvesting", Agarwal et al. 2019). Only searches of one release
are compared: a new one moves up what was clicked by luck, which then disappoints there, and the curve would come out
far too flat. Neighbours that were swapped at random are compared whatever the release; the surer of both comparisons
counts.

Whoever has clicked looks less at what is below. By how much is estimated, too, from the same answer to the same query,
now below a click and now not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import or_

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
_UNDECIDED = 5.0  # clicks below a click, and as many expected there, that count as seen before any were
_FIRST_AFTER = 500

Cell = tuple[str, str, int]  # circumstances, what, position
Counts = list[int]  # times shown and clicked where nothing above was clicked, then where something was
Curve = NDArray[np.float64]


def assumed_curve() -> Curve:
    """[POSITIONS] examination relative to the first position, before any evidence."""
    return np.array([examination(position) for position in range(1, POSITIONS + 1)])


@dataclass(frozen=True, slots=True)
class Estimate:
    """[POSITIONS] the curve, whose first is 1, and the standard error of its logarithm. Below an item that was clicked,
    examination is `after_click` times that, at most as much."""

    curve: Curve
    log_error: Curve
    after_click: float

    def interval(self) -> tuple[Curve, Curve]:
        """95 %, by Fisher information: (low, high)."""
        far = 1.96 * self.log_error
        return self.curve * np.exp(-far), np.minimum(self.curve * np.exp(far), 1.0)


def estimate(cells: Mapping[Cell, Counts], after_click: float = 1.0) -> Estimate:
    """The curve that tells the clicks; what is shown below a click counts as shown `after_click` times.

    Clicks of a pair (circumstances, what) at position k are taken as Poisson with mean shown * attraction *
    examination(k); given their sum over positions the attraction cancels out: every pair is compared only with itself,
    and pairs seen at one position say nothing. What remains is concave in the logarithm of the curve. That has a prior:
    a power of the assumed curve times a power of the position (the curve of Joachims et al. 2017), both estimated, the
    first being 1 and the second 0 unless clicks say otherwise. Each position varies around it; by how much is chosen by
    the marginal likelihood (Laplace).
    """
    shown, clicked = _moved(cells, after_click)
    _, curve, log_error = max((_fit(shown, clicked, spread) for spread in _SPREADS), key=lambda fit: fit[0])
    return Estimate(curve, log_error, after_click)


def looked_after_click(seen: Iterable[Sequence[float]]) -> float:
    """How many times as often people look at something when they have clicked above it, at most 1.

    `seen`, of each answer to each query: how often it would have been looked at by the curve alone where nothing above
    was clicked, its clicks there, and the same two below a click. The ratio of both rates (Mantel and Haenszel 1959,
    for rates as in Rothman and Boice 1979) is drawn towards 1 where clicks are few.
    """
    free, free_clicks, below, below_clicks = np.array([*seen, (0, 0, 0, 0)], dtype=np.float64).T
    every = np.maximum(free + below, 1e-9)
    clicked, expected = float(below_clicks @ (free / every)), float(free_clicks @ (below / every))
    return min((clicked + _UNDECIDED) / (expected + _UNDECIDED), 1.0)


def _moved(cells: Mapping[Cell, Counts], after_click: float) -> tuple[Curve, Curve]:
    """[pairs, POSITIONS] times shown and clicked, of pairs that were clicked and shown at two positions or more."""
    pairs: dict[tuple[str, str], int] = {}
    pair = np.array([pairs.setdefault((where, what), len(pairs)) for where, what, _ in cells], dtype=np.int64)
    column = np.array([position - 1 for _, _, position in cells], dtype=np.int64)
    free, free_clicks, below, below_clicks = np.array([*cells.values()], dtype=np.float64).reshape(-1, 4).T
    counts = np.column_stack([free + after_click * below, free_clicks + below_clicks])
    places = np.bincount(pair, minlength=len(pairs))
    useful = (places > 1) & (np.bincount(pair, counts[:, 1], minlength=len(pairs)) > 0)
    row = np.cumsum(useful) - 1
    kept = useful[pair]
    shown, clicked = np.zeros((2, int(useful.sum()), POSITIONS))
    shown[row[pair[kept]], column[kept]], clicked[row[pair[kept]], column[kept]] = counts[kept].T
    return shown, clicked


def _fit(shown: Curve, clicked: Curve, spread: float) -> tuple[float, Curve, Curve]:
    """(log marginal likelihood but for a constant, curve, standard error of its logarithm) by Newton's method.

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
    return likelihood, np.minimum(np.exp(design @ unknown), 1.0), error


class PositionBias:
    """Corrects episodes in log order with what all earlier ones have shown: a function of the log, not of the clock."""

    def __init__(self, *, first_after: int = _FIRST_AFTER) -> None:
        """Estimates first after so many episodes, then again whenever there are a tenth more."""
        self._cells: OrderedDict[Cell, Counts] = OrderedDict()
        self._swaps: dict[Cell, Counts] = {}
        self._seen = 0
        self._due = first_after
        self.curve, self.after_click = assumed_curve(), 1.0

    def correct(self, episodes: Sequence[Episode]) -> list[Episode]:
        """The episodes with the estimated examination of every shown item."""
        return [self._correct(episode) for episode in episodes]

    def estimated(self) -> Estimate:
        """From all episodes up to now: by what has moved within a release or by swaps, whichever tells more."""
        found = [estimate(cells, self.after_click) for cells in (self._cells, self._swaps)]
        surer = min(found, key=lambda each: float(each.log_error[_TOLD]))
        return replace(surer, after_click=looked_after_click(self._seen_by(surer.curve)))

    def examined(self, position: int) -> float:
        """Examination at `position`, from 1, below nothing that was clicked."""
        if position <= POSITIONS:
            return float(self.curve[position - 1])
        return float(self.curve[-1]) * examination(position) / examination(POSITIONS)

    def _correct(self, episode: Episode) -> Episode:
        positions = range(episode.impression.first_position, episode.impression.first_position + len(episode.gains))
        below = _below_click(episode.gains)
        places = zip(positions, below, strict=True)
        looked = tuple(self.examined(position) * (self.after_click if late else 1.0) for position, late in places)
        self._count(episode, positions, below)
        return replace(episode, examination=looked)

    def _count(self, episode: Episode, positions: range, below: Sequence[bool]) -> None:
        impression = episode.impression
        key = query_key(impression.query.text)
        if key and not impression.query.filters:
            circumstances = f"{key}\n{impression.release}"
            for item_id, gain, position, late in zip(impression.shown, episode.gains, positions, below, strict=True):
                _add(self._cells, (circumstances, item_id, position), gain > 0, late)
                if position <= POSITIONS:
                    self._cells.move_to_end((circumstances, item_id, position))
        if impression.swap_propensity < 1:
            for rank, gain, position, late in zip(_ranks(impression), episode.gains, positions, below, strict=True):
                _add(self._swaps, (_lottery(impression), str(rank), position), gain > 0, late)
        while len(self._cells) > _MAX_CELLS:
            self._cells.popitem(last=False)
        self._seen += 1
        if self._seen >= self._due:
            self._due = self._seen + max(_FIRST_AFTER, self._seen // 10)
            found = self.estimated()
            self.curve, self.after_click = found.curve, found.after_click

    def _seen_by(self, curve: Curve) -> Iterable[Sequence[float]]:
        """Of every answer to every query, over positions and releases: see `looked_after_click`."""
        answers: dict[tuple[str, str], list[float]] = {}
        for (circumstances, what, position), (free, free_clicks, below, below_clicks) in self._cells.items():
            seen = answers.setdefault((circumstances.partition("\n")[0], what), [0.0, 0.0, 0.0, 0.0])
            looked = curve[position - 1]
            for n, more in enumerate((free * looked, free_clicks, below * looked, below_clicks)):
                seen[n] += more
        return answers.values()


def _add(cells: dict[Cell, Counts], cell: Cell, clicked: bool, below: bool) -> None:
    """`below`: something above it was clicked."""
    if cell[-1] <= POSITIONS:
        counts = cells.setdefault(cell, [0, 0, 0, 0])
        counts[2 * below] += 1
        counts[2 * below + 1] += clicked


def _below_click(gains: Sequence[float]) -> list[bool]:
    """For every shown item, whether something above it was clicked."""
    return [False, *accumulate((gain > 0 for gain in gains), or_)][: len(gains)]


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
