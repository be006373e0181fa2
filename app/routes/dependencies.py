"""What every route may ask for, and how every route answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from app.insights.noticed import Noticed
from app.operating.metrics import Metrics
from app.schemas.events import EventsAnswer
from app.schemas.items import ItemsAnswer
from app.schemas.parts import ErrorAnswer
from app.searchers.searchers import Searchers
from app.service import Service
from app.settings import Settings
from app.web.lanes import Lanes
from app.web.user_ids import UserIds
from core.errors import Unavailable


# Coroutines, though they never wait: FastAPI calls plain functions in threads, and these are not worth one.
async def _service(request: Request) -> Service:
    service: Service | None = request.app.state.service
    if service is None:
        failure = request.app.state.failure
        starting = f"The service is still starting{request.app.state.indexing}."
        message = f"The service could not start: {failure}." if failure else starting
        remedy = "See the server's log." if failure else "Try again in a few seconds; /readyz tells when."
        raise Unavailable("not_ready", message, remedy)
    return service


def _of_state(name: str) -> Callable[[Request], Awaitable[Any]]:
    async def found(request: Request) -> Any:
        return getattr(request.app.state, name)

    return found


class AtHand(NamedTuple):
    """What the busiest routes need. One dependency: FastAPI takes longer to resolve six than the route to parse."""

    service: Service
    settings: Settings
    metrics: Metrics
    noticed: Noticed
    lanes: Lanes
    users: UserIds
    searchers: Searchers


async def _at_hand(request: Request) -> AtHand:
    state, service = request.app.state, await _service(request)
    return AtHand(service, state.settings, state.metrics, state.noticed, state.lanes, state.users, state.searchers)


async def _raw(request: Request) -> bytes:
    return await request.body()


Running = Annotated[Service, Depends(_service)]
Configured = Annotated[Settings, Depends(_of_state("settings"))]
Notices = Annotated[Noticed, Depends(_of_state("noticed"))]
InLanes = Annotated[Lanes, Depends(_of_state("lanes"))]
All = Annotated[AtHand, Depends(_at_hand)]
Raw = Annotated[bytes, Depends(_raw)]


def json(model: BaseModel, status: int = 200) -> Response:
    """The model as JSON, without what is not set."""
    body = model.model_dump_json(by_alias=True, exclude_none=True)
    return Response(body, status_code=status, media_type="application/json")


_STATUS_OF_ONE = {"unknown_query": 404, "event_id_reused": 409}


def json_of_many(answer: ItemsAnswer | EventsAnswer, sent: int) -> Response:
    """200 when any entry was good; the error of a lone entry, or 422, when none was."""
    if len(answer.rejected) < sent or not sent:
        return json(answer)
    if sent == 1:
        only = answer.rejected[0]
        error = ErrorAnswer(code=only.code, message=only.message, remedy=only.remedy)
        return json(error, _STATUS_OF_ONE.get(only.code, 422))
    return json(answer, 422)
