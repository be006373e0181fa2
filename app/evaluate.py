"""Judged quality of every arm, of their fusion, and of the whole pipeline, on any ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from app.pipeline import Answer
from app.service import Service
from app.wiring import ARMS
from core.types import Plan, Query, QueryId
from ranking.metrics import STATED, Judgments, answerable, measure
from ranking.rrf import ReciprocalRankFusion

DEPTH = 100
# `popular` answers every query alike: it is a last resort, and fusing it would only add noise.
FUSED = tuple(arm for arm in ARMS if arm != "popular")
EVERYTHING = Plan("rrf", dict.fromkeys(FUSED, DEPTH))
_FUSION = ReciprocalRankFusion()
Progress = Callable[[int], object]


def evaluate_retrieval(service: Service, judgments: Judgments, progress: Progress = lambda _: None) -> dict[str, Any]:
    """`{"systems": {name: {measure: value}}, "queries": N, "stated": ...}` for arms, `rrf` and `pipeline`."""
    queries = answerable(judgments)
    single = {arm: Plan(arm, {arm: DEPTH}) for arm in ARMS}
    runs: dict[str, dict[str, Sequence[str]]] = {name: {} for name in (*ARMS, "rrf", "pipeline")}
    for text in queries:
        query = Query(QueryId(f"evaluate-{text}"), text, service.clock())
        for arm, plan in single.items():
            answer = service.pipeline.answer(query, service.serving, plan=plan, ranker=_FUSION)
            # What the last resort added is not the arm's.
            runs[arm][text] = [c.item.id for c in answer.candidates if arm in c.ranks]
        fused = service.pipeline.answer(query, service.serving, plan=EVERYTHING, ranker=_FUSION)
        runs["rrf"][text] = _ids(fused)
        runs["pipeline"][text] = _ids(service.pipeline.answer(query, service.serving))
        progress(1)
    return {
        "systems": {name: measure(run, judgments) for name, run in runs.items()},
        "queries": len(queries),
        "stated": STATED,
    }


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


def evaluate_rrf(service: Service, judgments: Judgments) -> dict[str, float]:
    """Measures of day 0: the arms' answers, all asked to full depth, fused by reciprocal rank."""
    run = {
        text: _ids(
            service.pipeline.answer(
                Query(QueryId(text), text, service.clock()), service.serving, plan=EVERYTHING, ranker=_FUSION
            )
        )
        for text in answerable(judgments)
    }
    return measure(run, judgments)


def _ids(answer: Answer) -> list[str]:
    return [candidate.item.id for candidate in answer.candidates[:DEPTH]]
