"""What becomes of one event of another system: feedback, a page that was shown, or a remark; nothing goes unsaid."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import orjson
from pydantic import BaseModel, Field

from core.episodes import EventId, Feedback
from core.types import ItemId

Hashed = Callable[[str | None], str | None]
# Milliseconds since the epoch, up to the year 2286.
Milliseconds = Annotated[int, Field(ge=0, lt=10_000_000_000_000)]
# What others call what is called `cart`, `click` and `purchase` here.
_ACTIONS = {
    "add_to_cart": "cart",
    "addtocart": "cart",
    "item_click": "click",
    "product_click": "click",
    "product_purchase": "purchase",
    "order": "purchase",
}


@dataclass(frozen=True, slots=True)
class Note:
    """`unknown_field`: a field that the format does not have, or `not_used`: what says nothing that is learned from."""

    code: str
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A page that another system has shown, or a part of it: items in their order, the first at `first_position`.

    `source` names the application: one counts positions from 0, another from 1. `seen` is false where it is only known
    that these items were answered, the first at 1.
    """

    query_id: str
    text: str
    time: float
    items: tuple[ItemId, ...]
    client_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    first_position: int = 1
    source: str = ""
    seen: bool = True


@dataclass(frozen=True, slots=True)
class Translation:
    """Any of it may be empty, but not all."""

    feedback: tuple[Feedback, ...] = ()
    shown: Shown | None = None
    notes: tuple[Note, ...] = ()


class Translate(Protocol):
    """Of one entry of a format. pydantic's ValidationError or InvalidInput when it cannot be understood."""

    def __call__(self, value: Any, *, received: float, hashed: Hashed) -> Translation: ...


def action(name: str) -> str:
    """The name of an action here."""
    return _ACTIONS.get(name.lower(), name)


def unknown_fields(body: BaseModel, where: str = "") -> Iterator[Note]:
    """A note on every field that the model does not have."""
    for name in body.model_extra or {}:
        yield Note("unknown_field", f"{where}{name}", f"{where}{name} is not a field of this format; it is not used.")


def content_id(event: Feedback, *, at: object) -> EventId:
    """For formats whose events have no id: the same content, at the same time if it has one, counts once."""
    parts = [event.query_id, event.item_id, event.action, event.client_id, event.session_id, event.user_id]
    content = orjson.dumps([*parts, event.position, dict(event.attributes), at], option=orjson.OPT_SORT_KEYS)
    return EventId("content-" + hashlib.sha256(content).hexdigest()[:32])
