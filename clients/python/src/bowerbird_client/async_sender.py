"""Sends events in the background of an event loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

from bowerbird_client.async_client import AsyncClient
from bowerbird_client.buffer import FAILURES, Buffer, Counts, pause_s
from bowerbird_client.event import Event


class AsyncEventSender:
    """As EventSender, as a task of the running loop; made and used within `async with`."""

    def __init__(
        self, client: AsyncClient, *, capacity: int = 10_000, portion: int = 500, every_s: float = 1.0
    ) -> None:
        self._client = client
        self._every_s = every_s
        self._buffer = Buffer(capacity, portion)
        self._added = asyncio.Event()
        self._sent = asyncio.Event()
        self._hurry = False
        self._task: asyncio.Task[None] | None = None

    def add(self, event: Event) -> bool:
        """Never waits. False: there was no room, or it is closed, and the event is dropped and counted."""
        if self._task is None:
            self._buffer.dropped += 1
            return False
        taken = self._buffer.add(event)
        self._added.set()
        return taken

    async def flush(self, timeout_s: float = 30.0) -> bool:
        """Send now; True when nothing waits any more, False when something still does after `timeout_s`."""
        self._hurry = len(self._buffer) > 0
        self._added.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while len(self._buffer):
                    self._sent.clear()
                    await self._sent.wait()
        return not len(self._buffer)

    async def aclose(self, timeout_s: float = 10.0) -> Counts:
        """Send what waits, and end. What is not sent by then is dropped and counted. The client stays open."""
        if self._task is not None:
            await self.flush(timeout_s)
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._buffer.drop()
        return self.counts

    @property
    def counts(self) -> Counts:
        return self._buffer.counts()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="bowerbird-events")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _run(self) -> None:
        while True:
            await self._until_time()
            try:
                self._buffer.answered(await self._client.send_events(self._buffer.take()))
            except FAILURES as error:
                self._buffer.failed(error)
            self._hurry = self._hurry and not self._buffer.failures and len(self._buffer) > 0
            self._sent.set()

    async def _until_time(self) -> None:
        while not len(self._buffer):
            await self._next_added()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s(self._every_s, self._buffer.failures)):
                while not (self._hurry or self._buffer.is_full()):
                    await self._next_added()

    async def _next_added(self) -> None:
        self._added.clear()
        await self._added.wait()
