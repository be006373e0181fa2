"""POST /v1/events and what it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.parts import Id, Name, Rejection, model, seconds
from core.episodes import EventId, Feedback
from core.types import ItemId, QueryId


class EventObject(BaseModel):
    model_config = model({"object_id": "track:love-story"})

    object_id: Id


class EventPosition(BaseModel):
    model_config = model({"ordinal": 1})

    ordinal: Annotated[int, Field(ge=1)]


class EventAttributes(BaseModel):
    """UBI's event_attributes: the object acted on, and where it stood. Other keys are accepted and not used."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"examples": [{"object": {"object_id": "track:love-story"}, "position": {"ordinal": 1}}]},
    )

    object: EventObject
    position: EventPosition | None = None


class EventBody(BaseModel):
    """A User Behavior Insights 1.3 event, plus `event_id`: the same event counts once however often it comes."""

    model_config = model(
        {
            "action_name": "click",
            "query_id": "0b5cf4a28a9e4c8ea2b9a2c0c6a7f1de",
            "event_id": "e-1",
            "client_id": "browser-17",
            "event_attributes": {"object": {"object_id": "track:love-story"}, "position": {"ordinal": 1}},
        }
    )

    action_name: Name
    query_id: Id
    event_attributes: EventAttributes
    event_id: Id | None = Field(default=None, description="Without it, an event with the same content counts once.")
    timestamp: datetime | None = Field(default=None, description="When it happened; without it, when it arrived.")
    client_id: Id | None = None
    session_id: Id | None = None
    user_id: Id | None = None
    application: str | None = None
    message: str | None = None
    message_type: str | None = None

    def feedback(self, received: float, hashed: Callable[[str | None], str | None]) -> Feedback:
        """The event as it is logged: with the user's id `hashed`, also in an id made of its content."""
        known = self.model_copy(update={"user_id": hashed(self.user_id)}) if self.user_id else self
        return known._feedback(received)

    def _feedback(self, received: float) -> Feedback:
        position = self.event_attributes.position
        return Feedback(
            event_id=EventId(self.event_id or self._content_id()),
            query_id=QueryId(self.query_id),
            item_id=ItemId(self.event_attributes.object.object_id),
            action=self.action_name,
            time=seconds(self.timestamp) if self.timestamp else received,
            received=received,
            client_id=self.client_id,
            session_id=self.session_id,
            user_id=self.user_id,
            position=position.ordinal if position else None,
        )

    def _content_id(self) -> str:
        return "content-" + hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]


class EventsAnswer(BaseModel):
    """What became of the events. Stored ones are durable; duplicates were stored before."""

    model_config = model({"stored": 1, "duplicates": 0, "rejected": []})

    stored: int
    duplicates: int
    rejected: list[Rejection]
