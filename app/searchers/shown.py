"""What a search shows, as it leaves the process that has answered it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel

from app.schemas.explanation import ExplanationBody
from app.schemas.facets import facet_body
from app.schemas.search import told
from app.search.answer import Answer
from app.search.explanation import Explanation, explain
from app.search.request_clock import Lap, RequestClock
from app.search.wanted import Wanted
from app.service import Page, Service
from core.episodes import Impression
from core.facets import Facet


@dataclass(frozen=True, slots=True)
class Shown:
    """`body`: a JSON object, a SearchAnswer without what is known last; `laps` of the clock until it was written."""

    impression: Impression
    body: bytes
    laps: Sequence[Lap]

    def finished(self, *, logged: bool, seconds: float) -> bytes:
        """The whole SearchAnswer."""
        last = orjson.dumps({"logged": logged, "took_ms": round(seconds * 1000, 3)})
        return self.body[:-1] + b"," + last[1:]


def show(service: Service, wanted: Wanted, clock: RequestClock) -> Shown:
    """Answer, and write down what is to be shown."""
    page = service.answer(wanted, clock)
    first = page.impression.first_position - 1
    rows = range(first, first + len(page.impression.shown))
    explanations = (
        explain(page.answer, rows, service.recall, service.quality_words) if wanted.explain else [None] * len(rows)
    )
    hits = [_hit(page.answer, row, explained) for row, explained in zip(rows, explanations, strict=True)]
    body = _body(page, hits)
    clock.lap("serialise")
    return Shown(page.impression, body, clock.laps)


# Written as JSON at once, in the shape of SearchAnswer: forty models for each answer take ten times as long to make.
def _body(page: Page, hits: list[dict[str, Any]]) -> bytes:
    answer, impression = page.answer, page.impression
    plan, neural = answer.choice.plan, answer.ranked.neural
    body = {
        "query_id": answer.query.id,
        "hits": hits,
        "candidates": len(answer.candidates),
        "plan": {"name": plan.name, "depths": plan.depths},
        "policy": answer.choice.policy,
        "ranker": answer.ranked.version,
        "release": answer.release,
        "arms": {arm: told(report) for arm, report in answer.arms.items()},
        "degraded": impression.degraded,
        "neural": told(neural) if neural else None,
        "experiment": impression.experiment or None,
        "facets": {name: _facet(facet) for name, facet in page.facets.items()} or None,
    }
    # What is none of the plain kinds is a mapping that is no dictionary.
    return orjson.dumps(_known(body), default=dict)


def _hit(answer: Answer, row: int, explained: Explanation | None) -> dict[str, Any]:
    candidate = answer.candidates[row]
    item = candidate.item
    arms: dict[str, dict[str, Any]] = {
        arm: {"rank": rank, "score": candidate.scores[arm]} for arm, rank in candidate.ranks.items()
    }
    for arm, reason in candidate.why.items() if explained else ():
        arms[arm]["why"] = reason
    hit: dict[str, Any] = {
        "position": row + 1,
        "id": item.id,
        "type": item.type,
        "fields": item.fields,
        "attributes": item.attributes,
        "numbers": item.numbers,
        "score": float(answer.scores[row]),
        "arms": arms,
    }
    if explained:
        hit["explanation"] = _as_json(ExplanationBody.of(explained))
        if answer.teams:
            hit["team"] = answer.teams[row]
    return hit


def _facet(facet: Facet) -> Any:
    body = facet_body(facet)
    return _as_json(body) if isinstance(body, BaseModel) else [_as_json(each) for each in body]


def _as_json(body: BaseModel) -> orjson.Fragment:
    return orjson.Fragment(body.model_dump_json(by_alias=True, exclude_none=True))


def _known(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
