"""Events in the words of Algolia and Metarank: what they become, and that nothing of them goes unsaid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from http_service import Running
from http_words import refused, search

from app.settings import Settings
from app.web.user_ids import UserIds
from core.episodes import Feedback
from core.types import QueryId


def of(running: Running, answer: Mapping[str, Any]) -> tuple[Feedback, ...]:
    """What the log has of a search."""
    return running[1]().store.feedback([answer["query_id"]])[QueryId(answer["query_id"])]


def sent(http: httpx.Client, format_: str, *events: Mapping[str, Any]) -> dict[str, Any]:
    response = http.post(f"/v1/events/{format_}", json={"events": list(events)})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_algolia_click_after_search(http: httpx.Client, running: Running, settings: Settings) -> None:
    answer = search(http, "love")
    shown = [hit["id"] for hit in answer["hits"]]
    click = {
        "eventType": "click",
        "eventName": "Product Clicked",
        "index": "products",
        "userToken": "anonymous-17",
        "authenticatedUserToken": "ann",
        "timestamp": 1_602_051_234_567,
        "objectIDs": shown[:2],
        "positions": [7, 20],
        "queryID": answer["query_id"],
    }
    assert sent(http, "algolia", click) == {"stored": 2, "duplicates": 0, "rejected": [], "notes": []}
    assert sent(http, "algolia", click)["duplicates"] == 2
    heard = sorted(of(running, answer), key=lambda event: event.position or 0)
    assert [(event.item_id, event.position, event.action) for event in heard] == [
        (shown[0], 7, "click"),
        (shown[1], 20, "click"),
    ]
    assert {(event.time, event.client_id, event.user_id) for event in heard} == {
        (1_602_051_234.567, "anonymous-17", UserIds(settings.data_dir).hashed("ann"))
    }
    assert dict(heard[0].attributes) == {"name": "Product Clicked", "index": "products"}


def test_algolia_conversions(http: httpx.Client, running: Running) -> None:
    answer, later = search(http, "love"), search(http, "swift")
    item, other = answer["hits"][0]["id"], later["hits"][0]["id"]
    common = {"eventType": "conversion", "eventName": "x", "index": "i", "userToken": "t"}
    cart = common | {"eventSubtype": "addToCart", "queryID": answer["query_id"], "objectIDs": [item]}
    bought = common | {
        "eventSubtype": "purchase",
        "objectIDs": [item, other],
        "objectData": [
            {"queryID": answer["query_id"], "price": 19.99, "quantity": 2, "discount": 2.5},
            {"queryID": later["query_id"], "price": "5"},
        ],
        "value": 44.98,
        "currency": "USD",
    }
    reached = common | {"queryID": answer["query_id"], "objectIDs": [item]}
    assert sent(http, "algolia", cart, bought, reached)["stored"] == 4
    assert sorted(event.action for event in of(running, answer)) == ["cart", "purchase", "purchase"]
    (second,) = of(running, later)
    assert dict(second.attributes) == {"name": "x", "index": "i", "value": "44.98", "currency": "USD", "price": "5"}


def test_what_algolia_events_cannot_be_used_for_is_said_of_each(http: httpx.Client) -> None:
    answer = search(http, "love")
    item = answer["hits"][0]["id"]
    good = {"eventType": "click", "objectIDs": [item], "positions": [1], "queryID": answer["query_id"], "colour": "red"}
    body = sent(
        http,
        "algolia",
        good,
        {"eventType": "view", "objectIDs": [item], "queryID": answer["query_id"]},
        {"eventType": "click", "filters": ["brand:x"]},
        good | {"queryID": None},
        good | {"positions": [1, 2]},
        good | {"eventType": "clikc"},
        good | {"objectIDs": ["never-shown"]},
        "text",
    )
    assert body["stored"] == 1
    assert [(note["index"], note["code"], note["field"]) for note in body["notes"]] == [
        (0, "unknown_field", "colour"),
        (1, "not_used", "view"),
        (2, "not_used", "filters"),
        (6, "unknown_field", "colour"),
    ]
    assert [(rejection["index"], rejection["code"]) for rejection in body["rejected"]] == [
        (3, "no_query_id"),
        (4, "invalid_event"),
        (5, "invalid_event"),
        (6, "item_not_shown"),
        (7, "invalid_event"),
    ]
    assert http.post("/v1/events/algolia", json={"events": [{"eventType": "view"}]}).status_code == 200
    refused(http.post("/v1/events/algolia", json={"events": [good | {"queryID": "never"}]}), 404, "unknown_query")
    refused(http.post("/v1/events/algolia", json=[{}] * 1_001), 413, "too_many")


def test_metarank_interactions(http: httpx.Client, running: Running, settings: Settings) -> None:
    answer = search(http, "love")
    item = answer["hits"][0]["id"]
    click = {
        "event": "interaction",
        "id": "0f4c0036-04fb-4409-b2c6-7163a59f6b7d",
        "ranking": answer["query_id"],
        "timestamp": "1599391467000",
        "user": "user1",
        "session": "session1",
        "type": "click",
        "item": item,
        "fields": [{"name": "count", "value": 1}],
    }
    ranking = {"event": "ranking", "id": answer["query_id"], "timestamp": 1599391467000, "items": [{"id": item}]}
    about = {
        "event": "item",
        "id": "1",
        "item": item,
        "timestamp": "2020-09-06T11:24:27Z",
        "fields": [],
        "tenant": "x",
        "y": 1,
    }
    cart = click | {"id": "another", "type": "add_to_cart", "timestamp": 1599391467000}
    body = sent(http, "metarank", click, ranking, about, cart, click | {"id": "3", "type": "hover"}, {"event": "x"})
    assert (body["stored"], [(note["index"], note["code"]) for note in body["notes"]]) == (
        2,
        [(1, "not_used"), (2, "unknown_field"), (2, "not_used"), (2, "not_used")],
    )
    assert [(rejection["index"], rejection["code"]) for rejection in body["rejected"]] == [
        (4, "unknown_action"),
        (5, "invalid_event"),
    ]
    first = next(event for event in of(running, answer) if event.action == "click")
    assert (first.event_id, first.time, first.session_id) == (click["id"], 1_599_391_467.0, "session1")
    assert first.user_id == UserIds(settings.data_dir).hashed("user1")
    assert dict(first.attributes) == {"count": "1"}
    assert sent(http, "metarank", click)["duplicates"] == 1
    lines = "\n".join(['{"event": "interaction"', '{"event": "user", "id": "u", "user": "1", "timestamp": "1"}'])
    body = http.post("/v1/events/metarank", content=lines).json()
    assert (body["rejected"][0]["line"], body["notes"][0]["index"]) == (1, 1)
