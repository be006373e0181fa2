"""The client whose calls are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

import httpx

from bowerbird_client import connection
from bowerbird_client.answers import EventsAnswer, Health, ItemsAnswer, MemoryAnswer, Pair, SearchAnswer
from bowerbird_client.calls import Calls
from bowerbird_client.event import Event
from bowerbird_client.item import Item
from bowerbird_client.portions import Limits
from bowerbird_client.retry import Conversation, Reply, Retry, Step, Wait
from bowerbird_client.search import SearchOptions

T = TypeVar("T")


class AsyncClient:
    """As Client, with `async with` and `await`."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        key: str | None = None,
        timeout_s: float = 10.0,
        retry: Retry | None = None,
        limits: Limits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._calls = Calls(retry or Retry(), limits or Limits())
        self._http = httpx.AsyncClient(**connection.settings(url, key, timeout_s), transport=transport)

    async def search(self, query: str, **options: Unpack[SearchOptions]) -> SearchAnswer:
        """An empty query asks for what is popular."""
        return await self._hold(self._calls.search(query, options))

    async def send_events(self, events: Iterable[Event | Mapping[str, Any]]) -> EventsAnswer:
        """Send what people did, in as many requests as it needs. Durable when it returns.

        Refused events are in the answer. After an exception, send all again: an event counts once per id.
        """
        return await self._hold(self._calls.send_events(events))

    async def put_items(self, items: Iterable[Item | Mapping[str, Any]]) -> ItemsAnswer:
        """Insert or replace items, in as many requests as it needs. Refused ones are in the answer."""
        return await self._hold(self._calls.put_items(items))

    async def get_item(self, item_id: str) -> Item:
        """NotFound where there is none."""
        return await self._hold(self._calls.get_item(item_id))

    async def delete_item(self, item_id: str) -> bool:
        """False where there was none, be it that an attempt of this call whose answer was lost has removed it."""
        return await self._hold(self._calls.delete_item(item_id))

    async def delete_items(self, item_ids: Iterable[str]) -> int:
        """Remove items one by one; how many there were."""
        return await self._hold(self._calls.delete_items(item_ids))

    async def memory(self, query: str, *, limit: int = 20) -> MemoryAnswer:
        """What the memory holds for the query."""
        return await self._hold(self._calls.memory(query, limit))

    async def pairs(self, *, limit: int = 10) -> tuple[Pair, ...]:
        """Pairs of items to compare, those with the fewest judgments first."""
        return await self._hold(self._calls.pairs(limit))

    async def judge(
        self,
        pair_id: str,
        better: str,
        *,
        terms: Sequence[str] = (),
        judge: str | None = None,
        judgment_id: str | None = None,
    ) -> bool:
        """Which item of the pair is better, and the offered terms that say why. False: this id was stored before."""
        return await self._hold(self._calls.judge(pair_id, better, terms, judge, judgment_id))

    async def alive(self) -> Health:
        """The process answers."""
        return await self._hold(self._calls.health("/livez"))

    async def ready(self) -> Health:
        """Unavailable until the catalogue is indexed and the models are loaded."""
        return await self._hold(self._calls.health("/readyz"))

    async def wait_until_ready(self, timeout_s: float = 60.0) -> Health:
        """Ask until it is. What it last failed with, when it is not by then."""
        return await self._hold(self._calls.wait_until_ready(timeout_s))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _hold(self, conversation: Conversation[T]) -> T:
        reply: Reply = None
        while True:
            try:
                step = conversation.send(reply)
            except StopIteration as end:
                answer: T = end.value
                return answer
            reply = await self._take(step)

    async def _take(self, step: Step) -> Reply:
        if isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._http.request(**connection.request(step))
        except httpx.TransportError as error:
            return error
