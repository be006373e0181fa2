"""The FastAPI application: its life, its routes, and errors as {code, message, remedy}."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Thread

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.bodies import sentences
from app.limits import BodyLimit
from app.metrics import Metrics
from app.routes import events, items, memory, operations, search
from app.routes.dependencies import json
from app.schemas.parts import ErrorAnswer
from app.service import Service
from app.settings import Settings
from core.errors import BowerbirdError

log = logging.getLogger(__name__)


def create_app(build: Callable[[], Service], settings: Settings) -> FastAPI:
    """The application. `build` makes the service when the server starts; until it is ready, /readyz says so."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # In a thread, so that /livez answers while a large catalogue is indexed.
        starting = Thread(target=_start, args=(app, build, settings.service.reload_s), daemon=True)
        starting.start()
        yield
        starting.join()
        if service := app.state.service:
            service.close()

    app = FastAPI(
        title="Bowerbird",
        summary="Search that learns what to retrieve, not only how to order what was retrieved.",
        version="1",
        lifespan=lifespan,
        responses={status: {"model": ErrorAnswer} for status in (413, 422, 503)},
    )
    app.state.service = None
    app.state.failure = None
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.add_middleware(BodyLimit, limit=settings.limits.body_bytes)
    for route in (search, memory, events, items, operations):
        app.include_router(route.router)
    app.add_exception_handler(BowerbirdError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    return app


def _start(app: FastAPI, build: Callable[[], Service], reload_s: float) -> None:
    try:
        service = build()
        service.start()
        # What is there now stays: a garbage collection that walks through millions of objects holds up every search.
        gc.collect()
        gc.freeze()
        service.follow(reload_s)
        app.state.service = service
    except Exception as error:
        log.exception("the service could not start")
        app.state.failure = error


def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BowerbirdError)
    return json(ErrorAnswer(code=error.code, message=error.message, remedy=error.remedy), error.status)


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
