"""Whether a new ranking model may serve: by clicks on searches that it has not learned from, and by ratings."""

from __future__ import annotations

from dataclasses import dataclass

from ranking.training.clicks import Score, calibrated, debiased_ndcg
from ranking.training.judged import JudgedPages
from ranking.training.rows import Split

# The held-out clicks were made on pages that the current model ordered, and what was not shown has no click: an equal
# model measures slightly worse. A candidate that was trained on more may be that much worse.
NOT_WORSE_BY = 0.01
_LESS_LIKELY_BY = 0.02  # of the current log-likelihood
_FEWEST_JUDGED = 10  # queries


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one model. `judged` is None where there are too few rated queries."""

    ndcg: float
    likelihood: float
    judged: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is a sentence with the figures of both models."""

    passed: bool
    reason: str
    candidate: Figures
    current: Figures


def compare(candidate: Score, current: Score, parts: Split, rated: JudgedPages) -> Verdict:
    """Debiased nDCG and click log-likelihood on `parts.judge`, judged nDCG on the rated pages.

    Scores become probabilities by a calibration on `parts.stop`, whose clicks no tree was fitted to.
    """
    new, old = (_figures(score, parts, rated) for score in (candidate, current))
    problem = _problem(new, old)
    told = f"{_told('debiased nDCG', new.ndcg, old.ndcg)}, {_told('log-likelihood', new.likelihood, old.likelihood)}"
    judged = "no judged nDCG: too few rated queries were shown"
    if new.judged is not None and old.judged is not None:
        judged = _told("judged nDCG@10", new.judged, old.judged)
    decision = "Passed" if problem is None else f"Refused, {problem}"
    reason = f"{decision}: {told} on {len(parts.judge)} held-out searches; {judged}."
    return Verdict(problem is None, reason, new, old)


def _figures(score: Score, parts: Split, rated: JudgedPages) -> Figures:
    clicks = calibrated(parts.stop or parts.judge, score)
    judged = rated.ndcg(score) if len(rated) >= _FEWEST_JUDGED else None
    return Figures(debiased_ndcg(parts.judge, score), clicks.log_likelihood(parts.judge, score), judged)


def _problem(new: Figures, old: Figures) -> str | None:
    if new.ndcg < old.ndcg - NOT_WORSE_BY:
        return "it orders the clicks worse"
    if new.likelihood < old.likelihood * (1 + _LESS_LIKELY_BY):
        return "it makes the clicks less likely"
    if new.judged is not None and old.judged is not None and new.judged < old.judged - NOT_WORSE_BY:
        return "it orders rated items worse"
    return None


def _told(what: str, new: float, old: float) -> str:
    return f"{what} {new:.4f} (current {old:.4f})"
