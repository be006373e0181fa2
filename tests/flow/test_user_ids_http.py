"""User ids come in and are nowhere to be found: keyed hashes are what is stored."""

from __future__ import annotations

import httpx
from http_service import Running
from http_words import event, search

from app.settings import Settings
from app.web.user_ids import UserIds
from core.types import QueryId

ANN = "ann.unmistakable@example.org"


def test_searches_and_events_hold_the_hash_only(http: httpx.Client, running: Running, settings: Settings) -> None:
    answer = search(http, "love", user_id=ANN)
    click = event(answer, answer["hits"][0]["id"], user_id=ANN)
    assert http.post("/v1/events", json=click).json()["stored"] == 1
    assert http.post("/v1/events", json=click).json()["duplicates"] == 1
    store = running[1]().store
    (logged,) = [row for row in store.impressions(after=0, limit=100) if row.impression.query.id == answer["query_id"]]
    (heard,) = store.feedback([QueryId(answer["query_id"])])[QueryId(answer["query_id"])]
    hashed = UserIds(settings.data_dir).hashed(ANN)
    assert hashed is not None
    assert logged.impression.query.user_id == heard.user_id == hashed
    files = [file for file in settings.data_dir.rglob("*") if file.is_file() and not file.is_symlink()]
    assert any(hashed.encode() in file.read_bytes() for file in files)
    assert [file for file in files if ANN.encode() in file.read_bytes()] == []
    assert ANN not in http.get("/metrics").text
