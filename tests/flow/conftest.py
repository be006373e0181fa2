"""A real service over real HTTP, on a small catalogue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from small_service import prepared

from app.api import create_app
from app.service import Service
from app.settings import Settings
from app.wiring.service import build_service


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    return prepared(tmp_path_factory, cache)


@pytest.fixture(scope="module")
def running(settings: Settings) -> Iterator[tuple[str, Callable[[], Service]]]:
    """The URL of a ready service, and the service behind it."""
    application = create_app(lambda: build_service(settings), settings)
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    while httpx.get(f"{url}/readyz").status_code != 200:
        time.sleep(0.05)
    yield url, lambda: application.state.service
    server.should_exit = True
    thread.join()


@pytest.fixture
def http(running: tuple[str, Callable[[], Service]]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running[0], timeout=30) as client:
        yield client
