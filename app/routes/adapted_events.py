"""POST /v1/events/algolia and /v1/events/metarank: feedback in the words of other systems."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import ValidationError

from app.adapters import algolia, metarank
from app.adapters.translation import Hashed, Translate, Translation
from app.routes.dependencies import All, AtHand, Raw, json, json_of_many
from app.schemas.adapted import AdaptedAnswer, NoteBody
from app.schemas.parts import ErrorAnswer, Rejection
from app.web.access import Guarded, needs
from app.web.bodies import Entry, entries, json_body, sentences
from app.web.intake import take
from core.errors import BowerbirdError, InvalidInput, TooMany
from core.pace import unhurried

router = APIRouter(tags=["feedback"], route_class=Guarded)
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorAnswer},
    409: {"model": ErrorAnswer},
    422: {"model": ErrorAnswer | AdaptedAnswer},
}


@router.post(
    "/v1/events/algolia",
    response_model=AdaptedAnswer,
    dependencies=[needs("events")],
    responses=_ERRORS,
    openapi_extra=json_body(algolia.AlgoliaEvent),
)
async def algolia_events(raw: Raw, hand: All) -> Response:
    """Take Algolia Insights events, `{"events": [...]}`, whose queryID is the query_id of a search answered here."""
    return await hand.lanes.events.run(lambda: _take(raw, algolia.translate, hand))


@router.post(
    "/v1/events/metarank",
    response_model=AdaptedAnswer,
    dependencies=[needs("events")],
    responses=_ERRORS,
    openapi_extra=json_body(metarank.Interaction, ndjson=True),
)
async def metarank_events(raw: Raw, hand: All) -> Response:
    """Take Metarank events, of which interactions count; their `ranking` is the query_id of a search answered here."""
    return await hand.lanes.events.run(lambda: _take(raw, metarank.translate, hand))


def _take(raw: bytes, translate: Translate, hand: AtHand) -> Response:
    most = hand.settings.limits.events_per_batch
    with hand.lanes.events_read.turn(), hand.service.gaps.beside():
        found = entries(raw, many="events")
        if len(found) > most:
            raise TooMany(len(found), most)
        done = [
            (entry, _translated(entry, translate, hand.service.clock(), hand.users.hashed))
            for entry in unhurried(found)
        ]
    rejected = [result for _, result in done if isinstance(result, Rejection)]
    good = [(entry.index, result) for entry, result in done if isinstance(result, Translation)]
    events = [(index, event) for index, result in good for event in result.feedback]
    if len(events) > most:
        raise TooMany(len(events), most)
    weights, live = hand.settings.feedback.weights, hand.noticed.live
    taken = take(events, rejected, service=hand.service, weights=weights, metrics=hand.metrics, noticed=live)
    notes = [NoteBody.of(index, note) for index, result in good for note in result.notes]
    notes += [NoteBody.of(index, metarank.SHOWN) for index, result in good if result.shown]
    answer = AdaptedAnswer(**dict(taken), notes=sorted(notes, key=lambda note: note.index))
    refused = {rejection.index for rejection in answer.rejected}
    # An entry of several objects may be refused several times.
    return json_of_many(answer, len(found)) if len(refused) == len(answer.rejected) else json(answer)


def _translated(entry: Entry, translate: Translate, received: float, hashed: Hashed) -> Translation | Rejection:
    try:
        if entry.error:
            raise InvalidInput("invalid_event", entry.error, "Send one JSON object a line.")
        return translate(entry.value, received=received, hashed=hashed)
    except ValidationError as error:
        problem: BowerbirdError = InvalidInput("invalid_event", sentences(error.errors()), "Correct this entry.")
    except BowerbirdError as error:
        problem = error
    return Rejection(
        index=entry.index, line=entry.line, code=problem.code, message=problem.message, remedy=problem.remedy
    )
