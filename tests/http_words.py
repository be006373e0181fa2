"""Short ways to write requests to the HTTP API."""

from __future__ import annotations

from typing import Any

import httpx


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
