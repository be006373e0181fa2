"""People who search and click over HTTP and remember what was acknowledged, and what is left of it after a crash."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Thread

import httpx
from http_words import event

from core.protocols import EventStore
from core.types import QueryId

_CLIENTS = 8
_EVENTS = 3


@dataclass
class Crowd:
    """What people were told is stored: searches, and the ids of events by search."""

    url: str
    searches: list[str] = field(default_factory=list)
    events: dict[str, set[str]] = field(default_factory=dict)
    refused: int = 0
    strange: list[str] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While the block runs. Who is cut off or refused tries again with another search."""
        stop = Event()
        people = [Thread(target=self._visit, args=(stop,)) for _ in range(_CLIENTS)]
        for each in people:
            each.start()
        try:
            yield
        finally:
            stop.set()
            for each in people:
                each.join()

    def wait_for(self, more: int) -> None:
        """Until so many more events have been acknowledged."""
        deadline, wanted = time.monotonic() + 30, len(self.events) + more
        while len(self.events) < wanted:
            assert time.monotonic() < deadline, f"nobody is answered: {self.strange[:3]}, {self.refused} refused"
            time.sleep(0.005)

    @property
    def acknowledged(self) -> int:
        """Impressions and events."""
        return len(self.searches) + sum(map(len, self.events.values()))

    def _visit(self, stop: Event) -> None:
        with httpx.Client(base_url=self.url, timeout=20) as http:
            for _ in count():
                if stop.is_set():
                    return
                with suppress(httpx.TransportError):
                    self._search_and_click(http)
                    continue
                time.sleep(0.02)

    def _search_and_click(self, http: httpx.Client) -> None:
        found = http.post("/v1/search", json={"query": "taylor swift", "client_id": "c"})
        if not self._good(found):
            return
        answer = found.json()
        if not answer["logged"]:  # answered, and said to be nowhere
            self.refused += 1
            return
        query = str(answer["query_id"])
        self.searches.append(query)
        ids = [f"{query}-{n}" for n in range(_EVENTS)]
        sent = [event(answer, answer["hits"][0]["id"], event_id=each) for each in ids]
        told = http.post("/v1/events", json=sent)
        if self._good(told):
            if told.json()["stored"] == _EVENTS:
                self.events[query] = set(ids)
            else:
                self.strange.append(told.text)

    def _good(self, response: httpx.Response) -> bool:
        if response.status_code == 503:
            self.refused += 1
        elif response.status_code != 200:
            self.strange.append(f"{response.status_code} {response.text}")
        return response.status_code == 200


def lost(store: EventStore, crowd: Crowd) -> int:
    """How many of the acknowledged impressions and events the log has not."""
    there = set[str]()
    after = 0
    while logged := store.impressions(after=after, limit=2_000):
        there |= {entry.impression.query.id for entry in logged}
        after = logged[-1].sequence
    feedback = store.feedback([QueryId(each) for each in crowd.events])
    kept = {query: {each.event_id for each in events} for query, events in feedback.items()}
    missing = sum(len(ids - kept.get(QueryId(query), set())) for query, ids in crowd.events.items())
    return len(set(crowd.searches) - there) + missing
