"""What holds for the whole API: health, unknown paths, and the schemas."""

from __future__ import annotations

from typing import Any

import httpx
from http_words import refused, search


def test_unknown_paths_and_methods(http: httpx.Client) -> None:
    refused(http.get("/v2/search"), 404, "http_404")
    refused(http.get("/v1/search"), 405, "http_405")


def test_health_and_metrics(http: httpx.Client) -> None:
    search(http, "love", preview=True, plan="lexical")
    assert http.get("/livez").json() == {"status": "alive"}
    assert http.get("/readyz").json()["status"] == "ready"
    text = http.get("/metrics").text
    assert 'bowerbird_arm_total{arm="lexical",status="ok"}' in text
    assert "bowerbird_search_seconds_bucket" in text
    assert 'bowerbird_shadows{outcome="logged"}' in text


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
