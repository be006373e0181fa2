"""The id of a request, from the header to the log, also when the service itself is at fault."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from io import StringIO

import httpx
import pytest
from http_words import refused, search

from app.operating.logs import HumanLines, JsonLines
from app.service import Service


def test_an_id_comes_back_and_a_bad_one_is_replaced(http: httpx.Client) -> None:
    assert http.get("/livez", headers={"X-Request-Id": "a.b-c_1:2"}).headers["X-Request-Id"] == "a.b-c_1:2"
    made = http.get("/livez").headers["X-Request-Id"]
    assert len(made) == 32
    for bad in ("with space", "x" * 101, "{brace}", '"quoted"', ""):
        answered = http.get("/livez", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert len(answered) == 32
        assert answered not in (bad, made)


def test_refusals_have_one_too(http: httpx.Client) -> None:
    answered = http.get("/v2/nothing", headers={"X-Request-Id": "lost"})
    refused(answered, 404, "http_404")
    assert answered.headers["X-Request-Id"] == "lost"


def test_json_lines_have_the_id_and_what_is_said(http: httpx.Client) -> None:
    said = StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("app.web.request_ids")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        found = search(http, "secret wish")
        http.get("/livez", headers={"X-Request-Id": "mine"})
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [line["path"] for line in lines] == ["/v1/search", "/livez"]
    assert lines[0]["query_id"] == found["query_id"]
    assert lines[1]["request_id"] == "mine"
    assert "secret" not in said.getvalue()


def test_a_fault_of_the_service_is_told_with_the_id(
    running: tuple[str, Callable[[], Service]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, service = running
    # Nothing of the service is known to fail like this: its clock is taken away.
    monkeypatch.setattr(service(), "clock", None)
    answered = httpx.post(f"{url}/v1/search", json={"query": "love"}, headers={"X-Request-Id": "mine"})
    error = refused(answered, 500, "internal")
    assert "mine" in error["remedy"]
    assert answered.headers["X-Request-Id"] == "mine"
    assert "Traceback" not in answered.text


def test_a_line_for_people_ends_with_the_id() -> None:
    record = logging.LogRecord("app.x", logging.INFO, __file__, 1, "GET /livez 200", None, None)
    record.said = {"method": "GET", "path": "/livez", "status": 200, "took_ms": 1.5}
    assert HumanLines().format(record).endswith("INFO app.x: GET /livez 200 took_ms=1.5")
