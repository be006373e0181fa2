"""What every event log does alike, wherever its rows are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from core.episodes import Feedback
from core.errors import Conflict
from core.protocols import Outcome
from core.types import QueryId


class Known:
    """What a log has that says what becomes of feedback: bodies of events, and which items were shown for queries."""

    def __init__(self, bodies: dict[str, bytes], shown: Mapping[str, Collection[str]]) -> None:
        """By the ids of the log, which are those that `outcome` is given."""
        self._bodies = bodies
        self._shown = shown

    def outcome(self, event_id: str, query_id: str, item_id: str, body: bytes) -> Outcome:
        """An event that is STORED is among those that the log has from then on."""
        if (known := self._bodies.get(event_id)) is not None:
            return Outcome.DUPLICATE if known == body else Outcome.CONFLICT
        if query_id not in self._shown:
            return Outcome.UNKNOWN_QUERY
        if item_id not in self._shown[query_id]:
            return Outcome.NOT_SHOWN
        self._bodies[event_id] = body
        return Outcome.STORED


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
