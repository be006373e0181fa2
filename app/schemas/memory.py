"""GET /v1/memory."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.schemas.parts import model


class EntryBody(BaseModel):
    """What the memory holds of one item for the query."""

    model_config = model(
        {
            "item_id": "track:love-story",
            "title": "Love Story",
            "belief": 0.62,
            "prior": 0.19,
            "gain": 7.9,
            "examined": 21.4,
            "posterior": 0.34,
            "predicted": False,
        }
    )

    item_id: str
    title: str
    belief: float = Field(description="How well the query's words fit the item, 0..1.")
    prior: float = Field(description="The gain per examination that the belief stands for.")
    gain: float = Field(description="What people did about the item, of this query and its neighbours.")
    examined: float = Field(description="How often people are expected to have looked at it.")
    posterior: float = Field(description="The mean gain per examination: the score of the memory arm.")
    predicted: bool = Field(description="True until the item was shown for the query or a neighbour.")


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
