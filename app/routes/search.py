"""POST /v1/search."""

from __future__ import annotations

import math
import time

from fastapi import APIRouter, Response

from app.pipeline import Answer
from app.routes.dependencies import Configured, Measured, Running, json
from app.schemas.items import ItemBody
from app.schemas.search import ArmBody, Found, Hit, PlanBody, SearchAnswer, SearchBody, facet_body
from app.service import Page, new_query_id
from core.errors import InvalidInput

router = APIRouter(tags=["search"])
_DEEPEST = 1_000  # from + size: arms are not asked deeper


@router.post("/v1/search", response_model=SearchAnswer)
def search(body: SearchBody, service: Running, settings: Configured, metrics: Measured) -> Response:
    """Answer a query with the arms that the policy chooses, and log what was shown."""
    started = time.perf_counter()
    _at_most("query", len(body.query), settings.limits.query_characters, "characters")
    _at_most("size", body.size, settings.limits.page_size, "results")
    _at_most("from + size", body.start + body.size, _DEEPEST, "results")
    query = body.asked(new_query_id(), service.clock())
    page = service.search(
        query, start=body.start, size=body.size, plan=body.plan, preview=body.preview, facets=body.facets
    )
    seconds = time.perf_counter() - started
    metrics.searched(page, seconds)
    return json(_body(page, seconds, explain=body.explain))


def _at_most(name: str, value: int, limit: int, unit: str) -> None:
    if value > limit:
        message = f"{name} is {value} {unit}; at most {limit} are allowed."
        raise InvalidInput(f"too_large_{name.split()[0]}", message, f"Lower or shorten {name}.")


def _body(page: Page, seconds: float, *, explain: bool) -> SearchAnswer:
    # model_construct: what the service made itself need not be checked again on every request.
    answer, impression = page.answer, page.impression
    first = impression.first_position - 1
    return SearchAnswer.model_construct(
        query_id=answer.query.id,
        hits=[_hit(answer, row, explain=explain) for row in range(first, first + len(impression.shown))],
        candidates=len(answer.candidates),
        plan=PlanBody.model_construct(name=answer.choice.plan.name, depths=dict(answer.choice.plan.depths)),
        policy=answer.choice.policy,
        ranker=answer.ranker,
        release=answer.release,
        arms={
            arm: ArmBody.model_construct(
                status=report.status.value, depth=report.depth, found=report.found, took_ms=round(report.took_ms, 3)
            )
            for arm, report in answer.arms.items()
        },
        degraded=impression.degraded,
        experiment=impression.experiment or None,
        facets={name: facet_body(facet) for name, facet in page.facets.items()} or None,
        took_ms=round(seconds * 1000, 3),
    )


def _hit(answer: Answer, row: int, *, explain: bool) -> Hit:
    candidate = answer.candidates[row]
    item = ItemBody.of(candidate.item)
    ranks = candidate.ranks.items()
    return Hit.model_construct(
        position=row + 1,
        id=item.id,
        type=item.type,
        fields=item.fields,
        attributes=item.attributes,
        numbers=item.numbers,
        score=float(answer.scores[row]),
        arms={
            arm: Found.model_construct(
                rank=rank, score=candidate.scores[arm], why=candidate.why.get(arm) if explain else None
            )
            for arm, rank in ranks
        },
        features=_known_features(answer, row) if explain else None,
        team=answer.teams[row] if explain and answer.teams else None,
    )


def _known_features(answer: Answer, row: int) -> dict[str, float | None]:
    values = answer.features.values[row].tolist()
    return {name: value for name, value in zip(answer.features.names, values, strict=True) if not math.isnan(value)}
