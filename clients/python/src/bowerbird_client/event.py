"""What somebody did with a result, in the words of User Behavior Insights 1.3."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bowerbird_client.answers import Hit, SearchAnswer


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class Event:
    """An action on a shown item. Its id and time are made here, once, so that it can be sent again and counts once."""

    query_id: str
    item_id: str
    action: str = "click"
    position: int | None = None
    client_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    timestamp: datetime = field(default_factory=_now)
    event_id: str = field(default_factory=_new_id)

    @classmethod
    def of(
        cls,
        answer: SearchAnswer,
        hit: Hit,
        action: str = "click",
        *,
        client_id: str | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
    ) -> Event:
        """Of a hit of this answer. Give the ids that the search had."""
        return cls(answer.query_id, hit.id, action, hit.position, client_id, session_id, user_id)

    def body(self) -> dict[str, Any]:
        attributes: dict[str, Any] = {"object": {"object_id": self.item_id}}
        if self.position is not None:
            attributes["position"] = {"ordinal": self.position}
        known = {
            "event_id": self.event_id,
            "action_name": self.action,
            "query_id": self.query_id,
            "timestamp": self.timestamp.isoformat(),
            "client_id": self.client_id,
            "session_id": self.session_id,
            "user_id": self.user_id,
            "event_attributes": attributes,
        }
        return {key: value for key, value in known.items() if value is not None}
