"""Why a hit is where it is, as POST /v1/search tells it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from app.schemas.memory import RememberedBody
from app.schemas.parts import model
from app.search.explanation import Explanation, quality_json
from retrievers.memory import Entry


class PartBody(BaseModel):
    """The value of a feature, absent where it is missing, and what it adds to the score."""

    model_config = model({"value": 11.3, "contribution": 0.84})

    value: float | None = None
    contribution: float


class PraisedBody(BaseModel):
    """A term, who mentions it, and how customers feel about it beside what is usual in the category."""

    model_config = model({"term": "battery life", "sources": ["seller", "review"], "sentiment": 0.4})

    term: str
    sources: list[Literal["seller", "review", "question"]]
    sentiment: float | None = None


class QualityBody(BaseModel):
    """What customers wrote and rated; `residual` is the quality that price does not explain."""

    model_config = model(
        {
            "rating": 4.3,
            "reviews": 12,
            "residual": 0.2,
            "positive": [PraisedBody.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
            "negative": [],
        }
    )

    rating: float | None = None
    reviews: int
    residual: float | None = None
    positive: list[PraisedBody]
    negative: list[PraisedBody]


class ExplanationBody(BaseModel):
    """Why the hit is where it is. `base` and all contributions sum to its score."""

    model_config = model(
        {
            "base": -0.02,
            "features": {"lexical.score": PartBody.model_config["json_schema_extra"]["examples"][0]},  # type: ignore[index]
            "ranked": 4,
            "held_back": "brand = HP: 3 on the page",
            "memory": RememberedBody.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
            "quality": QualityBody.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
        }
    )

    base: float
    features: dict[str, PartBody] = Field(description="The largest contributions first.")
    ranked: int = Field(
        description="The place that the ranker alone gave it; its own team's, of an interleaved answer."
    )
    held_back: str | None = Field(default=None, description="Why diversity shows it later.")
    memory: RememberedBody | None = Field(default=None, description="Absent where the memory holds nothing of it.")
    quality: QualityBody | None = Field(default=None, description="Absent where no customer has written about it.")

    @classmethod
    def of(cls, explained: Explanation) -> ExplanationBody:
        return cls.model_construct(
            base=explained.base,
            features={
                name: PartBody.model_construct(value=part.value, contribution=part.contribution)
                for name, part in explained.features.items()
            },
            ranked=explained.ranked,
            held_back=explained.held_back or None,
            memory=_remembered(explained.memory) if explained.memory else None,
            quality=QualityBody.model_validate(quality_json(explained.quality)) if explained.quality else None,
        )


def _remembered(entry: Entry) -> RememberedBody:
    return RememberedBody.model_construct(
        belief=entry.belief,
        prior=entry.prior,
        gain=entry.gain,
        examined=entry.examined,
        posterior=entry.posterior,
        predicted=entry.predicted,
    )
