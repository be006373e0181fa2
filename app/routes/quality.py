"""GET /v1/quality/pairs, POST /v1/quality/judgments, GET /v1/quality/report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.jobs.quality import pairs_to_judge
from app.jobs.quality_report import quality_report
from app.routes.dependencies import Configured, Running, json
from app.schemas.parts import ErrorAnswer
from app.schemas.quality import JudgmentAnswer, JudgmentBody, PairBody, PairsAnswer, QualityReport
from app.web.access import Guarded, needs

router = APIRouter(tags=["quality"], route_class=Guarded)
_MOST = 100


@router.get("/v1/quality/pairs", response_model=PairsAnswer, dependencies=[needs("events")])
def pairs(
    service: Running, limit: Annotated[int, Query(ge=1, le=_MOST, description="The most pairs.")] = 10
) -> Response:
    """Pairs of items to compare, as `bowerbird quality build` found them; none before its first run."""
    found = pairs_to_judge(service.judgments, service.items, limit)
    return json(PairsAnswer(pairs=[PairBody.of(pair, items) for pair, items in found]))


@router.post(
    "/v1/quality/judgments",
    response_model=JudgmentAnswer,
    dependencies=[needs("events")],
    responses={404: {"model": ErrorAnswer}, 409: {"model": ErrorAnswer}},
)
def judgments(body: JudgmentBody, service: Running) -> Response:
    """Take one judgment of a pair that was served. It is durable when this answers, and counts once per judgment_id."""
    stored = service.judgments.judge(body.judgment(), received=service.clock())
    return json(JudgmentAnswer(stored=stored))


@router.get("/v1/quality/report", response_model=QualityReport, dependencies=[needs("admin")])
def report(service: Running, settings: Configured) -> Response:
    """What `bowerbird quality report` says. Reads all judgments."""
    return json(QualityReport.model_validate(quality_report(settings)))
