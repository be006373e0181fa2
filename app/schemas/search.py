"""POST /v1/search and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.schemas.items import ITEM
from app.schemas.parts import Id, Name, Values, model
from core.types import ItemId, Query, QueryId


class SearchBody(BaseModel):
    """A search. Give `client_id` and `session_id` when you can: learning is safer and better with them."""

    model_config = model({"query": "tayler love", "size": 5, "client_id": "browser-17", "filters": {"type": "track"}})

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
    features: dict[str, float | None] | None = None


class ArmBody(BaseModel):
    """What became of one asked arm."""

    model_config = model({"status": "ok", "depth": 100, "found": 100, "took_ms": 0.9})

    status: Literal["ok", "timeout", "error"]
    depth: int
    found: int
    took_ms: float


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
