"""What the arms said: rank, score, and how that score compares with the best of the same answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from core.union import by_arm
from ranking.features.asked import Asked
from ranking.features.feature import Feature
from ranking.rrf import RRF_K

Doubles = NDArray[np.float64]

# Arms whose answers come from what people did before.
_LEARNED = frozenset({"memory", "related", "personal", "explore", "popular"})
FUSED = "arms.rrf"  # the order before there is a model
_TOGETHER = (
    Feature(
        "arms.found", "arms that found it, and not only predicted it", "union of the arms", "arms", "0..", "", 1, True
    ),
    Feature(FUSED, "reciprocal rank fusion over those", "union of the arms", "", "0..1", "", 1, True, "arms.matching"),
    Feature("arms.matching", "the same over arms that don't learn from people", "union of the arms", "", "0..1", "", 1),
)


def matching_ranks(names: Sequence[str]) -> list[str]:
    """Those of the features that are ranks in arms which find the same for a query that nobody asked before."""
    return [name for name in names if name.endswith(".rank") and name.removesuffix(".rank") not in _LEARNED]


def _declared(arm: str) -> tuple[Feature, ...]:
    source, absent, past = f"answer of the arm {arm}", "not found, or only predicted", arm in _LEARNED
    return (
        Feature(f"{arm}.rank", "rank in the arm's answer", source, "rank", "1..", absent, -1, past),
        Feature(f"{arm}.score", "the arm's own score", source, "", "", absent, 1, past),
        Feature(f"{arm}.score_share", "score over the best of the same answer", source, "", "..1", absent, 1, past),
    )


class ArmFeatures:
    """Per arm `rank` (from 1), `score` and `score_share` (of the best), NaN where the arm didn't find the candidate.

    Also NaN where the arm only predicts it: what the memory guesses must not be ranked as if it had been seen.
    `arms.found` counts the arms that did, and not only predicted it; `arms.rrf` is their reciprocal rank fusion,
    `arms.matching` that of the arms which find the same for a query that nobody asked before.
    """

    def __init__(self, arms: Sequence[str]) -> None:
        self._arms = tuple(arms)
        self._matching = np.array([arm not in _LEARNED for arm in arms], dtype=bool)[:, None]
        self.features = (*(feature for arm in arms for feature in _declared(arm)), *_TOGETHER)

    def compute(self, asked: Asked, out: Floats) -> None:
        answers = by_arm(asked.candidates)
        columns = [(row, answers[arm]) for row, arm in enumerate(self._arms) if arm in answers]
        ranks, scores = np.full((2, len(self._arms), len(asked.candidates)), np.nan)
        for row, column in columns:
            ranks[row, column.rows], scores[row, column.rows] = column.ranks, column.scores
        shares = _shares(scores)
        for row, column in [each for each in columns if each[1].predicted.size]:
            ranks[row, column.predicted] = scores[row, column.predicted] = shares[row, column.predicted] = np.nan
        found, parts = ~np.isnan(ranks), 1 / (RRF_K + ranks)
        out[0:-3:3], out[1:-3:3], out[2:-3:3] = ranks, scores, shares
        out[-3] = np.count_nonzero(found, axis=0)
        out[-2] = np.add.reduce(parts, axis=0, where=found)
        out[-1] = np.add.reduce(parts, axis=0, where=found & self._matching)


def _shares(scores: Doubles) -> Doubles:
    """[arms, candidates] of the arm's best score, at most 1; the other way round where even the best is negative."""
    best = np.fmax.reduce(scores, axis=1, initial=-np.inf, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares: Doubles = np.where(best > 0, scores / best, best / scores)
    return np.where(scores == best, 1.0, shares)
