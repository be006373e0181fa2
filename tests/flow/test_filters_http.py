"""Filters and facets of a search over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from http_words import refused, search

from app.service import Service
from core.types import Range


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
