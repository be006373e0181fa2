"""Fixed fusions of several arms' answers: what most hybrid search runs today, and the bar for what is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.seeds import generator
from core.types import ItemId
from ranking.metrics import Judgments, answerable, ndcg_by_query
from ranking.rrf import RRF_K

Hits = Sequence[tuple[ItemId, float]]  # an arm's answer, best first
Answers = Mapping[str, Mapping[str, Hits]]  # query text -> arm -> hits
_DRAWN = 300
_FOLDS = 5
_KEPT = 100


def reciprocal_rank(hits: Mapping[str, Hits], arms: Sequence[str]) -> list[ItemId]:
    """Ids by the sum of 1 / (60 + rank) over the arms (Cormack, Clarke and Buettcher 2009)."""
    scores: dict[ItemId, float] = {}
    for arm in arms:
        for rank, (item_id, _) in enumerate(hits.get(arm, ()), start=1):
            scores[item_id] = scores.get(item_id, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores, key=lambda item_id: (-scores[item_id], item_id))


def tuned(answers: Answers, judgments: Judgments, arms: Sequence[str], *, seed: int = 1) -> dict[str, list[ItemId]]:
    """The best fixed convex combination of min-max-normalised scores (Bruch, Gai and Ingber 2023), by query.

    The weights for a fifth of the queries are those, of some hundred settings, with the best mean nDCG@10 on the other
    four fifths: no query helps to choose its own.
    """
    queries = [text for text in answerable(judgments) if text in answers]
    weights = _settings(arms, seed)
    ordered, quality = _tried(answers, judgments, arms, weights, queries)
    chosen: dict[str, list[ItemId]] = {}
    for fold in range(_FOLDS):
        others = np.arange(len(queries)) % _FOLDS != fold
        best = int(np.argmax(quality[:, others].mean(axis=1))) if others.any() else 0
        chosen |= {text: ordered[best][text] for text in queries[fold::_FOLDS]}
    return chosen


def best_weights(answers: Answers, judgments: Judgments, arms: Sequence[str], *, seed: int = 1) -> dict[str, float]:
    """Arm -> weight of the setting with the best mean nDCG@10 on these queries: for use on others."""
    queries = [text for text in answerable(judgments) if text in answers]
    weights = _settings(arms, seed)
    _, quality = _tried(answers, judgments, arms, weights, queries)
    best = weights[int(np.argmax(quality.mean(axis=1)))]
    return dict(zip(arms, best.tolist(), strict=True))


def weighted(answers: Answers, weights: Mapping[str, float]) -> dict[str, list[ItemId]]:
    """Every query's best hundred by the convex combination with these weights."""
    arms, values = tuple(weights), np.array(list(weights.values()))
    return {text: _Table(hits, arms).order(values) for text, hits in answers.items()}


def best_arm(answers: Answers, judgments: Judgments, arms: Sequence[str]) -> dict[str, list[ItemId]]:
    """Every query answered by the arm that does best on it: an oracle, the most that choosing one arm can reach."""
    runs = {arm: {text: _ids(hits.get(arm, ())) for text, hits in answers.items()} for arm in arms}
    quality = {arm: ndcg_by_query(run, judgments) for arm, run in runs.items()}
    return {text: runs[max(arms, key=lambda arm: quality[arm].get(text, 0.0))][text] for text in answers}


def _tried(
    answers: Answers, judgments: Judgments, arms: Sequence[str], weights: NDArray[np.float64], queries: Sequence[str]
) -> tuple[list[dict[str, list[ItemId]]], NDArray[np.float64]]:
    """Per setting every query's order, and [settings, queries] nDCG@10."""
    tables = {text: _Table(answers[text], arms) for text in queries}
    ordered = [{text: table.order(setting) for text, table in tables.items()} for setting in weights]
    each = [ndcg_by_query({text: ids[:10] for text, ids in run.items()}, judgments) for run in ordered]
    return ordered, np.array([[found.get(text, 0.0) for text in queries] for found in each])


def _ids(hits: Hits) -> list[ItemId]:
    return [item_id for item_id, _ in hits]


def _settings(arms: Sequence[str], seed: int) -> NDArray[np.float64]:
    """[settings, arms] weights that sum to 1: equal ones, every pair in steps of a tenth, and draws over all arms."""
    equal = np.full((1, len(arms)), 1 / len(arms))
    one = np.eye(len(arms))
    pairs = [
        share * one[first] + (1 - share) * one[second]
        for first, second in combinations(range(len(arms)), 2)
        for share in np.arange(1, 10) / 10
    ]
    drawn = generator(seed, "fusion").dirichlet(np.full(len(arms), 0.5), _DRAWN)
    return np.vstack([equal, *pairs, drawn])


class _Table:
    """One query's candidates with each arm's score, scaled to 0..1 within the arm's answer; 0 where it had none."""

    def __init__(self, hits: Mapping[str, Hits], arms: Sequence[str]) -> None:
        self._ids = sorted({item_id for arm in arms for item_id, _ in hits.get(arm, ())})
        rows = {item_id: row for row, item_id in enumerate(self._ids)}
        self._scores = np.zeros((len(self._ids), len(arms)))
        for column, arm in enumerate(arms):
            found = hits.get(arm, ())
            if found:
                scores = np.array([score for _, score in found])
                low, high = scores.min(), scores.max()
                scaled = (scores - low) / (high - low) if high > low else np.ones(len(scores))
                self._scores[[rows[item_id] for item_id, _ in found], column] = scaled

    def order(self, weights: NDArray[np.float64]) -> list[ItemId]:
        """The best hundred."""
        best = np.argsort(-(self._scores @ weights), kind="stable")[:_KEPT]
        return [self._ids[row] for row in best]
