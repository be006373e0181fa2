"""An item of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Review:
    """What a customer wrote."""

    text: str
    rating: float | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer asked, and the answers."""

    text: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """`id` and one text field are all it needs; dates without a zone are UTC."""

    id: str
    fields: dict[str, str]
    type: str = "item"
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    dates: dict[str, datetime] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    relations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reviews: tuple[Review, ...] = ()
    questions: tuple[Question, ...] = ()
