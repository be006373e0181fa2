"""Bodies that have broken other servers: each is refused, or taken, but never a 5xx."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from http_service import Running
from http_words import event, search

BODIES = {
    "lone surrogate": b'{"query": "\\ud800"}',
    "lone surrogate as a key": b'{"query": "a", "context": {"\\udfff": "x"}}',
    "not UTF-8": b'{"query": "\xff\xfe"}',
    "NUL": b'{"query": "a\\u0000b", "user_id": "\\u0000", "client_id": "\\u0000"}',
    "deep": b"[" * 100_000,
    "deep objects": b'{"query":' * 50_000 + b"1" + b"}" * 50_000,
    "NaN": b'{"query": "a", "size": NaN, "filters": {"year": {"from": NaN}}}',
    "infinite": b'{"query": "a", "filters": {"year": {"from": -1e999, "to": 1e999}}}',
    "a number of many digits": b'{"query": "a", "size": ' + b"9" * 5_000 + b"}",
    "a number beyond 64 bits": b'{"query": "a", "from": 36893488147419103232, "size": 1}',
    "text instead of a number": b'{"query": "a", "size": "10"}',
    "the same key twice": b'{"query": "a", "query": "b"}',
    "only combining marks": ('{"query": "' + "\u0301" * 500 + '"}').encode(),
    "right to left and wide": '{"query": "\u202e\U0001f600\ufeff שלום"}'.encode(),
    "empty": b"",
    "null": b"null",
    "a text": b'"query"',
}
EVENT: dict[str, Any] = {"event_id": "e", "client_id": "c", "user_id": "u"}
EVENTS = {
    "position beyond 64 bits": {"event_attributes": {"object": {"object_id": "x"}, "position": {"ordinal": 2**70}}},
    "NUL in an id": {"event_id": "a\0b", "client_id": "\0"},
    "before the year 1": {"timestamp": "0000-01-01T00:00:00Z"},
    "the year 1": {"timestamp": "0001-01-01T00:00:00+14:00"},
    "the year 9999": {"timestamp": "9999-12-31T23:59:59-14:00"},
    "a number as time": {"timestamp": 1e300},
    "deep extras": {"event_attributes": {"object": {"object_id": "x"}, "more": json.loads("[" * 200 + "]" * 200)}},
    "a long message": {"message": "x" * 1_000_000},
}


@pytest.fixture
def http(running: Running) -> Any:
    with httpx.Client(base_url=running[0], timeout=30) as client:
        yield client


def answered(response: httpx.Response) -> None:
    """Either it was taken, or the error has its three parts."""
    assert response.status_code in (200, 400, 404, 409, 413, 422), response.text
    if response.status_code != 200:
        body = response.json()
        assert set(body) == {"code", "message", "remedy"} or "rejected" in body


@pytest.mark.parametrize("path", ["/v1/search", "/v1/events", "/v1/events/algolia", "/v1/events/metarank", "/v1/items"])
@pytest.mark.parametrize("name", BODIES)
def test_bodies(http: httpx.Client, path: str, name: str) -> None:
    method = "PUT" if path == "/v1/items" else "POST"
    headers = {"content-type": "application/json"}
    answered(http.request(method, path, content=BODIES[name], headers=headers))


@pytest.mark.parametrize("name", EVENTS)
def test_events_for_an_item_that_was_shown(http: httpx.Client, name: str) -> None:
    answer = search(http, "love")
    item = answer["hits"][0]["id"]
    odd = json.loads(json.dumps(event(answer, item, **EVENT) | EVENTS[name]).replace('"x"', json.dumps(item)))
    answered(http.post("/v1/events", json=odd))


@pytest.mark.parametrize("query", ["\ud800", "a\0b", "%", "%ff", "a" * 50_000, "../../etc/passwd", "\u202e"])
def test_paths_and_parameters(http: httpx.Client, query: str) -> None:
    quoted = httpx.QueryParams({"query": query.encode("utf-8", "surrogatepass").decode("latin-1")})
    answered(http.get("/v1/memory", params=quoted))
    answered(http.get("/v1/items/" + str(quoted).removeprefix("query=")))


def test_numbers_that_no_index_can_hold(http: httpx.Client) -> None:
    for number in (1e308, -1e308, 2**63, 5e-324):
        item = {"id": "odd", "fields": {"title": "Odd"}, "numbers": {"price": number, "popularity": number}}
        answered(http.put("/v1/items", json=item))
        search(http, "odd", facets=["price", "popularity"], explain=True, preview=True)
    assert http.delete("/v1/items/odd").status_code == 204
