"""GET /v1/memory."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.routes.dependencies import Configured, Running, json
from app.schemas.memory import EntryBody, MemoryAnswer, NeighbourBody
from core.errors import InvalidInput
from core.types import Item
from retrievers.document import title
from retrievers.memory import Entry

router = APIRouter(tags=["search"])
_MOST = 1_000


@router.get("/v1/memory", response_model=MemoryAnswer)
def memory(
    service: Running,
    settings: Configured,
    query: str,
    limit: Annotated[int, Query(ge=1, le=_MOST, description="The most entries.")] = 20,
) -> Response:
    """What the memory holds for a query: its entries, best first, and the queries that it also learns from."""
    longest = settings.limits.query_characters
    if not query.strip() or len(query) > longest:
        raise InvalidInput(
            "invalid_query", f"query has {len(query.strip())} characters; 1 to {longest} are allowed.", "Name a query."
        )
    found = service.recall(query, limit)
    entries = [_body(entry, service.items.get(entry.item_id)) for entry in found.entries]
    neighbours = [NeighbourBody(query=text, weight=round(weight, 6)) for text, weight in found.neighbours.items()]
    return json(MemoryAnswer(query=query, entries=entries, neighbours=neighbours))


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
