"""The FastAPI application: its life, its routes, and errors as {code, message, remedy}."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Event, Thread

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from app.indexing import garbage
from app.insights.noticed import Noticed
from app.operating.first_indexes import Indexing, make_indexes
from app.operating.metrics import Metrics
from app.operating.tracing import open_traces
from app.routes import RESOURCES
from app.routes.dependencies import json
from app.schemas.parts import ErrorAnswer
from app.searchers.searchers import Searchers
from app.service import Service
from app.settings import Settings
from app.studio import pages
from app.web.access import Access
from app.web.bodies import sentences
from app.web.headers import SecurityHeaders
from app.web.keys import Keys
from app.web.lanes import Lanes
from app.web.limits import BodyLimit
from app.web.request_ids import HEADER, RequestIds
from app.web.user_ids import UserIds
from core.errors import BowerbirdError, InvalidConfig, Unavailable

log = logging.getLogger(__name__)

_AGAIN_S = 1.0


def create_app(build: Callable[[], Service], settings: Settings) -> FastAPI:
    """The application. `build` makes the service when the server starts; until it is ready, /readyz says so."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # In a thread, so that /livez answers while a large catalogue is indexed.
        stopping = Event()
        starting = Thread(target=_start, args=(app, build, settings, stopping), daemon=True)
        starting.start()
        yield
        stopping.set()
        starting.join()
        app.state.noticed.stop()
        if searchers := app.state.searchers:
            searchers.close()
        if service := app.state.service:
            service.close()
        if traces := app.state.traces:
            traces.close()

    app = FastAPI(
        title="Bowerbird",
        summary="Search that learns what to retrieve, not only how to order what was retrieved.",
        version="1",
        lifespan=lifespan,
        responses={status: {"model": ErrorAnswer} for status in (400, 401, 403, 413, 422, 429, 503)},
    )
    app.state.service = None
    app.state.searchers = None
    app.state.failure = None
    app.state.indexing = Indexing(0)
    app.state.settings = settings
    app.state.needs_restart = frozenset()
    app.state.draining = False
    app.state.metrics = Metrics(settings.data_dir)
    app.state.noticed = Noticed.by(settings)
    app.state.lanes = Lanes()
    app.state.traces = open_traces(settings)
    app.state.access = Access(Keys(settings.data_dir), settings)
    app.state.users = UserIds(settings.data_dir)
    app.add_middleware(BodyLimit, limit=settings.limits.body_bytes)
    if settings.security.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.security.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After"],
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestIds, answered=app.state.metrics.answered)  # the outermost: the last that was added
    for resource in RESOURCES:
        app.include_router(resource.router)
    app.include_router(pages.router)
    app.add_exception_handler(BowerbirdError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)
    return app


def _start(app: FastAPI, build: Callable[[], Service], settings: Settings, stopping: Event) -> None:
    """Tries again while something it needs is away, a database perhaps; any other failure is for a person to mend."""
    while not stopping.is_set():
        try:
            service = _started(app, build, settings, stopping)
            if service is None:
                return
            app.state.noticed.follow(service)
            searchers = app.state.searchers = Searchers(service, settings)
            app.state.service = service
            service.save()  # for who comes to search beside it
            searchers.start()
            return
        except Unavailable as error:
            log.error("the service cannot start yet; trying again in %s s: %s", _AGAIN_S, error)
            app.state.failure = error
            stopping.wait(_AGAIN_S)
        except InvalidConfig as error:  # it ends the server, and whoever runs that tells it
            app.state.failure = error
            return
        except Exception as error:
            log.exception("the service could not start")
            app.state.failure = error
            return


def _started(app: FastAPI, build: Callable[[], Service], settings: Settings, stopping: Event) -> Service | None:
    """None when it is to stop before that."""
    service = build()
    progress = app.state.indexing = Indexing(service.indexer.behind)
    if service.saves and service.indexer.far_behind:
        make_indexes(settings, progress, stopping)
    if stopping.is_set():
        service.close()
        return None
    service.start(progress)
    garbage.started()
    service.follow(settings.service.reload_s)
    return service


def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BowerbirdError)
    if error.status in (401, 403, 429):
        request.app.state.metrics.refused(error.code)
    answer = json(ErrorAnswer(code=error.code, message=error.message, remedy=error.remedy), error.status)
    answer.headers.update(error.headers)
    return answer


def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    remedy = "See /docs for the fields of this request and an example."
    return json(ErrorAnswer(code="invalid_request", message=sentences(error.errors()), remedy=remedy), 422)


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}."
    return json(
        ErrorAnswer(code=f"http_{error.status_code}", message=message, remedy="See /docs for what there is."),
        error.status_code,
    )


def _on_bug(request: Request, error: Exception) -> Response:
    # Beyond all middleware, so that the id is not added by RequestIds. The server logs the traceback.
    chosen = request.scope["state"].get("request_id", "")
    remedy = f"Please report it with the log's lines of request {chosen}."
    answer = json(ErrorAnswer(code="internal", message="This is a fault of the service.", remedy=remedy), 500)
    answer.headers[HEADER] = chosen
    return answer
