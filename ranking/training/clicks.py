"""How well scores order clicks that were made on pages somebody else ordered, and how likely they make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.types import Floats
from ranking.training.rows import ClickedPage, Doubles

Score = Callable[[Floats], Doubles]
_STEPS = 50
_LEAST = 1e-6


def debiased_ndcg(pages: Sequence[ClickedPage], score: Score) -> float:
    """DCG of the clicked items, each weighted by 1 / examination of where it was shown (Joachims et al. 2017), over
    that of the best order, both summed over pages: the mean of ratios would cancel the weights of pages of one click.
    """
    return _Stacked(pages).ndcg(score(_stacked(pages))) if pages else 0.0


class _Stacked:
    """The debiased gains of many pages side by side, so that each boosting round is judged at little cost."""

    def __init__(self, pages: Sequence[ClickedPage]) -> None:
        sizes = [len(page.gains) for page in pages]
        self._pages = np.repeat(np.arange(len(pages)), sizes)
        # Ranks are counted within the page: rows are sorted by page first.
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])[self._pages]
        self._positions = np.concatenate([page.positions for page in pages])
        self._gains = np.concatenate([np.maximum(page.gains, 0) / page.examination for page in pages])
        self._ideal = self._dcg(np.lexsort((-self._gains, self._pages))).sum()

    def ndcg(self, scores: Doubles) -> float:
        # Ties go to what was shown last: a model that cannot decide must not inherit the logged order as its own.
        return float(self._dcg(np.lexsort((-self._positions, -scores, self._pages))).sum() / self._ideal)

    def _dcg(self, order: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Doubles:
        discounts = 1 / np.log2(2 + np.arange(len(order)) - self._starts)
        found: Doubles = np.bincount(self._pages, self._gains[order] * discounts).astype(np.float64)
        return found


def ndcg_by_round(pages: Sequence[ClickedPage]) -> Callable[[Doubles], float]:
    """From the scores of all shown rows of these pages, one below the other."""
    return _Stacked(pages).ndcg


@dataclass(frozen=True, slots=True)
class ClickModel:
    """P(click) = examination * sigmoid(slope * score + level): position-based, with calibrated scores (Platt 1999)."""

    slope: float
    level: float

    def log_likelihood(self, pages: Sequence[ClickedPage], score: Score) -> float:
        """Of the clicks of a page, the mean over pages."""
        scores, looked, clicked = _columns(pages, score)
        chance = np.clip(looked * _sigmoid(self.slope * scores + self.level), _LEAST, 1 - _LEAST)
        return float(np.sum(np.where(clicked, np.log(chance), np.log1p(-chance)))) / len(pages)


def calibrated(pages: Sequence[ClickedPage], score: Score) -> ClickModel:
    """The most likely slope (0 at least: a score may not mean the contrary) and level, by Fisher scoring."""
    scores, looked, clicked = _columns(pages, score)
    middle, spread = float(scores.mean()), float(scores.std()) or 1.0
    columns = np.column_stack([(scores - middle) / spread, np.ones(len(scores))])
    found = np.zeros(2)
    for _ in range(_STEPS):
        attraction = _sigmoid(columns @ found)
        chance = np.clip(looked * attraction, _LEAST, 1 - _LEAST)
        slope = looked * attraction * (1 - attraction)
        towards = columns.T @ (slope * (clicked - chance) / (chance * (1 - chance)))
        information = columns.T @ (columns * (slope**2 / (chance * (1 - chance)))[:, None]) + _LEAST * np.eye(2)
        found = np.clip(found + np.linalg.solve(information, towards), -20, 20)
    steep = max(float(found[0]), 0.0) / spread
    return ClickModel(steep, float(found[1]) - steep * middle)


def _columns(pages: Sequence[ClickedPage], score: Score) -> tuple[Doubles, Doubles, Doubles]:
    """[rows] score, examination, 1 where clicked."""
    looked = np.concatenate([page.examination for page in pages])
    clicked = np.concatenate([page.gains > 0 for page in pages]).astype(np.float64)
    return score(_stacked(pages)), looked, clicked


def _stacked(pages: Sequence[ClickedPage]) -> Floats:
    return np.vstack([page.features for page in pages])


def _sigmoid(values: Doubles) -> Doubles:
    found: Doubles = 1 / (1 + np.exp(-np.clip(values, -30, 30)))
    return found
