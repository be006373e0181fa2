"""Metarank events (the body of its POST /feedback). docs/how-to/migrate.md has the map of the fields."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, TypeAdapter

from app.adapters.translation import Hashed, Milliseconds, Note, Shown, Translation, action, unknown_fields
from app.schemas.parts import Id, Name, seconds
from core.episodes import EventId, Feedback
from core.errors import InvalidInput
from core.types import ItemId, QueryId

EXAMPLE: dict[str, Any] = {
    "event": "interaction",
    "id": "0f4c0036-04fb-4409-b2c6-7163a59f6b7d",
    "ranking": "0b5cf4a28a9e4c8ea2b9a2c0c6a7f1de",
    "timestamp": "1599391467000",
    "user": "user-9",
    "session": "session-1",
    "type": "click",
    "item": "track:love-story",
    "fields": [{"name": "count", "value": 1}],
}
SHOWN = Note(
    "not_used",
    "ranking event",
    "Searches log themselves what they show; load old rankings with `bowerbird ingest-events`.",
)
_MOST_FIELDS = 32  # of an interaction, which are kept in the log
_LONGEST = 1_000
_QUERY_FIELDS = ("query", "search_query", "q")  # where shops put the text of the search; there is no field for it


class MetarankField(BaseModel):
    """A name with a text, a number, a truth or a list of these."""

    model_config = ConfigDict(extra="allow")

    name: Name
    value: Any = None


class Common(BaseModel):
    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [EXAMPLE]})

    id: Id
    timestamp: Milliseconds | datetime
    fields: list[MetarankField] = []
    tenant: str | None = None

    @property
    def time(self) -> float:
        return seconds(self.timestamp) if isinstance(self.timestamp, datetime) else self.timestamp / 1000


class Interaction(Common):
    event: Literal["interaction"]
    ranking: Id | None = None
    user: Id | None = None
    session: Id | None = None
    type: Name
    item: Id


class RankedItem(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: Id
    relevancy: float | None = None
    fields: list[MetarankField] = []


class Ranking(Common):
    event: Literal["ranking"]
    user: Id | None = None
    session: Id | None = None
    items: list[RankedItem] = Field(min_length=1, max_length=1_000)


class About(Common):
    """Of an item or a user."""

    event: Literal["item", "user"]
    item: Id | None = None
    user: Id | None = None


_EVENT: TypeAdapter[Interaction | Ranking | About] = TypeAdapter(
    Annotated[Interaction | Ranking | About, Discriminator("event")]
)


def translate(value: Any, *, received: float, hashed: Hashed) -> Translation:
    """An interaction is Feedback, a ranking a page that was Shown; events about items and users are noted."""
    event = _EVENT.validate_python(value)
    notes = tuple(unknown_fields(event))
    if event.tenant is not None:
        notes += (Note("not_used", "tenant", "There is one tenant here; run a service for each."),)
    if isinstance(event, Interaction):
        if event.ranking is None:
            message = "Without `ranking` nothing says which search led to this; it cannot be credited."
            return Translation(notes=(*notes, Note("not_used", "interaction without ranking", message)))
        return Translation((_feedback(event, event.ranking, received, hashed),), notes=notes)
    if isinstance(event, Ranking):
        return Translation(shown=_shown(event, hashed), notes=(*notes, *_item_notes(event)))
    remedy = "send items to PUT /v1/items" if event.event == "item" else "what users like is learned from their clicks"
    return Translation(notes=(*notes, Note("not_used", f"{event.event} event", f"This is no feedback; {remedy}.")))


def _feedback(event: Interaction, ranking: str, received: float, hashed: Hashed) -> Feedback:
    attributes = {field.name: str(field.value) for field in event.fields}
    if len(attributes) > _MOST_FIELDS or any(len(text) > _LONGEST for text in attributes.values()):
        message = f"An interaction has at most {_MOST_FIELDS} fields of {_LONGEST} characters."
        raise InvalidInput("invalid_event", message, "Leave the others out.")
    return Feedback(
        event_id=EventId(event.id),
        query_id=QueryId(ranking),
        item_id=ItemId(event.item),
        action=action(event.type),
        time=event.time,
        received=received,
        session_id=event.session,
        user_id=hashed(event.user),
        attributes=attributes,
    )


def _shown(event: Ranking, hashed: Hashed) -> Shown:
    texts = {field.name: str(field.value) for field in event.fields}
    return Shown(
        query_id=event.id,
        text=next((texts[name] for name in _QUERY_FIELDS if name in texts), ""),
        time=event.time,
        items=tuple(dict.fromkeys(ItemId(item.id) for item in event.items)),
        session_id=event.session,
        user_id=hashed(event.user),
    )


def _item_notes(event: Ranking) -> Iterator[Note]:
    if any(item.fields or item.relevancy is not None for item in event.items):
        yield Note("not_used", "items.fields", "Features of ranked items are computed here, not taken over.")
    for field in event.fields:
        if field.name not in _QUERY_FIELDS:
            yield Note("not_used", f"fields.{field.name}", f"The ranking's field {field.name!r} is not used.")
