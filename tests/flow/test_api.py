"""The HTTP API as its users see it: what works, and how it refuses what doesn't."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.service import Service
from core.types import Range


def search(http: httpx.Client, query: str, **fields: Any) -> dict[str, Any]:
    response = http.post("/v1/search", json={"query": query, **fields})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def event(answer: dict[str, Any], item: str, **fields: Any) -> dict[str, Any]:
    attributes = {"object": {"object_id": item}, "position": {"ordinal": 1}}
    return {"action_name": "click", "query_id": answer["query_id"], "event_attributes": attributes, **fields}


def refused(response: httpx.Response, status: int, code: str) -> dict[str, str]:
    """The error, which always has the same three parts."""
    assert response.status_code == status, response.text
    error: dict[str, str] = response.json()
    assert set(error) == {"code", "message", "remedy"}
    assert error["code"] == code
    return error


def test_an_answer_says_what_it_found_and_how(http: httpx.Client) -> None:
    answer = search(http, "taylor swift love story", size=3)
    assert len(answer["hits"]) == 3
    first = answer["hits"][0]
    assert first["id"] == "track:love-story"
    assert [hit["position"] for hit in answer["hits"]] == [1, 2, 3]
    assert first["arms"]["lexical"]["rank"] == 1
    assert set(answer["arms"]) == set(answer["plan"]["depths"])
    assert all(arm["status"] == "ok" for arm in answer["arms"].values())
    assert answer["policy"].startswith("warmup")
    assert answer["degraded"] is False
    assert "propensity" not in json.dumps(answer)


def test_the_memory_tells_what_it_holds_for_a_query(http: httpx.Client) -> None:
    answer = http.get("/v1/memory", params={"query": "love story", "limit": 2}).json()
    first = answer["entries"][0]
    assert (first["item_id"], first["title"]) == ("track:love-story", "Love Story")
    assert first["predicted"]
    assert first["gain"] == first["examined"] == 0
    assert first["posterior"] == pytest.approx(first["prior"], abs=1e-5)
    assert 0 < first["prior"] < first["belief"] <= 1
    assert len(answer["entries"]) <= 2
    assert answer["neighbours"] == []


def test_the_memory_refuses_what_is_no_query(http: httpx.Client) -> None:
    for text in ("", "  ", "x" * 513):
        assert "1 to 512" in refused(http.get("/v1/memory", params={"query": text}), 422, "invalid_query")["message"]
    refused(http.get("/v1/memory"), 422, "invalid_request")
    refused(http.get("/v1/memory", params={"query": "love", "limit": 0}), 422, "invalid_request")


@pytest.mark.parametrize("text", ["tayler love", "lov story", "love"])
def test_misspelt_and_ambiguous_queries_are_answered(http: httpx.Client, text: str) -> None:
    assert "track:love-story" in [hit["id"] for hit in search(http, text)["hits"]]


def test_no_lexical_match_is_answered_by_meaning(http: httpx.Client) -> None:
    hits = search(http, "something to fall asleep to", preview=True, plan="vector")["hits"]
    assert hits[0]["id"] == "playlist:quiet"


def test_an_empty_query_and_nonsense_are_answered_with_what_is_popular(http: httpx.Client) -> None:
    answer = search(http, "")
    assert answer["hits"][0]["id"] == "artist:taylor-swift"
    assert answer["arms"]["popular"]["status"] == "ok"


def test_filters_and_pages(http: httpx.Client) -> None:
    tracks = search(http, "love", filters={"type": "track", "mood": ["romantic", "calm"]})["hits"]
    assert {hit["id"] for hit in tracks} == {"track:love-story", "track:lover"}
    whole = [hit["id"] for hit in search(http, "love", preview=True, plan="all")["hits"]]
    second = search(http, "love", preview=True, plan="all", size=2, **{"from": 2})["hits"]
    assert [hit["id"] for hit in second] == whole[2:4]
    assert [hit["position"] for hit in second] == [3, 4]


@pytest.mark.parametrize("plan", ["lexical", "vector", "memory-popular", "lexical-structured", "sparse-memory", "all"])
def test_ranges_hold_in_every_plan(http: httpx.Client, plan: str) -> None:
    def found(**year: float) -> set[str]:
        asked = search(http, "lover story", filters={"type": "track", "year": year}, preview=True, plan=plan)
        return {hit["id"] for hit in asked["hits"]}

    assert found(**{"from": 2008, "to": 2019}) == {"track:love-story", "track:lover"}
    assert found(to=2008.5) <= {"track:love-story", "track:one"}
    assert found(**{"from": 2020}) == set()


def test_a_range_is_logged_as_it_was_asked(http: httpx.Client, running: tuple[str, Callable[[], Service]]) -> None:
    search(http, "love", filters={"year": {"from": 2008}, "mood": "romantic"}, facets=["mood"])
    logged = running[1]().store.impressions(after=0, limit=10_000)[-1].impression
    assert logged.query.filters == {"year": Range(low=2008), "mood": ("romantic",)}


def test_facets_count_all_matches_and_only_when_asked(http: httpx.Client) -> None:
    answer = search(http, "lover story one", size=1, preview=True, plan="vector", facets=["mood", "year", "year", "x"])
    assert answer["facets"]["mood"] == [{"value": "romantic", "count": 2}, {"value": "angry", "count": 1}]
    year = answer["facets"]["year"]
    assert (year["min"], year["max"]) == (1989, 2019)
    assert sum(each["count"] for each in year["ranges"]) == 3
    assert answer["facets"]["x"] == []
    chosen = search(http, "lover story one", filters={"mood": "angry"}, facets=["mood", "type"])["facets"]
    assert chosen["mood"] == answer["facets"]["mood"]
    assert chosen["type"] == [{"value": "track", "count": 1}]
    assert "facets" not in search(http, "lover")


def test_explain_adds_features_and_changes_no_order(http: httpx.Client) -> None:
    plain = search(http, "love", preview=True, plan="all")["hits"]
    explained = search(http, "love", preview=True, plan="all", explain=True)["hits"]
    assert [hit["id"] for hit in plain] == [hit["id"] for hit in explained]
    assert explained[0]["features"]["arms.found"] >= 1
    assert "features" not in plain[0]


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


def test_a_chosen_plan_needs_preview_and_must_exist(http: httpx.Client) -> None:
    refused(http.post("/v1/search", json={"query": "x", "plan": "all"}), 422, "plan_needs_preview")
    error = refused(http.post("/v1/search", json={"query": "x", "plan": "al", "preview": True}), 422, "unknown_plan")
    assert "Did you mean 'all'?" in error["message"]


def test_items_come_and_go_in_every_arm(http: httpx.Client) -> None:
    new = {"id": "a/b c", "type": "track", "fields": {"title": "Zanzibar Nocturne"}, "attributes": {"mood": "dreamy"}}
    assert http.put("/v1/items", json=new).json() == {"stored": 1, "rejected": []}
    for plan in ("lexical", "vector", "memory"):
        assert search(http, "zanzibar nocturne", preview=True, plan=plan)["hits"][0]["id"] == "a/b c"
    assert http.get("/v1/items/a/b c").json()["attributes"] == {"mood": ["dreamy"]}
    assert http.delete("/v1/items/a/b c").status_code == 204
    for plan in ("lexical", "vector", "memory"):
        ids = [hit["id"] for hit in search(http, "zanzibar nocturne", preview=True, plan=plan)["hits"]]
        assert "a/b c" not in ids
    refused(http.get("/v1/items/a/b c"), 404, "no_such_item")
    refused(http.delete("/v1/items/a/b c"), 404, "no_such_item")


def test_ndjson_with_a_broken_line_keeps_the_good_ones(http: httpx.Client) -> None:
    lines = b"\n".join(
        [
            b'{"id": "n1", "fields": {"title": "First"}}',
            b'{"id": "n2", "fields": {"title": ',
            b"",
            b'{"fields": {"title": "Without id"}}',
            b'{"id": "n3", "fields": {"title": "Third"}, "numbers": {"price": "dear"}}',
            b'{"id": "n4", "fields": {"title": "Last"}}',
        ]
    )
    body = http.put("/v1/items", content=lines, headers={"content-type": "application/x-ndjson"}).json()
    assert body["stored"] == 2
    assert [(r["index"], r["line"]) for r in body["rejected"]] == [(1, 2), (2, 4), (3, 5)]
    assert "id: Field required" in body["rejected"][1]["message"]
    assert [http.get(f"/v1/items/n{n}").status_code for n in (1, 2, 3, 4)] == [200, 404, 404, 200]
    for n in (1, 4):
        http.delete(f"/v1/items/n{n}")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "empty_body"),
        (b"[{", 422, "broken_json"),
        (b"not json", 422, "broken_json"),
        (b'{"fields": {"title": "x"}}', 422, "invalid_item"),
        (b'{"id": "x", "fields": {}}', 422, "invalid_item"),
        (b'{"id": "x", "fields": {"title": "x"}, "colour": "red"}', 422, "invalid_item"),
        (b'{"id": "x", "fields": {"title": "x"}, "numbers": {"price": 1e999}}', 422, None),
        (b"5", 422, "invalid_item"),
        (b"x" * 3_000_000, 413, "body_too_large"),
    ],
)
def test_bad_items_are_refused_in_words(http: httpx.Client, body: bytes, status: int, code: str | None) -> None:
    response = http.put("/v1/items", content=body)
    assert response.status_code == status
    assert set(response.json()) == {"code", "message", "remedy"}
    assert code is None or response.json()["code"] == code
    assert http.get("/v1/items/x").status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"query": "x" * 10_000}, "too_large_query", "10000 characters; at most 512"),
        ({"query": "x", "size": 101}, "too_large_size", "101 results; at most 100"),
        ({"query": "x", "size": 0}, "invalid_request", "greater than or equal to 1"),
        ({"query": "x", "from": 5_000}, "too_large_from", "at most 1000"),
        ({"query": "x", "filters": {"price": {}}}, "invalid_request", "price.range: Value error, a range needs `from`"),
        ({"query": "x", "filters": {"price": {"from": 3, "to": 2}}}, "invalid_request", "from = 3 is above to = 2"),
        (
            {"query": "x", "filters": {"price": {"from": "dear"}}},
            "invalid_request",
            "price.range.from: Input should be",
        ),
        ({"query": "x", "filters": {"price": {"min": 3}}}, "invalid_request", "min: Extra inputs are not permitted"),
        ({"query": "x", "filters": {"price": 5}}, "invalid_request", "price.values: Input should be a valid list"),
        ({"query": "x", "facets": ["a"] * 11}, "invalid_request", "facets: List should have at most 10 items"),
        ({"query": 5}, "invalid_request", "query: Input should be a valid string (got 5)"),
        ({"qery": "x"}, "invalid_request", "query: Field required"),
        ({"query": "x", "propensity": 0.5}, "invalid_request", "propensity: Extra inputs are not permitted"),
    ],
)
def test_bad_searches_are_refused_in_words(http: httpx.Client, body: dict[str, Any], code: str, words: str) -> None:
    error = refused(http.post("/v1/search", json=body), 422, code)
    assert words in error["message"]


@pytest.mark.parametrize("bound", ["1e999", "NaN", "-Infinity", "1" * 400])
def test_a_bound_is_finite(http: httpx.Client, bound: str) -> None:
    body = f'{{"query": "x", "filters": {{"price": {{"from": {bound}}}}}}}'
    response = http.post("/v1/search", content=body, headers={"content-type": "application/json"})
    assert "price.range.from" in refused(response, 422, "invalid_request")["message"]


@pytest.mark.parametrize("name", ["\\ud800", "\\u0000", ".*[", "\\ud83d\\udca1"])
def test_odd_names_of_filters_and_facets_are_no_crash(http: httpx.Client, name: str) -> None:
    body = f'{{"query": "love", "filters": {{"{name}": {{"to": 5}}, "{name}x": "{name}"}}, "facets": ["{name}"]}}'
    response = http.post("/v1/search", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (200, 422)


def test_a_body_without_a_length_is_limited_too(http: httpx.Client) -> None:
    response = http.post("/v1/events", content=(b"x" * 100_000 for _ in range(30)))
    refused(response, 413, "body_too_large")


def test_too_many_events_at_once(http: httpx.Client) -> None:
    refused(http.post("/v1/events", json=[{}] * 1_001), 413, "too_many")


def test_unknown_paths_and_methods(http: httpx.Client) -> None:
    refused(http.get("/v2/search"), 404, "http_404")
    refused(http.get("/v1/search"), 405, "http_405")


def test_health_and_metrics(http: httpx.Client) -> None:
    assert http.get("/livez").json() == {"status": "alive"}
    assert http.get("/readyz").json()["status"] == "ready"
    text = http.get("/metrics").text
    assert 'bowerbird_arm_total{arm="lexical",status="ok"}' in text
    assert "bowerbird_search_seconds_bucket" in text


def test_every_schema_has_an_example_that_resolves(http: httpx.Client) -> None:
    openapi = http.get("/openapi.json").json()
    schemas = openapi["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("examples")] == []

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    assert {ref.rsplit("/", 1)[-1] for ref in references(openapi)} <= set(schemas)
