"""GET /v1/memory."""

from __future__ import annotations

import httpx
import pytest
from http_words import refused


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
