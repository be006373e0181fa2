"""POST /v1/events."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.insights.live import Live
from app.operating.metrics import Metrics
from app.routes.dependencies import Configured, InLanes, Measured, Notices, Raw, Running, Users, json_of_many
from app.schemas.events import EventBody, EventsAnswer
from app.schemas.parts import ErrorAnswer
from app.service import Service
from app.settings import Settings
from app.web.access import Guarded, needs
from app.web.bodies import entries, json_body, validate
from app.web.intake import take
from app.web.user_ids import UserIds
from core.errors import TooMany

router = APIRouter(tags=["feedback"], route_class=Guarded)


@router.post(
    "/v1/events",
    response_model=EventsAnswer,
    dependencies=[needs("events")],
    responses={
        404: {"model": ErrorAnswer},
        409: {"model": ErrorAnswer},
        422: {"model": ErrorAnswer | EventsAnswer},
    },
    openapi_extra=json_body(EventBody),
)
async def events(
    raw: Raw, service: Running, settings: Configured, metrics: Measured, noticed: Notices, lanes: InLanes, users: Users
) -> Response:
    """Take one event, an array, or {"events": [...]}. Good ones are stored even when others are refused."""
    return await lanes.events.run(lambda: _take(raw, service, settings, metrics, noticed.live, users))


def _take(raw: bytes, service: Service, settings: Settings, metrics: Metrics, live: Live, users: UserIds) -> Response:
    found = entries(raw, many="events")
    if len(found) > settings.limits.events_per_batch:
        raise TooMany(len(found), settings.limits.events_per_batch)
    valid, rejected = validate(found, EventBody, "invalid_event")
    received = service.clock()
    events = [(entry.index, entry.body.feedback(received, users.hashed)) for entry in valid]
    answer = take(events, rejected, service=service, weights=settings.feedback.weights, metrics=metrics, noticed=live)
    return json_of_many(answer, len(found))
