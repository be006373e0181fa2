"""POST /v1/search as its users see it: what is found and told, and how it refuses what it cannot answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from http_words import refused, search

from app.schemas.search import SearchAnswer
from app.service import Service
from feedback.encoding import encode_impression


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


@pytest.mark.parametrize("more", [{}, {"explain": True}, {"facets": ["mood", "year"]}, {"size": 1, "from": 1}])
@pytest.mark.parametrize("text", ["love", "", "zzz"])
def test_an_answer_is_what_the_schema_says_in_its_order(http: httpx.Client, text: str, more: dict[str, Any]) -> None:
    told = http.post("/v1/search", json={"query": text, "preview": True, "plan": "wide", **more}).content
    meant = SearchAnswer.model_validate_json(told).model_dump_json(by_alias=True, exclude_none=True)
    assert json.loads(told, object_pairs_hook=list) == json.loads(meant, object_pairs_hook=list)


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


@pytest.mark.parametrize("text", ["love", "taylor swift", "tayler love", "hardcore", "lullabies at night", "", "zzz"])
@pytest.mark.parametrize("plan", ["all", "wide", "session"])
def test_explain_adds_explanations_and_changes_no_order(http: httpx.Client, text: str, plan: str) -> None:
    plain = search(http, text, preview=True, plan=plan)["hits"]
    explained = search(http, text, preview=True, plan=plan, explain=True)["hits"]
    assert [hit["id"] for hit in plain] == [hit["id"] for hit in explained]
    for hit in explained:
        told = hit["explanation"]
        assert told["base"] + sum(p["contribution"] for p in told["features"].values()) == pytest.approx(hit["score"])
        assert told["features"]["arms.found"]["value"] >= 0
        assert told["ranked"] == hit["position"]
        assert "held_back" not in told
    assert not any("explanation" in hit for hit in plain)


def test_an_explanation_has_what_the_memory_holds(http: httpx.Client) -> None:
    entries = http.get("/v1/memory", params={"query": "love story"}).json()["entries"]
    remembered = {entry["item_id"]: entry for entry in entries}
    hits = search(http, "love story", preview=True, plan="all", explain=True)["hits"]
    found = [hit for hit in hits if "memory" in hit["explanation"]]
    assert {hit["id"] for hit in found} == {hit["id"] for hit in hits} & set(remembered) != set()
    for hit in found:
        for name, value in hit["explanation"]["memory"].items():
            assert remembered[hit["id"]][name] == pytest.approx(value, abs=1e-6)


def test_without_an_experiment_neither_answer_nor_row_tells_of_one(
    http: httpx.Client, running: tuple[str, Callable[[], Service]]
) -> None:
    answer = search(http, "love", explain=True)
    assert "experiment" not in answer
    assert not any("team" in hit for hit in answer["hits"])
    row = running[1]().store.impressions(after=0, limit=10_000)[-1].impression
    assert (row.query.id, row.experiment, row.teams, row.mixed) == (answer["query_id"], "", (), False)
    assert b"experiment" not in encode_impression(row)[0]


def test_a_chosen_plan_needs_preview_and_must_exist(http: httpx.Client) -> None:
    refused(http.post("/v1/search", json={"query": "x", "plan": "all"}), 422, "plan_needs_preview")
    error = refused(http.post("/v1/search", json={"query": "x", "plan": "al", "preview": True}), 422, "unknown_plan")
    assert "Did you mean 'all'?" in error["message"]


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
