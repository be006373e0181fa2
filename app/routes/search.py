"""POST /v1/search."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response

from app.routes.dependencies import All
from app.schemas.search import SearchAnswer, SearchBody
from app.search.request_clock import RequestClock
from app.searchers.shown import Shown
from app.service import new_query_id
from app.web.access import Guarded, needs
from core.errors import InvalidInput

router = APIRouter(tags=["search"], route_class=Guarded)
_DEEPEST = 1_000  # from + size: arms are not asked deeper


@router.post("/v1/search", response_model=SearchAnswer, dependencies=[needs("search")])
async def search(request: Request, body: SearchBody, given: All) -> Response:
    """Answer a query with the arms that the policy chooses, and log what was shown."""
    service, settings, metrics, noticed, lanes, users, searchers = given
    clock = RequestClock(settings.degradation.request_ms, began=request.state.began)
    _at_most("query", len(body.query), settings.limits.query_characters, "characters")
    _at_most("size", body.size, settings.limits.page_size, "results")
    _at_most("from + size", body.start + body.size, _DEEPEST, "results")
    if settings.logging.queries:
        request.state.told["query"] = body.query

    def answered() -> tuple[Shown, bool]:
        clock.lap("parse")
        query = service.in_session(body.asked(new_query_id(), service.clock(), users.hashed))
        with service.gaps.search():  # wherever it is answered: what can wait is done when nobody searches
            shown = searchers.show(body.wanted(query), clock)
            logged = not body.preview and service.logged(shown.impression)
        clock.lap("log")
        return shown, logged

    shown, logged = await lanes.searches.run(answered)
    seconds = time.perf_counter() - clock.began
    request.state.told["query_id"] = shown.impression.query.id
    metrics.searched(shown.impression, seconds, clock.laps, logged=logged, preview=body.preview)
    noticed.live.searched(shown.impression, logged=logged)
    if traces := request.app.state.traces:
        traces.searched(shown.impression, clock, request_id=request.state.request_id, headers=request.headers)
    return Response(shown.finished(logged=logged, seconds=seconds), media_type="application/json")


def _at_most(name: str, value: int, limit: int, unit: str) -> None:
    if value > limit:
        message = f"{name} is {value} {unit}; at most {limit} are allowed."
        raise InvalidInput(f"too_large_{name.split()[0]}", message, f"Lower or shorten {name}.")
