"""POST /v1/events."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.bodies import entries, json_body, validate
from app.routes.dependencies import Configured, Measured, Raw, Running, json_of_many
from app.schemas.events import EventBody, EventsAnswer
from app.schemas.parts import ErrorAnswer, Rejection
from core.errors import TooMany, unknown
from core.protocols import Outcome
from core.types import Feedback

router = APIRouter(tags=["feedback"])

_REFUSALS = {
    Outcome.UNKNOWN_QUERY: (
        "unknown_query",
        "No search with query_id {0.query_id!r} was answered here.",
        "Send the query_id of a search; a preview is not logged and takes no feedback.",
    ),
    Outcome.NOT_SHOWN: (
        "item_not_shown",
        "Item {0.item_id!r} was not among the results of query {0.query_id!r}.",
        "Send feedback only for items on the page that was answered.",
    ),
    Outcome.CONFLICT: (
        "event_id_reused",
        "event_id {0.event_id!r} was used before for another event.",
        "Give every event an id of its own; repeat one only with the same content.",
    ),
}


@router.post(
    "/v1/events",
    response_model=EventsAnswer,
    responses={404: {"model": ErrorAnswer}, 409: {"model": ErrorAnswer}},
    openapi_extra=json_body(EventBody),
)
def events(raw: Raw, service: Running, settings: Configured, metrics: Measured) -> Response:
    """Take one event, an array, or {"events": [...]}. Good ones are stored even when others are refused."""
    found = entries(raw, many="events")
    if len(found) > settings.limits.events_per_batch:
        raise TooMany(len(found), settings.limits.events_per_batch)
    valid, rejected = validate(found, EventBody, "invalid_event")
    weights, received = settings.feedback.weights, service.clock()
    rejected += [
        _unknown_action(e.index, e.body.action_name, weights) for e in valid if e.body.action_name not in weights
    ]
    known = [(entry.index, entry.body.feedback(received)) for entry in valid if entry.body.action_name in weights]
    outcomes = service.record([event for _, event in known])
    for (index, event), outcome in zip(known, outcomes, strict=True):
        metrics.event(event.action, outcome)
        if outcome in _REFUSALS:
            rejected.append(_refusal(index, event, outcome))
    answer = EventsAnswer(
        stored=outcomes.count(Outcome.STORED),
        duplicates=outcomes.count(Outcome.DUPLICATE),
        rejected=sorted(rejected, key=lambda rejection: rejection.index),
    )
    return json_of_many(answer, len(found))


def _unknown_action(index: int, action: str, allowed: dict[str, float]) -> Rejection:
    return Rejection(
        index=index,
        code="unknown_action",
        message=unknown("action_name", action, allowed),
        remedy="Use one of these, or give the action a weight under [feedback.weights].",
    )


def _refusal(index: int, event: Feedback, outcome: Outcome) -> Rejection:
    code, message, remedy = _REFUSALS[outcome]
    return Rejection(index=index, code=code, message=message.format(event), remedy=remedy)
