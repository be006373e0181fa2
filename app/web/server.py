"""The HTTP server, and how it ends: not ready first, then no new requests, then those on their way are finished."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from threading import Timer
from types import FrameType

import uvicorn
from fastapi import FastAPI

from core.errors import InvalidConfig

_LONGEST_REQUEST_S = 30
_ON_ITS_WAY_S = 0.5  # from a connection to its request


class GracefulServer(uvicorn.Server):
    """On SIGTERM /readyz says 503 for `drain_s` seconds, in which whoever sends requests here looks elsewhere.

    Who keeps a connection is told to close it with the next answer. A second signal, or SIGINT, ends it without that;
    requests on their way are finished in any case, for 30 s at most. A configuration that cannot work ends it, too.
    """

    def __init__(self, app: FastAPI, *, drain_s: Callable[[], float]) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,  # uvicorn's lines go where all others go
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_LONGEST_REQUEST_S,
        )
        super().__init__(config)
        self._state = app.state
        self._drain_s = drain_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = sig == signal.SIGINT
        elif sig == signal.SIGTERM and not self._state.draining:
            self._drain()
            timer = Timer(self._drain_s(), self._end)
            timer.daemon = True
            timer.start()
        else:
            self._end()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end, asked ten times a second."""
        return await super().on_tick(counter) or isinstance(self._state.failure, InvalidConfig)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Whoever was let in may say what they came for; uvicorn alone would close on them."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(_ON_ITS_WAY_S)
        await super().shutdown(sockets)

    def _drain(self) -> None:
        self._state.draining = True
        self.config.encoded_headers.append((b"connection", b"close"))  # sent from the next second on

    def _end(self) -> None:
        self._state.draining = True
        self.should_exit = True
