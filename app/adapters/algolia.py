"""Algolia Insights events (the body of its POST /1/events). docs/how-to/migrate.md has the map of the fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.adapters.translation import Hashed, Milliseconds, Note, Translation, content_id, unknown_fields
from app.schemas.parts import Id
from core.episodes import EventId, Feedback
from core.errors import InvalidInput
from core.types import ItemId, QueryId

Position = Annotated[int, Field(ge=1, lt=2**31)]
Figure = float | Annotated[str, Field(max_length=100)]
_MOST_OBJECTS = 1_000
EXAMPLE: dict[str, Any] = {
    "eventType": "click",
    "eventName": "Product clicked",
    "index": "products",
    "userToken": "browser-17",
    "queryID": "0b5cf4a28a9e4c8ea2b9a2c0c6a7f1de",
    "objectIDs": ["track:love-story"],
    "positions": [1],
    "timestamp": 1602051234567,
}


class ObjectData(BaseModel):
    """What was bought, or put into the cart, in the order of the objects."""

    model_config = ConfigDict(extra="allow")

    query_id: Id | None = Field(default=None, alias="queryID")
    price: Figure | None = None
    quantity: int | None = None
    discount: Figure | None = None


class AlgoliaEvent(BaseModel):
    """One event. Others than those after a search (with a queryID) cannot be credited."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [EXAMPLE]})

    type: Literal["click", "conversion", "view"] = Field(alias="eventType")
    subtype: Literal["addToCart", "purchase"] | None = Field(default=None, alias="eventSubtype")
    name: str | None = Field(default=None, alias="eventName", max_length=200)
    index: str | None = Field(default=None, max_length=200)
    user_token: Id | None = Field(default=None, alias="userToken")
    authenticated_user_token: Id | None = Field(default=None, alias="authenticatedUserToken")
    query_id: Id | None = Field(default=None, alias="queryID")
    object_ids: list[Id] = Field(default=[], alias="objectIDs", max_length=_MOST_OBJECTS)
    positions: list[Position] = Field(default=[], max_length=_MOST_OBJECTS)
    object_data: list[ObjectData] = Field(default=[], alias="objectData", max_length=_MOST_OBJECTS)
    filters: list[str] = []
    timestamp: Milliseconds | None = None
    value: Figure | None = None
    currency: str | None = Field(default=None, max_length=20)


def translate(value: Any, *, received: float, hashed: Hashed) -> Translation:
    """A Feedback for each object; views and clicks on filters are noted, because searches log what they show."""
    event = AlgoliaEvent.model_validate(value)
    notes = tuple(_notes(event))
    if event.type == "view" or not event.object_ids:
        what = "view" if event.type == "view" else "filters" if event.filters else "objectIDs"
        message = "Only clicks and conversions of objects teach; what a search has shown, it logs itself."
        return Translation(notes=(*notes, Note("not_used", what, message)))
    for name, given in (("positions", event.positions), ("objectData", event.object_data)):
        if given and len(given) != len(event.object_ids):
            raise InvalidInput(
                "invalid_event",
                f"{name} has {len(given)} entries for {len(event.object_ids)} objectIDs.",
                "Send as many.",
            )
    return Translation(tuple(_feedback(event, received, hashed)), notes=notes)


def _feedback(event: AlgoliaEvent, received: float, hashed: Hashed) -> Iterator[Feedback]:
    for n, object_id in enumerate(event.object_ids):
        data = event.object_data[n] if event.object_data else None
        query_id = data.query_id if data and data.query_id else event.query_id
        if query_id is None:
            raise InvalidInput(
                "no_query_id",
                f"No queryID says which search led to object {object_id!r}.",
                "Send the query_id of the search as queryID (or in objectData); other events cannot be credited.",
            )
        feedback = Feedback(
            event_id=EventId(""),
            query_id=QueryId(query_id),
            item_id=ItemId(object_id),
            action=_action(event),
            time=received if event.timestamp is None else event.timestamp / 1000,
            received=received,
            client_id=event.user_token,
            user_id=hashed(event.authenticated_user_token),
            position=event.positions[n] if event.positions else None,
            attributes=_attributes(event, data),
        )
        yield replace(feedback, event_id=content_id(feedback, at=event.timestamp))


def _action(event: AlgoliaEvent) -> str:
    """A conversion without a subtype is the goal of the shop, and counts as a purchase."""
    if event.type == "click":
        return "click"
    return "cart" if event.subtype == "addToCart" else "purchase"


def _attributes(event: AlgoliaEvent, data: ObjectData | None) -> dict[str, str]:
    known = event.model_dump(include={"name", "index", "value", "currency"})
    if data:
        known |= data.model_dump(include={"price", "quantity", "discount"})
    return {name: str(value) for name, value in known.items() if value is not None}


def _notes(event: AlgoliaEvent) -> Iterator[Note]:
    yield from unknown_fields(event)
    for data in event.object_data:
        yield from unknown_fields(data, "objectData.")
    if event.filters and event.object_ids:
        yield Note("not_used", "filters", "filters are not used; a search has its own.")
