"""POST /v1/events as its users see it: what counts, and how it refuses the rest."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from http_words import event, refused, search

from app.service import Service


def test_feedback_counts_once(http: httpx.Client) -> None:
    answer = search(http, "love")
    click = event(answer, answer["hits"][0]["id"], event_id="once")
    assert http.post("/v1/events", json=click).json() == {"stored": 1, "duplicates": 0, "rejected": []}
    assert http.post("/v1/events", json=click).json() == {"stored": 0, "duplicates": 1, "rejected": []}
    refused(http.post("/v1/events", json={**click, "action_name": "like"}), 409, "event_id_reused")


def test_what_a_session_clicked_comes_with_its_next_search(
    http: httpx.Client, running: tuple[str, Callable[[], Service]]
) -> None:
    answer = search(http, "love", session_id="evening")
    clicked = answer["hits"][1]["id"]
    http.post("/v1/events", json=event(answer, clicked, session_id="evening", event_id="of-the-evening"))
    search(http, "lover", session_id="evening")
    search(http, "lover", session_id="evening", history=["track:one"])
    logged = running[1]().store.impressions(after=0, limit=10_000)
    assert [row.impression.query.history for row in logged[-2:]] == [(clicked,), ("track:one",)]


def test_an_event_without_an_id_counts_once_too(http: httpx.Client) -> None:
    answer = search(http, "love")
    click = event(answer, answer["hits"][0]["id"])
    assert http.post("/v1/events", json=click).json()["stored"] == 1
    time.sleep(0.01)
    assert http.post("/v1/events", json=click).json()["duplicates"] == 1


def test_a_partly_bad_batch_keeps_the_good_events(http: httpx.Client) -> None:
    answer = search(http, "love")
    shown = [hit["id"] for hit in answer["hits"]]
    batch = [
        event(answer, shown[0], event_id="good-1"),
        {"action_name": "click"},
        event({"query_id": "never"}, shown[0]),
        event(answer, "no-such-item"),
        event(answer, shown[0], action_name="clik"),
        event(answer, shown[1], event_id="good-2"),
    ]
    body = http.post("/v1/events", json={"events": batch}).json()
    assert body["stored"] == 2
    assert [(r["index"], r["code"]) for r in body["rejected"]] == [
        (1, "invalid_event"), (2, "unknown_query"), (3, "item_not_shown"), (4, "unknown_action"),
    ]  # fmt: skip
    assert "Did you mean 'click'?" in body["rejected"][3]["message"]


def test_previews_take_no_feedback(http: httpx.Client) -> None:
    answer = search(http, "love", preview=True)
    error = refused(http.post("/v1/events", json=event(answer, answer["hits"][0]["id"])), 404, "unknown_query")
    assert "preview" in error["remedy"]


def test_too_many_events_at_once(http: httpx.Client) -> None:
    refused(http.post("/v1/events", json=[{}] * 1_001), 413, "too_many")


def test_a_body_without_a_length_is_limited_too(http: httpx.Client) -> None:
    response = http.post("/v1/events", content=(b"x" * 100_000 for _ in range(30)))
    refused(response, 413, "body_too_large")
