"""Ready is later than alive, and writers who wait keep no searcher waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import uvicorn
from http_words import refused, search
from small_service import prepared, track

from app.schemas.items import ItemBody
from app.service import Service
from app.web.api import create_app
from app.wiring.service import build_service


def test_alive_at_once_and_ready_when_the_models_are_warm(
    tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> None:
    settings = prepared(tmp_path_factory, cache)
    built, go = threading.Event(), threading.Event()

    def build() -> Service:
        service = build_service(settings)
        built.set()
        go.wait(60)
        return service

    server = uvicorn.Server(uvicorn.Config(create_app(build, settings), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert built.wait(60)
        while not server.started:
            time.sleep(0.01)
        with httpx.Client(base_url=f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}") as http:
            assert http.get("/livez").status_code == 200
            refused(http.get("/readyz"), 503, "not_ready")
            refused(http.post("/v1/search", json={"query": "love"}), 503, "not_ready")
            go.set()
            until = time.monotonic() + 60
            while http.get("/readyz").status_code != 200:
                assert time.monotonic() < until
                time.sleep(0.02)
            assert search(http, "love")["hits"]
    finally:
        go.set()
        server.should_exit = True
        thread.join()


def test_waiting_writers_keep_no_searcher_waiting(running: tuple[str, Callable[[], Service]]) -> None:
    url, service = running
    held, go = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        held.set()
        go.wait(60)

    new = track("track:held", "Held", 2000, 0.1, artist="Nobody", mood="calm")
    while not held.is_set():  # the follower may be quicker than the holder, and then it takes the item in
        service().catalogue.put([new])
        holder = threading.Thread(target=lambda: service().indexer.catch_up(hold))
        holder.start()
        while holder.is_alive() and not held.wait(0.05):
            pass
    try:
        body = [ItemBody.of(new).model_dump(exclude_none=True, by_alias=True, mode="json")]
        with ThreadPoolExecutor(60) as pool, httpx.Client(base_url=url, timeout=60) as http:
            writers = [pool.submit(httpx.put, f"{url}/v1/items", json=body, timeout=60) for _ in range(60)]
            time.sleep(0.5)
            assert not any(writer.done() for writer in writers)
            began = time.monotonic()
            assert all(search(http, "love")["hits"] for _ in range(5))
            assert time.monotonic() - began < 5
            assert http.get("/readyz").status_code == 200
            go.set()
            assert {writer.result().status_code for writer in writers} == {200}
    finally:
        go.set()
        holder.join()
