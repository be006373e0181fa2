"""Who may call a route: scopes are declared beside the routes, and checked before a body is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response, params
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from app.settings import Settings
from app.web.keys import Key, Keys, Scope, is_loopback
from app.web.throttle import Throttle
from core.errors import Forbidden, TooOften, Unauthorized

_REMEDY = "Send `Authorization: Bearer TOKEN`; `bowerbird keys create` makes a token."
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A token made by `bowerbird keys create`. Without any key the service listens on loopback only, and"
    " none is needed.",
)


def needs(scope: Scope) -> params.Security:
    """For `dependencies` of a route whose class is Guarded; OpenAPI shows it."""
    return params.Security(_bearer, scopes=[scope])


class Access:
    """Lets requests pass, or raises Unauthorized, Forbidden or TooOften."""

    def __init__(self, keys: Keys, settings: Settings, throttle: Throttle | None = None) -> None:
        self._keys = keys
        self._limits = settings.limits
        self._open_metrics = settings.security.open_metrics
        self._loopback = is_loopback(settings.service.host)
        self._throttle = throttle or Throttle()

    def admit(self, request: Request, scope: Scope) -> None:
        if self._open_metrics and request.scope["path"] == "/metrics":
            return
        known = self._keys.read()
        if known is None and self._loopback:
            _check_host(request)
            return
        key = self._key(request)
        if scope not in key.scopes:
            raise Forbidden(
                "scope_missing",
                f"This needs a key with the scope {scope!r}; key {key.id!r} has: {', '.join(key.scopes)}.",
                "Use another key, or make one with `bowerbird keys create`.",
            )
        self._check_rate(key)

    def _key(self, request: Request) -> Key:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthorized("key_missing", "This needs an API key.", _REMEDY)
        if (key := self._keys.find(token.strip())) is None:
            raise Unauthorized("key_unknown", "This API key is unknown or was revoked.", _REMEDY)
        return key

    def _check_rate(self, key: Key) -> None:
        rate, burst = key.rate or self._limits.requests_per_s, key.burst or self._limits.burst
        wait = self._throttle.wait(key.id, rate=rate, burst=burst)
        if wait:
            raise TooOften(
                "too_often",
                f"Key {key.id!r} may make {rate:g} requests a second, {burst} at once.",
                "Wait as long as Retry-After says, or send more in one request.",
                seconds=math.ceil(wait),
            )


class Guarded(APIRoute):
    """A route that looks at the key before anything else. What it `needs` is among its dependencies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        scope = scope_of(self)

        async def guarded(request: Request) -> Response:
            if scope is not None:
                request.app.state.access.admit(request, scope)
            return await handle(request)

        return guarded


def scope_of(route: APIRoute) -> Scope | None:
    """What the route needs; None for a public one."""
    for dependency in route.dependencies:
        if isinstance(dependency, params.Security) and dependency.dependency is _bearer and dependency.scopes:
            return dependency.scopes[0]  # type: ignore[return-value]  # `needs` takes a Scope
    return None


@lru_cache(maxsize=256)  # parsing the same address again took a thirtieth of a busy service's time
def _is_local(host: str) -> bool:
    """Whether a Host header, a port included, names this machine."""
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def _check_host(request: Request) -> None:
    """Without keys a web page must not reach the service by a name of its own that leads to this machine."""
    host = request.headers.get("host", "")
    if not _is_local(host):
        raise Forbidden(
            "strange_host",
            f"Without API keys the service answers to localhost only, not to {host!r}.",
            "Call it as 127.0.0.1, or make keys with `bowerbird keys create`.",
        )
