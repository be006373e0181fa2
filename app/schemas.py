"""The shapes of the HTTP API, each with an example."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from core.types import EventId, Feedback, Item, ItemId, Query, QueryId, Question, Review

Id = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Values = Annotated[list[Annotated[str, Field(max_length=10_000)]], BeforeValidator(_as_list)]


def _model(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]}, populate_by_name=True)


_ITEM = {
    "id": "track:love-story",
    "type": "track",
    "fields": {"title": "Love Story", "artist": "Taylor Swift"},
    "attributes": {"genre": ["country", "pop"]},
    "numbers": {"year": 2008, "popularity": 0.9},
}


class ReviewBody(BaseModel):
    """What a customer wrote."""

    model_config = _model({"text": "Sleeps like a log to it.", "rating": 5, "time": "2009-03-01T10:00:00Z"})

    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    rating: Annotated[float, Field(allow_inf_nan=False)] | None = None
    time: datetime | None = None


class QuestionBody(BaseModel):
    """What a customer asked, and the answers."""

    model_config = _model({"text": "Is this the single version?", "answers": ["Yes."]})

    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    answers: list[Annotated[str, Field(min_length=1, max_length=20_000)]] = []


class ItemBody(BaseModel):
    """An item. `id` and one text field are all it needs."""

    model_config = _model(_ITEM)

    id: Id
    type: Name = "item"
    fields: dict[Name, str] = Field(description="Text by name; `title` matters most.")
    attributes: dict[Name, Values] = Field(default={}, description="Exact values to filter by, one or several.")
    numbers: dict[Name, float] = Field(default={}, description="Finite figures such as price, year, popularity (0..1).")

    dates: dict[Name, datetime] = Field(default={}, description="ISO 8601; without a zone, UTC.")
    images: list[Annotated[str, Field(min_length=1, max_length=2_000)]] = Field(default=[], description="Addresses.")
    relations: dict[Name, list[Id]] = Field(default={}, description="Ids of other items by kind, `tracks` for example.")
    reviews: list[ReviewBody] = []
    questions: list[QuestionBody] = []

    @field_validator("fields")
    @classmethod
    def _has_text(cls, fields: dict[str, str]) -> dict[str, str]:
        if not any(text.strip() for text in fields.values()):
            raise ValueError("an item needs at least one text field that is not empty, for example a title")
        return fields

    @field_validator("numbers")
    @classmethod
    def _finite(cls, numbers: dict[str, float]) -> dict[str, float]:
        if odd := [name for name, value in numbers.items() if not math.isfinite(value)]:
            raise ValueError(f"numbers must be finite; these are not: {', '.join(odd)}; leave them out")
        return numbers

    def item(self) -> Item:
        return Item(
            id=ItemId(self.id),
            type=self.type,
            fields=self.fields,
            attributes={name: tuple(values) for name, values in self.attributes.items()},
            numbers=self.numbers,
            dates={name: _seconds(date) for name, date in self.dates.items()},
            images=tuple(self.images),
            relations={name: tuple(map(ItemId, ids)) for name, ids in self.relations.items()},
            reviews=tuple(Review(r.text, r.rating, _seconds(r.time) if r.time else None) for r in self.reviews),
            questions=tuple(Question(q.text, tuple(q.answers)) for q in self.questions),
        )

    @classmethod
    def of(cls, item: Item) -> ItemBody:
        """As it is; nothing is checked again."""
        return cls.model_construct(
            id=item.id,
            type=item.type,
            fields=dict(item.fields),
            attributes={name: list(values) for name, values in item.attributes.items()},
            numbers=dict(item.numbers),
            dates={name: datetime.fromtimestamp(time, UTC) for name, time in item.dates.items()},
            images=list(item.images),
            relations={name: list(ids) for name, ids in item.relations.items()},
            reviews=[
                ReviewBody.model_construct(text=r.text, rating=r.rating, time=_date(r.time)) for r in item.reviews
            ],
            questions=[QuestionBody.model_construct(text=q.text, answers=list(q.answers)) for q in item.questions],
        )


class SearchBody(BaseModel):
    """A search. Give `client_id` and `session_id` when you can: learning is safer and better with them."""

    model_config = _model({"query": "tayler love", "size": 5, "client_id": "browser-17", "filters": {"type": "track"}})

    query: str = Field(description="What was typed. Empty: what is popular.")
    size: Annotated[int, Field(ge=1)] = 10
    start: Annotated[int, Field(ge=0, alias="from", description="How many results to skip.")] = 0
    user_id: Id | None = None
    session_id: Id | None = None
    client_id: Id | None = None
    filters: dict[Name, Values] = Field(default={}, description="Attribute (or `type`) -> wanted values.")
    context: dict[Name, Annotated[str, Field(max_length=200)]] = Field(default={}, max_length=32)
    history: list[Id] = Field(
        default=[],
        max_length=50,
        description="Items engaged with in this session, newest last; without it, those of the session's events.",
    )
    explain: bool = Field(default=False, description="Add the features of every hit, and the arms' reasons.")
    preview: bool = Field(default=False, description="Look without leaving a trace: nothing is logged or learned.")
    plan: Name | None = Field(default=None, description="Answer by this plan; only with `preview`.")

    def asked(self, query_id: QueryId, now: float) -> Query:
        return Query(
            id=query_id,
            text=self.query,
            time=now,
            user_id=self.user_id,
            session_id=self.session_id,
            client_id=self.client_id,
            filters={name: tuple(values) for name, values in self.filters.items()},
            context=self.context,
            history=tuple(map(ItemId, self.history)),
        )


class Found(BaseModel):
    """Where an arm had the item; with `explain`, why, from arms whose answers need a reason."""

    model_config = _model({"rank": 2, "score": 11.3})

    rank: int
    score: float
    why: str | None = None


class Hit(BaseModel):
    """One shown item, and the arms that found it."""

    model_config = _model(
        {
            "position": 1,
            **_ITEM,
            "score": 1.7,
            "arms": {"lexical": {"rank": 2, "score": 11.3}, "memory": {"rank": 1, "score": 0.4}},
        }
    )

    position: int
    id: str
    type: str
    fields: dict[str, str]
    attributes: dict[str, list[str]]
    numbers: dict[str, float]
    score: float
    arms: dict[str, Found]
    features: dict[str, float | None] | None = None


class ArmBody(BaseModel):
    """What became of one asked arm."""

    model_config = _model({"status": "ok", "depth": 100, "found": 100, "took_ms": 0.9})

    status: Literal["ok", "timeout", "error"]
    depth: int
    found: int
    took_ms: float


class PlanBody(BaseModel):
    """The chosen plan: how many candidates each arm was asked for."""

    model_config = _model({"name": "lexical-memory", "depths": {"lexical": 100, "memory": 50}})

    name: str
    depths: dict[str, int]


class SearchAnswer(BaseModel):
    """The hits, and how they came about. Send feedback with this `query_id`."""

    model_config = _model(
        {
            "query_id": "0b5cf4a28a9e4c8ea2b9a2c0c6a7f1de",
            "hits": [Hit.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
            "candidates": 128,
            "plan": {"name": "lexical-memory", "depths": {"lexical": 100, "memory": 50}},
            "policy": "coverage-8c1f0a2b31",
            "ranker": "lambdamart-5f0c2d9e77",
            "release": 12,
            "arms": {"lexical": {"status": "ok", "depth": 100, "found": 100, "took_ms": 0.9}},
            "degraded": False,
            "took_ms": 7.4,
        }
    )

    query_id: str
    hits: list[Hit]
    candidates: int = Field(description="How many distinct items the arms found.")
    plan: PlanBody
    policy: str
    ranker: str
    release: int
    arms: dict[str, ArmBody]
    degraded: bool
    took_ms: float


class EventObject(BaseModel):
    model_config = _model({"object_id": "track:love-story"})

    object_id: Id


class EventPosition(BaseModel):
    model_config = _model({"ordinal": 1})

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

    model_config = _model(
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

    def feedback(self, received: float) -> Feedback:
        position = self.event_attributes.position
        return Feedback(
            event_id=EventId(self.event_id or self._content_id()),
            query_id=QueryId(self.query_id),
            item_id=ItemId(self.event_attributes.object.object_id),
            action=self.action_name,
            time=_seconds(self.timestamp) if self.timestamp else received,
            received=received,
            client_id=self.client_id,
            session_id=self.session_id,
            user_id=self.user_id,
            position=position.ordinal if position else None,
        )

    def _content_id(self) -> str:
        return "content-" + hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]


class Rejection(BaseModel):
    """Why one entry was refused. `index` counts from 0; for NDJSON `line` counts from 1."""

    model_config = _model(
        {
            "index": 3,
            "line": 4,
            "code": "invalid_item",
            "message": "id: Field required.",
            "remedy": "Correct this item and send it again.",
        }
    )

    index: int
    line: int | None = None
    code: str
    message: str
    remedy: str


class ItemsAnswer(BaseModel):
    """How many items were stored, and which entries were refused. Stored items are visible to every arm."""

    model_config = _model({"stored": 2, "rejected": []})

    stored: int
    rejected: list[Rejection]


class EventsAnswer(BaseModel):
    """What became of the events. Stored ones are durable; duplicates were stored before."""

    model_config = _model({"stored": 1, "duplicates": 0, "rejected": []})

    stored: int
    duplicates: int
    rejected: list[Rejection]


class ErrorAnswer(BaseModel):
    """What is wrong, and the remedy."""

    model_config = _model(
        {
            "code": "no_such_item",
            "message": "There is no item 'x'.",
            "remedy": "Check the id, or PUT the item to /v1/items.",
        }
    )

    code: str
    message: str
    remedy: str


class Health(BaseModel):
    model_config = _model({"status": "ready", "items": 19406, "release": 12})

    status: str
    items: int | None = None
    release: int | None = None


def _date(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds(timestamp: datetime) -> float:
    """UBI timestamps without a zone are UTC."""
    return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).timestamp()
