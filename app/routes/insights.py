"""GET /v1/insights/..., GET /v1/doctor: what the service and its learner have noticed. Nothing here reads the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response

from app.operating.diagnosis import LogFigures, diagnose
from app.operating.findings import Finding
from app.routes.dependencies import Configured, Notices, Running, json
from app.schemas.health import DoctorAnswer, HealthSeen, LearnerSeen, StorageSeen
from app.schemas.insights import ArmSeen, EventsSeen, SearchedBody
from app.schemas.learning import Chart, LearningAnswer, QueriesAnswer
from app.schemas.parts import ErrorAnswer
from app.web.access import Guarded, needs
from app.wiring.plans import ARMS
from core.errors import NotFound

router = APIRouter(tags=["insights"], route_class=Guarded)
_CHARTS: dict[Chart, list[str]] = {
    "reward": ["over_time", "plans", "best_plan", "control"],
    "arms": ["over_time"],
    "kinds": ["kinds"],
    "plans": ["plans", "best_plan"],
    "curve": ["over_searches"],
    "off-policy": ["off_policy"],
}


@router.get(
    "/v1/insights/searches/{query_id}",
    response_model=SearchedBody,
    dependencies=[needs("admin")],
    responses={404: {"model": ErrorAnswer}},
)
def searched(query_id: str, noticed: Notices) -> Response:
    """How one of the newest 2,000 searches of this process came about: plan, propensity, versions, arms."""
    found = noticed.live.search(query_id)
    if found is None:
        raise NotFound(
            "search_not_recent",
            f"Search {query_id!r} is not among the newest of this process.",
            "Search again; older searches are in the event log.",
        )
    return json(SearchedBody.of(found))


@router.get("/v1/insights/events", response_model=EventsSeen, dependencies=[needs("admin")])
def events(noticed: Notices, settings: Configured) -> Response:
    """The newest feedback events, those that were refused with the reason, and counts; of this process."""
    return json(EventsSeen.of(noticed.live.events(), settings.feedback.window_s))


@router.get("/v1/insights/learning", response_model=LearningAnswer, dependencies=[needs("admin")])
def learning(noticed: Notices, settings: Configured) -> Response:
    """Reward over time and over searches, what each plan earns, covers and costs, arms by kind of query, and what other
    policies would have earned. The learner keeps these figures; without one that has run, there are none."""
    return json(_learning(noticed, settings))


@router.get("/v1/insights/learning/{chart}.json", response_model=LearningAnswer, dependencies=[needs("admin")])
def chart(chart: Chart, noticed: Notices, settings: Configured) -> Response:
    """The part of GET /v1/insights/learning that one chart of the studio draws."""
    wanted = {"written", "newest", "window_s", "episodes", *_CHARTS[chart]}
    body = _learning(noticed, settings).model_dump_json(include=wanted, exclude_none=True)
    return Response(body, media_type="application/json")


@router.get("/v1/insights/queries", response_model=QueriesAnswer, dependencies=[needs("admin")])
def queries(noticed: Notices) -> Response:
    """The queries that are asked most, that find nothing, and that are rarely clicked; kept by the learner."""
    known = noticed.learned.now()
    return json(QueriesAnswer.model_validate(known["queries"] if known else {}))


@router.get("/v1/insights/health", response_model=HealthSeen, dependencies=[needs("admin")])
def health(service: Running, noticed: Notices, settings: Configured) -> Response:
    """Every arm's newest calls, the learner, the models that serve, and the room that everything takes."""
    known = noticed.learned.now() or {}
    release, room = service.registry.current(), noticed.storage.now()
    return json(
        HealthSeen.model_construct(
            items=len(service.items),
            release=service.serving.release,
            config=service.config,
            policy=service.serving.policy.version,
            ranker=service.serving.ranker.version,
            models={name: digest[:10] for name, digest in release.components.items()} if release else {},
            released=release.created if release else None,
            arms=ArmSeen.all(ARMS, noticed.live.arms()),
            learner=LearnerSeen.model_construct(
                window_s=settings.feedback.window_s,
                **{name: known[name] for name in ("written", "newest", "episodes") if name in known},
            ),
            storage=StorageSeen.model_construct(parts=room.parts, free=room.free),
        )
    )


@router.get("/v1/doctor", response_model=DoctorAnswer, dependencies=[needs("admin")])
def doctor(service: Running, noticed: Notices, settings: Configured) -> Response:
    """What `bowerbird doctor` says, by the learner's count of the log instead of reading it."""
    known = noticed.learned.now()
    found = diagnose(settings, _figures(known))
    return json(DoctorAnswer.of(found if known else [_uncounted(each) for each in found]))


def _learning(noticed: Notices, settings: Configured) -> LearningAnswer:
    known = noticed.learned.now() or {"window_s": settings.feedback.window_s}
    return LearningAnswer.model_validate(
        {name: value for name, value in known.items() if name in LearningAnswer.model_fields}
    )


def _figures(known: dict[str, Any] | None) -> LogFigures:
    if known is None:
        return LogFigures(0, 0, 0, 0, 0)
    return LogFigures(known["episodes"], known["feedback"], known["identified"], known["clicked"], 0)


def _uncounted(finding: Finding) -> Finding:
    """Before a learner has taken a search in nobody has counted."""
    if finding.part != "events":
        return finding
    message = (
        "not counted yet: a learner, which `bowerbird serve` starts, counts a search when it waits no longer for its"
        " feedback."
    )
    return replace(finding, message=message)
