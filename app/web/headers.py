"""Headers that keep browsers from doing with an answer what it is not meant for."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
_NOTHING = b"default-src 'none'; frame-ancestors 'none'"
# The page of the API's documentation takes its script and style from there.
_DOCS = (
    b"default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    b"script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https://cdn.jsdelivr.net "
    b"https://fonts.googleapis.com; font-src https://fonts.gstatic.com; worker-src blob:; frame-ancestors 'none'"
)


class SecurityHeaders:
    """Adds them to every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = _DOCS if scope["path"] in ("/docs", "/redoc") else _NOTHING

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = message.get("headers", [])
                known = {name for name, _ in told}  # a route knows better
                wanted = [*_ALWAYS, (b"content-security-policy", policy)]
                message["headers"] = [*told, *(each for each in wanted if each[0] not in known)]
            await send(message)

        await self._app(scope, receive, adding)
