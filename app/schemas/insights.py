"""What GET /v1/insights/... answers. What is not known is absent, never 0."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from app.insights.live import ArmFigures, EventFigures, Refused, SeenEvent, SeenSearch
from app.schemas.parts import model
from app.schemas.search import ArmBody, PlanBody


class SearchedBody(BaseModel):
    """How a search came about. `logged` is false for a preview."""

    model_config = model(
        {
            "query_id": "0b5cf4a28a9e4c8ea2b9a2c0c6a7f1de",
            "query": "tayler love",
            "time": 1753000000.0,
            "logged": True,
            "plan": {"name": "lexical", "depths": {"lexical": 100}},
            "propensity": 0.031,
            "policy": "coverage-8c1f0a2b31",
            "ranker": "lambdamart-5f0c2d9e77",
            "release": 12,
            "config": "3f0c9d1e2b7a",
            "degraded": False,
            "arms": {"lexical": {"status": "ok", "depth": 100, "found": 100, "took_ms": 0.9}},
            "shown": ["track:love-story"],
        }
    )

    query_id: str
    query: str
    time: float
    logged: bool
    plan: PlanBody
    propensity: float = Field(description="The probability with which the policy drew the plan.")
    policy: str
    ranker: str
    release: int
    config: str
    experiment: str | None = None
    degraded: bool
    arms: dict[str, ArmBody]
    shown: list[str]

    @classmethod
    def of(cls, seen: SeenSearch) -> SearchedBody:
        found = seen.impression
        plan = PlanBody.model_construct(name=found.choice.plan.name, depths=dict(found.choice.plan.depths))
        return cls.model_construct(
            query_id=found.query.id,
            query=found.query.text,
            time=found.query.time,
            logged=seen.logged,
            plan=plan,
            propensity=found.choice.propensity,
            policy=found.choice.policy,
            ranker=found.ranker,
            release=found.release,
            config=found.config,
            experiment=found.experiment or None,
            degraded=found.degraded,
            arms={arm: ArmBody.of(report) for arm, report in found.arms.items()},
            shown=list(found.shown),
        )


class EventSeen(BaseModel):
    """A feedback event. `late` is absent where its search is not known here any more."""

    model_config = model(
        {
            "time": 1753000000.0,
            "received": 1753000000.2,
            "action": "click",
            "item_id": "track:love-story",
            "query_id": "0b5cf4a28a9e4c8ea2b9a2c0c6a7f1de",
            "query": "tayler love",
            "outcome": "stored",
            "late": False,
        }
    )

    time: float
    received: float
    action: str
    item_id: str
    query_id: str
    query: str | None = None
    outcome: str
    late: bool | None = None

    @classmethod
    def of(cls, seen: SeenEvent) -> EventSeen:
        event = seen.event
        return cls.model_construct(
            time=event.time,
            received=event.received,
            action=event.action,
            item_id=event.item_id,
            query_id=event.query_id,
            query=seen.query,
            outcome=seen.outcome.value,
            late=seen.late,
        )


class RefusedBody(BaseModel):
    """An event that was refused, and why."""

    model_config = model({"time": 1753000000.0, "code": "unknown_query", "message": "No search ...", "remedy": "Send"})

    time: float
    code: str
    message: str
    remedy: str

    @classmethod
    def of(cls, refused: Refused) -> RefusedBody:
        return cls.model_construct(time=refused.time, code=refused.code, message=refused.message, remedy=refused.remedy)


class EventsSeen(BaseModel):
    """Newest first, of this process since it started. `counts`: `stored`, `duplicate`, and refusals by their code."""

    model_config = model({"since": 1753000000.0, "window_s": 300.0, "counts": {"stored": 12}, "late": 0})

    since: float
    window_s: float = Field(description="Feedback that comes later than this after its search is not credited.")
    counts: dict[str, int]
    late: int = Field(description="Stored events that came after the window, as far as their searches are known.")
    events: list[EventSeen] = []
    refused: list[RefusedBody] = []

    @classmethod
    def of(cls, figures: EventFigures, window_s: float) -> EventsSeen:
        return cls.model_construct(
            since=figures.since,
            window_s=window_s,
            counts=dict(figures.outcomes),
            late=figures.late,
            events=[EventSeen.of(each) for each in figures.events],
            refused=[RefusedBody.of(each) for each in figures.refused],
        )


class ArmSeen(BaseModel):
    """An arm's newest calls, at most 500; without calls, no figures."""

    model_config = model({"arm": "lexical", "calls": 500, "statuses": {"ok": 500}, "p50_ms": 0.8, "p99_ms": 2.1})

    arm: str
    calls: int
    statuses: dict[str, int]
    p50_ms: float | None = None
    p99_ms: float | None = None

    @classmethod
    def all(cls, names: Sequence[str], found: Mapping[str, ArmFigures]) -> list[ArmSeen]:
        """One per name, in that order."""
        return [
            cls.model_construct(arm=name, calls=0, statuses={}) if name not in found else cls._of(name, found[name])
            for name in names
        ]

    @classmethod
    def _of(cls, name: str, found: ArmFigures) -> ArmSeen:
        return cls.model_construct(
            arm=name,
            calls=found.calls,
            statuses=dict(found.statuses),
            p50_ms=_known(found.p50_ms),
            p99_ms=_known(found.p99_ms),
        )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)
