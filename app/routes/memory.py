"""GET /v1/memory and GET /v1/memory/history.json."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.routes.dependencies import Configured, Notices, Running, json
from app.schemas.memory import EntryBody, MemoryAnswer, MemoryHistory, NeighbourBody
from app.settings import Settings
from app.web.access import Guarded, needs
from core.errors import InvalidInput
from core.types import Item
from retrievers.document import title
from retrievers.memory import Entry

router = APIRouter(tags=["search"], route_class=Guarded)
_MOST = 1_000


@router.get("/v1/memory", response_model=MemoryAnswer, dependencies=[needs("admin")])
def memory(
    service: Running,
    settings: Configured,
    query: str,
    limit: Annotated[int, Query(ge=1, le=_MOST, description="The most entries.")] = 20,
) -> Response:
    """What the memory holds for a query: its entries, best first, and the queries that it also learns from."""
    _check(query, settings)
    found = service.recall(query, limit)
    entries = [_body(entry, service.items.get(entry.item_id)) for entry in found.entries]
    neighbours = [NeighbourBody(query=text, weight=round(weight, 6)) for text, weight in found.neighbours.items()]
    return json(MemoryAnswer(query=query, entries=entries, neighbours=neighbours))


@router.get("/v1/memory/history.json", response_model=MemoryHistory, dependencies=[needs("admin")])
def history(service: Running, settings: Configured, noticed: Notices, query: str) -> Response:
    """How the entries of a query have changed since somebody began to watch it: the 20 that are asked most are watched,
    and so is one from when it is asked for here. Kept in this process, for 50 queries."""
    _check(query, settings)
    assert noticed.memory is not None
    noticed.memory.watch([query], service.serving.release)
    points = noticed.memory.points(query)
    shown = {held.item_id for point in points for held in point.entries}
    items = ((item_id, service.items.get(item_id)) for item_id in shown)
    titles = {item_id: title(item) for item_id, item in items if item}
    return json(MemoryHistory.of(query, points, titles))


def _check(query: str, settings: Settings) -> None:
    longest = settings.limits.query_characters
    if not query.strip() or len(query) > longest:
        raise InvalidInput(
            "invalid_query", f"query has {len(query.strip())} characters; 1 to {longest} are allowed.", "Name a query."
        )


def _body(entry: Entry, item: Item | None) -> EntryBody:
    return EntryBody(
        item_id=entry.item_id,
        title=title(item) if item else "",
        belief=round(entry.belief, 6),
        prior=round(entry.prior, 6),
        gain=round(entry.gain, 6),
        examined=round(entry.examined, 6),
        posterior=round(entry.posterior, 6),
        predicted=entry.predicted,
    )
