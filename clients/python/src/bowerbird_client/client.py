"""The client whose calls wait for the answer."""

from __future__ import annotations

import time
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


class Client:
    """A service at `url`. Close it, or use it in `with`; threads may share it.

    `key` is sent as `Authorization: Bearer`. Every call raises Problem (one subclass per kind of refusal), Unreachable
    or BadAnswer, all BowerbirdError. `transport` is for proxies and certificates of one's own: see httpx.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        key: str | None = None,
        timeout_s: float = 10.0,
        retry: Retry | None = None,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._calls = Calls(retry or Retry(), limits or Limits())
        self._http = httpx.Client(**connection.settings(url, key, timeout_s), transport=transport)

    def search(self, query: str, **options: Unpack[SearchOptions]) -> SearchAnswer:
        """An empty query asks for what is popular."""
        return self._hold(self._calls.search(query, options))

    def send_events(self, events: Iterable[Event | Mapping[str, Any]]) -> EventsAnswer:
        """Send what people did, in as many requests as it needs. Durable when it returns.

        Refused events are in the answer. After an exception, send all again: an event counts once per id.
        """
        return self._hold(self._calls.send_events(events))

    def put_items(self, items: Iterable[Item | Mapping[str, Any]]) -> ItemsAnswer:
        """Insert or replace items, in as many requests as it needs. Refused ones are in the answer."""
        return self._hold(self._calls.put_items(items))

    def get_item(self, item_id: str) -> Item:
        """NotFound where there is none."""
        return self._hold(self._calls.get_item(item_id))

    def delete_item(self, item_id: str) -> bool:
        """False where there was none, be it that an attempt of this call whose answer was lost has removed it."""
        return self._hold(self._calls.delete_item(item_id))

    def delete_items(self, item_ids: Iterable[str]) -> int:
        """Remove items one by one; how many there were."""
        return self._hold(self._calls.delete_items(item_ids))

    def memory(self, query: str, *, limit: int = 20) -> MemoryAnswer:
        """What the memory holds for the query."""
        return self._hold(self._calls.memory(query, limit))

    def pairs(self, *, limit: int = 10) -> tuple[Pair, ...]:
        """Pairs of items to compare, those with the fewest judgments first."""
        return self._hold(self._calls.pairs(limit))

    def judge(
        self,
        pair_id: str,
        better: str,
        *,
        terms: Sequence[str] = (),
        judge: str | None = None,
        judgment_id: str | None = None,
    ) -> bool:
        """Which item of the pair is better, and the offered terms that say why. False: this id was stored before."""
        return self._hold(self._calls.judge(pair_id, better, terms, judge, judgment_id))

    def alive(self) -> Health:
        """The process answers."""
        return self._hold(self._calls.health("/livez"))

    def ready(self) -> Health:
        """Unavailable until the catalogue is indexed and the models are loaded."""
        return self._hold(self._calls.health("/readyz"))

    def wait_until_ready(self, timeout_s: float = 60.0) -> Health:
        """Ask until it is. What it last failed with, when it is not by then."""
        return self._hold(self._calls.wait_until_ready(timeout_s))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hold(self, conversation: Conversation[T]) -> T:
        reply: Reply = None
        while True:
            try:
                step = conversation.send(reply)
            except StopIteration as end:
                answer: T = end.value
                return answer
            reply = self._take(step)

    def _take(self, step: Step) -> Reply:
        if isinstance(step, Wait):
            time.sleep(step.seconds)
            return None
        try:
            return self._http.request(**connection.request(step))
        except httpx.TransportError as error:
            return error
