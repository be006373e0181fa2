"""POST /v1/search and what it answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator

from app.schemas.explanation import ExplanationBody
from app.schemas.facets import FacetBody
from app.schemas.items import ITEM
from app.schemas.parts import Id, Name, Text, Values, model
from app.search.wanted import Wanted
from core.types import ArmReport, ItemId, Query, QueryId, Range

Bound = Annotated[float, Field(allow_inf_nan=False)]


class RangeBody(BaseModel):
    """Figures from one bound to the other, both included; either may be left out."""

    model_config = model({"from": 100, "to": 300})

    low: Bound | None = Field(default=None, alias="from")
    high: Bound | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _is_one(self) -> RangeBody:
        if self.low is None and self.high is None:
            raise ValueError("a range needs `from`, `to` or both; leave the filter out if any figure will do")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"from = {self.low:g} is above to = {self.high:g}; exchange them")
        return self

    def range(self) -> Range:
        return Range(-math.inf if self.low is None else self.low, math.inf if self.high is None else self.high)


def _kind(wanted: Any) -> str:
    return "range" if isinstance(wanted, dict | RangeBody) else "values"


Filter = Annotated[Annotated[RangeBody, Tag("range")] | Annotated[Values, Tag("values")], Discriminator(_kind)]


class SearchBody(BaseModel):
    """A search. Give `client_id` and `session_id` when you can: learning is safer and better with them."""

    model_config = model(
        {
            "query": "tayler love",
            "size": 5,
            "client_id": "browser-17",
            "filters": {"type": "track", "year": {"from": 2000}},
            "facets": ["mood", "year"],
        }
    )

    query: Text = Field(description="What was typed. Empty: what is popular.")
    size: Annotated[int, Field(ge=1)] = 10
    start: Annotated[int, Field(ge=0, alias="from", description="How many results to skip.")] = 0
    user_id: Id | None = None
    session_id: Id | None = None
    client_id: Id | None = None
    filters: dict[Name, Filter] = Field(
        default_factory=dict, description="Attribute (or `type`) -> wanted values; number -> `{from, to}`."
    )
    facets: list[Name] = Field(
        default_factory=list,
        max_length=10,
        description="Attributes and numbers to count over all items that match the words.",
    )
    context: dict[Name, Annotated[str, Field(max_length=200)]] = Field(default_factory=dict, max_length=32)
    history: list[Id] = Field(
        default_factory=list,
        max_length=50,
        description="Items engaged with in this session, newest last; without it, those of the session's events.",
    )
    explain: bool = Field(default=False, description="Add what made each hit's score, and the arms' reasons.")
    preview: bool = Field(default=False, description="Look without leaving a trace: nothing is logged or learned.")
    plan: Name | None = Field(default=None, description="Answer by this plan; only with `preview`.")
    policy: Name | None = Field(default=None, description="Let this policy choose the plan; only with `preview`.")

    def asked(self, query_id: QueryId, now: float, hashed: Callable[[str | None], str | None]) -> Query:
        """The query as it is logged: with the user's id `hashed`."""
        return Query(
            id=query_id,
            text=self.query,
            time=now,
            user_id=hashed(self.user_id),
            session_id=self.session_id,
            client_id=self.client_id,
            filters={
                name: wanted.range() if isinstance(wanted, RangeBody) else tuple(wanted)
                for name, wanted in self.filters.items()
            },
            context=self.context,
            history=tuple(map(ItemId, self.history)),
        )

    def wanted(self, query: Query) -> Wanted:
        """All of the search, whose `query` it is."""
        return Wanted(
            query, self.start, self.size, self.plan, self.policy, self.preview, tuple(self.facets), self.explain
        )


class Found(BaseModel):
    """Where an arm had the item; with `explain`, why, from arms whose answers need a reason."""

    model_config = model({"rank": 2, "score": 11.3})

    rank: int
    score: float
    why: str | None = None


class Hit(BaseModel):
    """One shown item, and the arms that found it."""

    model_config = model(
        {
            "position": 1,
            **ITEM,
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
    explanation: ExplanationBody | None = None
    team: int | None = None


class ArmBody(BaseModel):
    """What became of one asked arm, or of the neural stage: it was to read `depth` candidates and has read `found`."""

    model_config = model({"status": "ok", "depth": 100, "found": 100, "took_ms": 0.9})

    status: Literal["ok", "timeout", "error", "skipped"]
    depth: int
    found: int
    took_ms: float

    @classmethod
    def of(cls, report: ArmReport) -> ArmBody:
        return cls.model_construct(**told(report))


def told(report: ArmReport) -> dict[str, Any]:
    """What an ArmBody says."""
    return {
        "status": report.status.value,
        "depth": report.depth,
        "found": report.found,
        "took_ms": round(report.took_ms, 3),
    }


class PlanBody(BaseModel):
    """The chosen plan: how many candidates each arm was asked for."""

    model_config = model({"name": "lexical-memory", "depths": {"lexical": 100, "memory": 50}})

    name: str
    depths: dict[str, int]


class SearchAnswer(BaseModel):
    """The hits, and how they came about. Send feedback with this `query_id`."""

    model_config = model(
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
            "facets": {"mood": [{"value": "romantic", "count": 12}]},
            "logged": True,
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
    degraded: bool = Field(description="Whether an asked arm did not answer.")
    neural: ArmBody | None = Field(default=None, description="The neural stage, where one is configured.")
    experiment: str | None = Field(default=None, description="`name:variant` of the experiment it takes part in.")
    facets: dict[str, FacetBody] | None = Field(
        default=None, description="The asked ones: values with counts, most frequent first, or ranges of a number."
    )
    logged: bool = Field(description="Whether feedback can be taken; false of a preview, or when the log fails.")
    took_ms: float
