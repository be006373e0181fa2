"""Judged quality of every arm, of their fusion, and of the whole pipeline, on any ratings."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

from app.search.answer import Answer
from app.service import Service
from app.wiring.plans import ARMS
from core.types import Plan, Query, QueryId
from ranking.fusion import Hits, best_arm, best_weights, reciprocal_rank, tuned, weighted
from ranking.metrics import STATED, Judgments, Run, answerable, measure, recall
from ranking.rrf import ReciprocalRankFusion

DEPTH = 100
# Arms that answer every query alike, nothing without a person, or what is doubtful on purpose, would only add noise.
FUSED = ("lexical", "structured", "vector", "sparse", "memory")
_EVERY_ARM = Plan("every", dict.fromkeys(ARMS, DEPTH))
_FUSION = ReciprocalRankFusion()
Progress = Callable[[int], object]


def evaluate_retrieval(
    service: Service, judgments: Judgments, progress: Progress = lambda _: None, *, tuning: Judgments | None = None
) -> dict[str, Any]:
    """`{"systems": {name: {measure: value}}, "union_recall": share, "queries": N, "stated": ...}`.

    Systems: every arm, `rrf` and `fusion` of them (its weights are tuned on the queries of `tuning`, or
    cross-validated), `best_arm` (an oracle that picks the arm by the ratings), and `pipeline` as it serves now.
    `union_recall` is that of all first hundreds together.
    """
    answers, served = {}, {}
    for text in answerable(judgments):
        answers[text] = _answers(service, text)
        served[text] = _ids(service.pipeline.answer(_query(service, text), service.serving))
        progress(1)
    if tuning is None:
        fused = tuned(answers, judgments, FUSED)
    else:
        known = {text: _answers(service, text) for text in answerable(tuning)}
        fused = weighted(answers, best_weights(known, tuning, FUSED))
    runs: dict[str, Run] = {
        **{arm: {text: [hit[0] for hit in hits[arm]] for text, hits in answers.items()} for arm in ARMS},
        "rrf": {text: reciprocal_rank(hits, FUSED)[:DEPTH] for text, hits in answers.items()},
        "fusion": fused,
        "best_arm": best_arm(answers, judgments, FUSED),
        "pipeline": served,
    }
    union = {text: sorted({hit[0] for arm in ARMS for hit in hits[arm]}) for text, hits in answers.items()}
    return {
        "systems": {name: measure(run, judgments) for name, run in runs.items()},
        "union_recall": recall(union, judgments),
        "queries": len(answers),
        "stated": STATED,
    }


def _answers(service: Service, text: str) -> dict[str, Hits]:
    """Every arm's first hundred."""
    asked = service.pipeline.answer(_query(service, text), service.serving, plan=_EVERY_ARM, ranker=_FUSION)
    return {arm: _hits(asked, arm) for arm in ARMS}


def _query(service: Service, text: str) -> Query:
    return Query(QueryId(f"evaluate-{text}"), text, service.clock())


def _hits(answer: Answer, arm: str) -> Hits:
    """What the arm found, in its own order."""
    found = [candidate for candidate in answer.candidates if arm in candidate.ranks]
    found.sort(key=lambda candidate: candidate.ranks[arm])
    return [(candidate.item.id, candidate.scores[arm]) for candidate in found]


def evaluate_pipeline(service: Service, judgments: Judgments, *, purpose: str, draws: int = 3) -> dict[str, float]:
    """Measures of the pipeline as it serves now, the mean over `draws` of each query's plan by the policy."""
    found = []
    for draw in range(draws):
        run: dict[str, list[str]] = {}
        for text in answerable(judgments):
            query = Query(QueryId(f"{purpose}-{draw}-{text}"), text, service.clock())
            run[text] = _ids(service.pipeline.answer(query, service.serving))
        found.append(measure(run, judgments))
    return {name: fmean(values[name] for values in found) for name in found[0]}


def evaluate_rrf(service: Service, judgments: Judgments, plan: Plan) -> dict[str, float]:
    """Measures of day 0: the answers of the plan's arms, all asked to full depth, fused by reciprocal rank."""
    plan = Plan("rrf", dict.fromkeys(plan.depths, DEPTH))
    run = {
        text: _ids(
            service.pipeline.answer(
                Query(QueryId(text), text, service.clock()), service.serving, plan=plan, ranker=_FUSION
            )
        )
        for text in answerable(judgments)
    }
    return measure(run, judgments)


def _ids(answer: Answer) -> list[str]:
    return [candidate.item.id for candidate in answer.candidates[:DEPTH]]
