"""GET /v1/memory and GET /v1/memory/history.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from app.insights.memory_course import Point
from app.schemas.parts import model
from core.types import ItemId

_BELIEF = {"belief": 0.62, "prior": 0.19, "gain": 7.9, "examined": 21.4, "posterior": 0.34, "predicted": False}


class RememberedBody(BaseModel):
    """What the memory holds of an item for a query."""

    model_config = model(_BELIEF)

    belief: float = Field(description="How well the query's words fit the item, 0..1.")
    prior: float = Field(description="The gain per examination that the belief stands for.")
    gain: float = Field(description="What people did about the item, of this query and its neighbours.")
    examined: float = Field(description="How often people are expected to have looked at it.")
    posterior: float = Field(description="The mean gain per examination: the score of the memory arm.")
    predicted: bool = Field(description="True until the item was shown for the query or a neighbour.")


class EntryBody(RememberedBody):
    """The same, of one of many items."""

    model_config = model({"item_id": "track:love-story", "title": "Love Story", **_BELIEF})

    item_id: str
    title: str


class NeighbourBody(BaseModel):
    """Another query whose evidence counts for this one, at this weight."""

    model_config = model({"query": "love storys", "weight": 0.41})

    query: str
    weight: float


class MemoryAnswer(BaseModel):
    """The entries, best first, and the neighbouring queries."""

    model_config = model(
        {
            "query": "love story",
            "entries": [EntryBody.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
            "neighbours": [NeighbourBody.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
        }
    )

    query: str
    entries: list[EntryBody]
    neighbours: list[NeighbourBody]


class HeldBody(BaseModel):
    """An entry at one time: predicted while `examined` is 0."""

    model_config = model({"item_id": "track:love-story", "prior": 0.19, "posterior": 0.34, "examined": 21.4})

    item_id: str
    prior: float
    posterior: float
    examined: float


class PointBody(BaseModel):
    """The best entries under one release; points that would repeat the one before are left out."""

    model_config = model(
        {
            "time": 1753000000.0,
            "release": 12,
            "entries": [{"item_id": "track:love-story", "prior": 0.19, "posterior": 0.34, "examined": 21.4}],
        }
    )

    time: float
    release: int
    entries: list[HeldBody]


class MemoryHistory(BaseModel):
    """Oldest first. `titles` of all items that are named."""

    model_config = model({"query": "tayler love", "titles": {"track:love-story": "Love Story"}, "points": []})

    query: str
    titles: dict[str, str]
    points: list[PointBody]

    @classmethod
    def of(cls, query: str, points: Sequence[Point], titles: Mapping[ItemId, str]) -> MemoryHistory:
        return cls.model_construct(query=query, titles=dict(titles), points=[_point(each) for each in points])


def _point(point: Point) -> PointBody:
    entries = [
        HeldBody.model_construct(
            item_id=held.item_id,
            prior=round(held.prior, 6),
            posterior=round(held.posterior, 6),
            examined=round(held.examined, 6),
        )
        for held in point.entries
    ]
    return PointBody.model_construct(time=point.time, release=point.release, entries=entries)
