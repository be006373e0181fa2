"""UBI 1.3 rows in bulk, queries and events, as OpenSearch exports them. docs/how-to/migrate.md has the map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.adapters.translation import Hashed, Note, Shown, Translation, action, content_id, unknown_fields
from app.schemas.parts import Id, Name, seconds
from core.episodes import EventId, Feedback
from core.errors import InvalidInput
from core.types import ItemId, QueryId

_IMPRESSIONS = {"impression", "view", "item_impression"}
# What UBI records of a visit that says nothing of an item.
_OTHERS = {"search", "query", "type_ahead", "page_exit", "login", "logout", "item_hover", "product_hover"}

# Exports have "" where there is nothing.
Perhaps = Annotated[Id | None, BeforeValidator(lambda value: value or None)]


class UbiObject(BaseModel):
    model_config = ConfigDict(extra="allow")

    object_id: Id


class UbiPosition(BaseModel):
    model_config = ConfigDict(extra="allow")

    ordinal: Annotated[int, Field(ge=0, lt=2**31)]


class UbiAttributes(BaseModel):
    model_config = ConfigDict(extra="allow")

    object: UbiObject | None = None
    position: UbiPosition | None = None


class UbiEvent(BaseModel):
    model_config = ConfigDict(extra="allow")

    action_name: Name
    query_id: Id
    timestamp: datetime
    event_id: Perhaps = None
    application: str | None = None
    client_id: Perhaps = None
    session_id: Perhaps = None
    user_id: Perhaps = None
    user_query: str | None = None
    message: str | None = None
    message_type: str | None = None
    event_attributes: UbiAttributes | None = None

    @property
    def object_id(self) -> str | None:
        return (
            self.event_attributes.object.object_id if self.event_attributes and self.event_attributes.object else None
        )

    @property
    def ordinal(self) -> int | None:
        placed = self.event_attributes and self.event_attributes.position
        return placed.ordinal if placed else None


class UbiQuery(BaseModel):
    model_config = ConfigDict(extra="allow")

    query_id: Id
    user_query: str
    timestamp: datetime
    application: str | None = None
    client_id: Perhaps = None
    session_id: Perhaps = None
    user_id: Perhaps = None
    query_response_id: str | None = None
    query_response_hit_ids: list[Id] | None = None
    query_attributes: dict[str, Any] | None = None
    query: Any = None
    object_id_field: str | None = None


def translate(value: Any, *, received: float, hashed: Hashed) -> Translation:
    """A query row is a page if it lists its hits; an impression is a page with one item, to be put together."""
    if isinstance(value, dict) and "action_name" not in value and "user_query" in value:
        return _of_query(UbiQuery.model_validate(value), hashed)
    return _of_event(UbiEvent.model_validate(value), received, hashed)


def _of_query(row: UbiQuery, hashed: Hashed) -> Translation:
    items = tuple(dict.fromkeys(map(ItemId, row.query_response_hit_ids or ())))
    shown = replace(_shown(row, items, 1, hashed), seen=False)
    return Translation(shown=shown, notes=tuple(unknown_fields(row)))


def _of_event(event: UbiEvent, received: float, hashed: Hashed) -> Translation:
    notes = tuple(_notes(event))
    if event.action_name in _IMPRESSIONS:
        if event.object_id is None:
            raise InvalidInput("no_object", "An impression without event_attributes.object.", "Name what was shown.")
        place = 0 if event.ordinal is None else event.ordinal
        return Translation(shown=_shown(event, (ItemId(event.object_id),), place, hashed), notes=notes)
    if event.object_id is None or event.action_name in _OTHERS:
        message = f"{event.action_name!r} says nothing of an item that was shown."
        return Translation(notes=(*notes, Note("not_used", f"{event.action_name} event", message)))
    return Translation((_feedback(event, event.object_id, received, hashed),), notes=notes)


def _feedback(event: UbiEvent, object_id: str, received: float, hashed: Hashed) -> Feedback:
    feedback = Feedback(
        event_id=EventId(event.event_id or ""),
        query_id=QueryId(event.query_id),
        item_id=ItemId(object_id),
        action=action(event.action_name),
        time=seconds(event.timestamp),
        received=received,
        client_id=event.client_id,
        session_id=event.session_id,
        user_id=hashed(event.user_id),
        position=event.ordinal,
    )
    if event.event_id:
        return feedback
    return replace(feedback, event_id=content_id(feedback, at=feedback.time))


def _shown(row: UbiQuery | UbiEvent, items: tuple[ItemId, ...], place: int, hashed: Hashed) -> Shown:
    return Shown(
        query_id=row.query_id,
        text=row.user_query or "",
        time=seconds(row.timestamp),
        items=items,
        client_id=row.client_id,
        session_id=row.session_id,
        user_id=hashed(row.user_id),
        first_position=place,
        source=row.application or "",
    )


def _notes(event: UbiEvent) -> Iterator[Note]:
    yield from unknown_fields(event)
    if event.event_attributes:
        yield from unknown_fields(event.event_attributes, "event_attributes.")
