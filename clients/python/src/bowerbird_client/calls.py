"""Every call of the API as a conversation: what is sent, and what is made of the answers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

from bowerbird_client.answers import (
    EventsAnswer,
    Health,
    ItemsAnswer,
    Judged,
    MemoryAnswer,
    Pair,
    Pairs,
    Rejection,
    SearchAnswer,
)
from bowerbird_client.errors import BadAnswer, Conflict, Invalid, NotFound, Problem, Unavailable, Unreachable
from bowerbird_client.event import Event
from bowerbird_client.item import Item
from bowerbird_client.portions import Limits, portions
from bowerbird_client.retry import Call, Conversation, Retry, Wait, exchange
from bowerbird_client.search import SearchOptions, search_body
from bowerbird_client.wire import decode, dumped

T = TypeVar("T")
_ONCE = Retry(attempts=1)
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Calls:
    """They know how often to repeat, and how much one request may carry."""

    retry: Retry
    limits: Limits

    def search(self, query: str, options: SearchOptions) -> Conversation[SearchAnswer]:
        return self._one(SearchAnswer, Call("POST", "/v1/search", dumped(search_body(query, options))))

    def send_events(self, events: Iterable[Event | Mapping[str, Any]]) -> Conversation[EventsAnswer]:
        bodies = (dumped(event.body() if isinstance(event, Event) else _with_id(event)) for event in events)
        total, before = EventsAnswer(), 0
        for portion in portions(bodies, most=self.limits.events, most_bytes=self.limits.body_bytes):
            answer = yield from self._many(EventsAnswer, "POST", "/v1/events", portion)
            total, before = total.and_then(answer, before=before), before + len(portion)
        return total

    def put_items(self, items: Iterable[Item | Mapping[str, Any]]) -> Conversation[ItemsAnswer]:
        total, before = ItemsAnswer(), 0
        for portion in portions(map(dumped, items), most=self.limits.items, most_bytes=self.limits.body_bytes):
            answer = yield from self._many(ItemsAnswer, "PUT", "/v1/items", portion)
            total, before = total.and_then(answer, before=before), before + len(portion)
        return total

    def get_item(self, item_id: str) -> Conversation[Item]:
        return self._one(Item, Call("GET", _item_path(item_id)))

    def delete_item(self, item_id: str) -> Conversation[bool]:
        try:
            yield from exchange(Call("DELETE", _item_path(item_id)), self.retry)
        except NotFound as problem:
            if problem.code != "no_such_item":
                raise
            return False
        return True

    def delete_items(self, item_ids: Iterable[str]) -> Conversation[int]:
        removed = 0
        for item_id in item_ids:
            removed += yield from self.delete_item(item_id)
        return removed

    def memory(self, query: str, limit: int) -> Conversation[MemoryAnswer]:
        return self._one(MemoryAnswer, Call("GET", "/v1/memory", params=(("query", query), ("limit", str(limit)))))

    def pairs(self, limit: int) -> Conversation[tuple[Pair, ...]]:
        answer = yield from self._one(Pairs, Call("GET", "/v1/quality/pairs", params=(("limit", str(limit)),)))
        return answer.pairs

    def judge(
        self, pair_id: str, better: str, terms: Sequence[str], judge: str | None, judgment_id: str | None
    ) -> Conversation[bool]:
        body = {"judgment_id": judgment_id or uuid4().hex, "pair_id": pair_id, "better": better, "terms": list(terms)}
        named = body if judge is None else {**body, "judge": judge}
        answer = yield from self._one(Judged, Call("POST", "/v1/quality/judgments", dumped(named)))
        return answer.stored

    def health(self, path: str) -> Conversation[Health]:
        """Told as it is now: not repeated."""
        response = yield from exchange(Call("GET", path), _ONCE)
        return _decoded(Health, response)

    def wait_until_ready(self, timeout_s: float) -> Conversation[Health]:
        until = time.monotonic() + timeout_s
        while True:
            try:
                return (yield from self.health("/readyz"))
            except (Unavailable, Unreachable):
                if time.monotonic() + _POLL_S > until:
                    raise
            yield Wait(_POLL_S)

    def _one(self, kind: type[T], call: Call) -> Conversation[T]:
        response = yield from exchange(call, self.retry)
        return _decoded(kind, response)

    def _many(self, kind: type[T], method: str, path: str, portion: list[bytes]) -> Conversation[T]:
        """The answer also when every entry was refused, which the service tells by the status."""
        body = b"[" + b",".join(portion) + b"]"
        try:
            return (yield from self._one(kind, Call(method, path, body)))
        except (NotFound, Conflict, Invalid) as problem:
            if "rejected" in problem.body:
                return decode(kind, problem.body)
            if len(portion) > 1 or not _is_about_the_entry(problem):
                raise
            return kind(rejected=(Rejection(0, problem.code, problem.message, problem.remedy),))  # type: ignore[call-arg]


def _decoded(kind: type[T], response: Any) -> T:
    try:
        raw = response.json()
    except ValueError as error:
        raise BadAnswer(f"The answer is not JSON: {response.text[:200]!r}.") from error
    return decode(kind, raw)


def _is_about_the_entry(problem: Problem) -> bool:
    """Not about the address: a wrong path's code is of HTTP's own."""
    return not problem.code.startswith("http_")


def _item_path(item_id: str) -> str:
    # Dots too: `..` would be taken for a step up.
    return "/v1/items/" + quote(item_id, safe="").replace(".", "%2E")


def _with_id(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return event if event.get("event_id") else {**event, "event_id": uuid4().hex}
