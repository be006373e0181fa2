"""Indexes of many items are made by a process of its own, which may end before it is done."""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from http_words import refused, search
from small_service import ITEMS, prepared
from waiting import until

from app.indexing.indexer import Indexer
from app.operating.first_indexes import Indexing, make_indexes
from app.settings import Settings
from app.web.api import create_app
from app.wiring.service import build_service


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("app.indexing.indexer._FAR", len(ITEMS) - 1)
    return prepared(tmp_path_factory, cache)


@contextmanager
def starting(settings: Settings) -> Iterator[httpx.Client]:
    server = uvicorn.Server(
        uvicorn.Config(create_app(lambda: build_service(settings), settings), port=0, log_level="warning")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        with httpx.Client(base_url=f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}") as http:
            yield http
    finally:
        server.should_exit = True
        thread.join()


def ready(http: httpx.Client) -> bool:
    return http.get("/readyz").status_code == 200


def test_the_service_starts_from_what_another_process_has_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the service itself makes indexes")

    monkeypatch.setattr(Indexer, "_apply", refuse)
    with starting(settings) as http:
        told = f" of {len(ITEMS)} items are indexed"
        until(lambda: told in refused(http.get("/readyz"), 503, "not_ready")["message"], within_s=60)
        until(lambda: ready(http), within_s=60)
        assert {hit["id"] for hit in search(http, "love")["hits"]} >= {"track:love-story", "track:lover"}
        # Of one who starts again, nothing is asked.
        monkeypatch.setattr("app.web.api.make_indexes", refuse)
    with starting(settings) as http:
        until(lambda: ready(http), within_s=60)
        assert search(http, "love")["hits"]


def test_when_that_process_is_killed_the_service_makes_them(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), starting(settings) as http:
        until(multiprocessing.active_children)
        for process in multiprocessing.active_children():
            process.kill()
        until(lambda: ready(http), within_s=60)
        assert search(http, "love")["hits"]
    assert "the process that makes the indexes ended with status -9; the service makes them" in caplog.text


def test_a_service_that_stops_does_not_wait_for_it(settings: Settings) -> None:
    stopping, done = threading.Event(), Indexing(len(ITEMS))
    thread = threading.Thread(target=make_indexes, args=(settings, done, stopping))
    thread.start()
    until(multiprocessing.active_children)
    began = time.monotonic()
    stopping.set()
    thread.join()
    assert time.monotonic() - began < 2
    assert not multiprocessing.active_children()
    assert str(done) == ": 0 of 6 items are indexed"


def test_a_few_changes_are_taken_in_at_once(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> None:
    service = build_service(prepared(tmp_path_factory, cache))
    assert service.indexer.behind == len(ITEMS)
    assert not service.indexer.far_behind
    service.close()
