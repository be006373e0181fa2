"""PUT /v1/items and what it answers."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, field_validator

from app.schemas.parts import Id, Name, Rejection, Values, model, seconds
from core.types import Item, ItemId, Question, Review

_FIGURE = re.compile(r"[-+]?[\d.]+")
_FIRST, _LAST = (datetime(*day, tzinfo=UTC).timestamp() for day in ((1, 1, 1), (9999, 12, 31)))
_LARGEST = 1e30  # features are float32, and ratios of numbers have to fit too
ITEM = {
    "id": "track:love-story",
    "type": "track",
    "fields": {"title": "Love Story", "artist": "Taylor Swift"},
    "attributes": {"genre": ["country", "pop"]},
    "numbers": {"year": 2008, "popularity": 0.9},
}


def _dated(date: Any) -> Any:
    """A figure would be read as seconds since 1970: `2020` as half an hour of that year."""
    if isinstance(date, int | float) or (isinstance(date, str) and _FIGURE.fullmatch(date.strip())):
        raise ValueError(f"{date!r} is no date; write it as 2020-01-31, or 2020-01-31T12:00:00Z")
    return date


Date = Annotated[datetime, BeforeValidator(_dated)]


class ReviewBody(BaseModel):
    """What a customer wrote."""

    model_config = model({"text": "Sleeps like a log to it.", "rating": 5, "time": "2009-03-01T10:00:00Z"})

    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    rating: Annotated[float, Field(allow_inf_nan=False)] | None = None
    time: Date | None = None


class QuestionBody(BaseModel):
    """What a customer asked, and the answers."""

    model_config = model({"text": "Is this the single version?", "answers": ["Yes."]})

    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    answers: list[Annotated[str, Field(min_length=1, max_length=20_000)]] = Field(default_factory=list)


class ItemBody(BaseModel):
    """An item. `id` and one text field are all it needs."""

    model_config = model(ITEM)

    id: Id
    type: Name = "item"
    fields: dict[Name, str] = Field(description="Text by name; `title` matters most.")
    attributes: dict[Name, Values] = Field(
        default_factory=dict, description="Exact values to filter by, one or several."
    )
    numbers: dict[Name, float] = Field(
        default_factory=dict, description="Finite figures such as price, year, popularity (0..1)."
    )

    dates: dict[Name, Date] = Field(default_factory=dict, description="ISO 8601; without a zone, UTC.")
    images: list[Annotated[str, Field(min_length=1, max_length=2_000)]] = Field(
        default_factory=list, description="Addresses."
    )
    relations: dict[Name, list[Id]] = Field(
        default_factory=dict, description="Ids of other items by kind, `tracks` for example."
    )
    reviews: list[ReviewBody] = Field(default_factory=list)
    questions: list[QuestionBody] = Field(default_factory=list)

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
        if odd := [name for name, value in numbers.items() if abs(value) > _LARGEST]:
            raise ValueError(f"numbers are at most {_LARGEST:g}; these are larger: {', '.join(odd)}; use another unit")
        return numbers

    def item(self) -> Item:
        return Item(
            id=ItemId(self.id),
            type=self.type,
            fields=self.fields,
            attributes={name: tuple(values) for name, values in self.attributes.items()},
            numbers=self.numbers,
            dates={name: seconds(date) for name, date in self.dates.items()},
            images=tuple(self.images),
            relations={name: tuple(map(ItemId, ids)) for name, ids in self.relations.items()},
            reviews=tuple(Review(r.text, r.rating, seconds(r.time) if r.time else None) for r in self.reviews),
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
            dates={name: _date(time) for name, time in item.dates.items()},
            images=list(item.images),
            relations={name: list(ids) for name, ids in item.relations.items()},
            reviews=[
                ReviewBody.model_construct(text=r.text, rating=r.rating, time=None if r.time is None else _date(r.time))
                for r in item.reviews
            ],
            questions=[QuestionBody.model_construct(text=q.text, answers=list(q.answers)) for q in item.questions],
        )


class ItemsAnswer(BaseModel):
    """How many items were stored, and which entries were refused. Stored items are visible to every arm."""

    model_config = model({"stored": 2, "rejected": []})

    stored: int
    rejected: list[Rejection]


def _date(seconds: float) -> datetime:
    """A date at the end of its calendar may lie beyond it in seconds, or in UTC."""
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC)
