"""The id of a request: taken from X-Request-Id or made, sent back, in every line that is logged meanwhile."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
_VALID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Of the request that is being answered; empty outside of one."""
    return _current.get()


class RequestIds:
    """An id for each request, and a line in the log when it is answered.

    `scope["state"]` gets `began` (time.perf_counter at arrival) and `told`, to which a route may add what its line
    should say. The line has the path without what follows `?`, which may be the text of a query.
    """

    def __init__(self, app: ASGIApp, *, answered: Callable[[str, int], None]) -> None:
        """`answered` is told the route and the status of every request."""
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"").decode("latin-1")
        chosen = given if _VALID.fullmatch(given) else uuid.uuid4().hex
        told: dict[str, Any] = {}
        scope.setdefault("state", {}).update(began=began, told=told, request_id=chosen)
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = chosen
            await send(message)

        token = _current.set(chosen)
        try:
            await self._app(scope, receive, noting)
        finally:
            self._answered(getattr(scope.get("route"), "path", "none"), status)
            if log.isEnabledFor(logging.INFO):
                took_ms = round((time.perf_counter() - began) * 1000, 3)
                said = {"method": scope["method"], "path": scope["path"], "status": status, "took_ms": took_ms, **told}
                log.info("%s %s %d", scope["method"], scope["path"], status, extra={"said": said})
            _current.reset(token)
