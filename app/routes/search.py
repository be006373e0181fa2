"""POST /v1/search."""

from __future__ import annotations

import time
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.routes.dependencies import All
from app.schemas.explanation import ExplanationBody
from app.schemas.facets import facet_body
from app.schemas.search import SearchAnswer, SearchBody, told
from app.search.answer import Answer
from app.search.explanation import Explanation, explain
from app.search.request_clock import RequestClock
from app.service import Page, Service, new_query_id
from app.web.access import Guarded, needs
from app.web.user_ids import UserIds
from core.errors import InvalidInput
from core.facets import Facet

router = APIRouter(tags=["search"], route_class=Guarded)
_DEEPEST = 1_000  # from + size: arms are not asked deeper


@router.post("/v1/search", response_model=SearchAnswer, dependencies=[needs("search")])
async def search(request: Request, body: SearchBody, given: All) -> Response:
    """Answer a query with the arms that the policy chooses, and log what was shown."""
    service, settings, metrics, noticed, lanes, users = given
    clock = RequestClock(settings.degradation.request_ms, began=request.state.began)
    _at_most("query", len(body.query), settings.limits.query_characters, "characters")
    _at_most("size", body.size, settings.limits.page_size, "results")
    _at_most("from + size", body.start + body.size, _DEEPEST, "results")
    if settings.logging.queries:
        request.state.told["query"] = body.query
    page, answer = await lanes.searches.run(lambda: _search(body, service, clock, users))
    clock.lap("serialise")
    request.state.told["query_id"] = page.answer.query.id
    metrics.searched(page, time.perf_counter() - clock.began, clock.laps, preview=body.preview)
    noticed.live.searched(page.impression, logged=page.logged)
    if traces := request.app.state.traces:
        traces.searched(page, clock, request_id=request.state.request_id, headers=request.headers)
    return answer


def _search(body: SearchBody, service: Service, clock: RequestClock, users: UserIds) -> tuple[Page, Response]:
    clock.lap("parse")
    query = body.asked(new_query_id(), service.clock(), users.hashed)
    page = service.search(
        query,
        start=body.start,
        size=body.size,
        plan=body.plan,
        policy=body.policy,
        preview=body.preview,
        facets=body.facets,
        clock=clock,
    )
    seconds = time.perf_counter() - clock.began
    first = page.impression.first_position - 1
    rows = range(first, first + len(page.impression.shown))
    explanations = (
        explain(page.answer, rows, service.recall, service.quality_words) if body.explain else [None] * len(rows)
    )
    hits = [_hit(page.answer, row, explained) for row, explained in zip(rows, explanations, strict=True)]
    return page, _body(page, hits, seconds)


def _at_most(name: str, value: int, limit: int, unit: str) -> None:
    if value > limit:
        message = f"{name} is {value} {unit}; at most {limit} are allowed."
        raise InvalidInput(f"too_large_{name.split()[0]}", message, f"Lower or shorten {name}.")


# Written as JSON at once, in the shape of SearchAnswer: forty models for each answer take ten times as long to make.
def _body(page: Page, hits: list[dict[str, Any]], seconds: float) -> Response:
    answer, impression = page.answer, page.impression
    plan, neural = answer.choice.plan, answer.ranked.neural
    body = {
        "query_id": answer.query.id,
        "hits": hits,
        "candidates": len(answer.candidates),
        "plan": {"name": plan.name, "depths": plan.depths},
        "policy": answer.choice.policy,
        "ranker": answer.ranked.version,
        "release": answer.release,
        "arms": {arm: told(report) for arm, report in answer.arms.items()},
        "degraded": impression.degraded,
        "logged": page.logged,
        "neural": told(neural) if neural else None,
        "experiment": impression.experiment or None,
        "facets": {name: _facet(facet) for name, facet in page.facets.items()} or None,
        "took_ms": round(seconds * 1000, 3),
    }
    # What is none of the plain kinds is a mapping that is no dictionary.
    return Response(orjson.dumps(_known(body), default=dict), media_type="application/json")


def _hit(answer: Answer, row: int, explained: Explanation | None) -> dict[str, Any]:
    candidate = answer.candidates[row]
    item = candidate.item
    arms: dict[str, dict[str, Any]] = {
        arm: {"rank": rank, "score": candidate.scores[arm]} for arm, rank in candidate.ranks.items()
    }
    for arm, reason in candidate.why.items() if explained else ():
        arms[arm]["why"] = reason
    hit: dict[str, Any] = {
        "position": row + 1,
        "id": item.id,
        "type": item.type,
        "fields": item.fields,
        "attributes": item.attributes,
        "numbers": item.numbers,
        "score": float(answer.scores[row]),
        "arms": arms,
    }
    if explained:
        hit["explanation"] = _as_json(ExplanationBody.of(explained))
        if answer.teams:
            hit["team"] = answer.teams[row]
    return hit


def _facet(facet: Facet) -> Any:
    body = facet_body(facet)
    return _as_json(body) if isinstance(body, BaseModel) else [_as_json(each) for each in body]


def _as_json(body: BaseModel) -> orjson.Fragment:
    return orjson.Fragment(body.model_dump_json(by_alias=True, exclude_none=True))


def _known(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
