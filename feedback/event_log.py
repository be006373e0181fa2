"""What every event log does alike, wherever its rows are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.errors import Conflict
from core.types import Feedback, QueryId


def by_query(events: Iterable[Feedback]) -> Mapping[QueryId, tuple[Feedback, ...]]:
    """Each query's events, ordered by (time, event_id)."""
    found: dict[QueryId, list[Feedback]] = {}
    for event in sorted(events, key=lambda event: (event.time, event.event_id)):
        found.setdefault(event.query_id, []).append(event)
    return {query_id: tuple(events) for query_id, events in found.items()}


def reused(query_id: str) -> Conflict:
    """Why a second impression of the same query is refused."""
    message = f"A search with query_id {query_id!r} is in the log already."
    return Conflict("query_id_reused", message, "Give every search an id of its own.")
