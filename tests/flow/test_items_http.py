"""The catalogue over HTTP."""

from __future__ import annotations

import httpx
import pytest
from http_words import refused, search


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


@pytest.mark.parametrize("ids", [["m1"], ["m1", "m2"]], ids=["JSON", "NDJSON"])
def test_a_byte_order_mark_costs_no_item(http: httpx.Client, ids: list[str]) -> None:
    lines = "\n".join(f'{{"id": "{id_}", "fields": {{"title": "Marked"}}}}' for id_ in ids)
    assert http.put("/v1/items", content=lines.encode("utf-8-sig")).json() == {"stored": len(ids), "rejected": []}
    for id_ in ids:
        assert http.delete(f"/v1/items/{id_}").status_code == 204


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


def test_a_date_at_the_end_of_its_calendar_can_be_read(http: httpx.Client) -> None:
    dates = {
        "end": "9999-12-31T23:59:59.9999999Z",
        "late": "9999-12-31T23:59:59-05:00",
        "early": "0001-01-01T00:00:00+01:00",
    }
    new = {"id": "always", "fields": {"title": "Always"}, "dates": dates}
    assert http.put("/v1/items", json=new).json()["stored"] == 1
    found = http.get("/v1/items/always").json()["dates"]
    assert {name: date[:4] for name, date in found.items()} == {"end": "9999", "late": "9999", "early": "0001"}
    http.delete("/v1/items/always")
