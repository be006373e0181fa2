"""GET /v1/plans and GET /v1/readings."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import BaseModel, Field

from app.schemas.parts import model
from core.types import Plan
from retrievers.structure.readings import Constraint, Reading


class OnePlan(BaseModel):
    """A plan, and with a query the chance that the policy draws it."""

    model_config = model({"name": "lexical", "depths": {"lexical": 100}, "default": False, "probability": 0.01})

    name: str
    depths: dict[str, int]
    default: bool
    probability: float | None = None


class PlansAnswer(BaseModel):
    """The plans there are, in the configured order; `policies` are the names that a preview may ask for."""

    model_config = model(
        {
            "plans": [{"name": "lexical", "depths": {"lexical": 100}, "default": False, "probability": 0.01}],
            "arms": ["lexical"],
            "policies": {"served": "coverage-8c1f0a2b31"},
            "query": "love",
            "policy": "coverage-8c1f0a2b31",
        }
    )

    plans: list[OnePlan]
    arms: list[str] = Field(description="All arms, in the order of the configuration.")
    policies: dict[str, str] = Field(description="Name -> version of the policy.")
    query: str | None = None
    policy: str | None = Field(default=None, description="The version whose probabilities these are.")

    @classmethod
    def of(cls, plans: Mapping[str, Plan], default: str, chances: Mapping[str, float] | None) -> list[OnePlan]:
        return [
            OnePlan.model_construct(
                name=plan.name,
                depths=dict(plan.depths),
                default=plan.name == default,
                probability=None if chances is None else chances.get(plan.name, 0.0),
            )
            for plan in plans.values()
        ]


class ConstraintBody(BaseModel):
    """An attribute that has the phrase in a value, or a number from one bound to the other."""

    model_config = model({"name": "artist", "phrase": "taylor", "probability": 0.8})

    name: str
    phrase: str | None = None
    low: float | None = Field(default=None, alias="from")
    high: float | None = Field(default=None, alias="to")
    probability: float

    @classmethod
    def of(cls, found: Constraint, probability: float) -> ConstraintBody:
        return cls.model_construct(
            name=found.name,
            phrase=found.phrase or None,
            low=_bound(found.low),
            high=_bound(found.high),
            probability=probability,
        )


class ReadingBody(BaseModel):
    """One way to read the query. Without constraints: just words."""

    model_config = model(
        {
            "constraints": [{"name": "artist", "phrase": "taylor", "probability": 0.8}],
            "words": ["love"],
            "likelihood": 0.6,
            "explained": 0.5,
        }
    )

    constraints: list[ConstraintBody]
    words: list[str]
    likelihood: float
    explained: float = Field(description="Share of the query's words that constraints explain.")

    @classmethod
    def of(cls, reading: Reading) -> ReadingBody:
        return cls.model_construct(
            constraints=[ConstraintBody.of(*each) for each in reading.constraints.items()],
            words=list(reading.words),
            likelihood=reading.likelihood,
            explained=reading.explained,
        )


class ReadingsAnswer(BaseModel):
    """How the structured arm reads the query, the likeliest first."""

    model_config = model({"query": "taylor love", "readings": []})

    query: str
    readings: list[ReadingBody]


def _bound(value: float) -> float | None:
    return value if math.isfinite(value) else None
