"""POST /v1/events."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.routes.dependencies import All, Raw, json_of_many
from app.schemas.events import EventBody, EventsAnswer
from app.schemas.parts import ErrorAnswer, Rejection
from app.web.access import Guarded, needs
from app.web.bodies import entries, json_body, validate
from app.web.intake import take
from app.web.user_ids import UserIds
from core.episodes import Feedback
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
async def events(raw: Raw, hand: All) -> Response:
    """Take one event, an array, or {"events": [...]}. Good ones are stored even when others are refused."""

    def taken() -> Response:
        with hand.lanes.events_read.turn(), hand.service.gaps.beside():
            events, rejected = _read(raw, hand.settings.limits.events_per_batch, hand.service.clock(), hand.users)
        weights, live = hand.settings.feedback.weights, hand.noticed.live
        answer = take(events, rejected, service=hand.service, weights=weights, metrics=hand.metrics, noticed=live)
        return json_of_many(answer, len(events) + len(rejected))

    return await hand.lanes.events.run(taken)


def _read(raw: bytes, most: int, received: float, users: UserIds) -> tuple[list[tuple[int, Feedback]], list[Rejection]]:
    """The events that can be understood, with their places, and why the others cannot."""
    found = entries(raw, many="events")
    if len(found) > most:
        raise TooMany(len(found), most)
    valid, rejected = validate(found, EventBody, "invalid_event")
    return [(entry.index, entry.body.feedback(received, users.hashed)) for entry in valid], rejected
