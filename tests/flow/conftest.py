"""A real service over real HTTP, on a small catalogue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from words import item

from app.api import create_app
from app.service import Service
from app.settings import Settings, load_settings
from app.wiring.service import build_service
from app.wiring.stores import open_catalogue
from core.types import Item


def track(item_id: str, title: str, year: int, popularity: float, *, artist: str, mood: str) -> Item:
    return item(item_id, title, kind="track", popularity=popularity, artist=artist, mood=mood, numbers={"year": year})


ITEMS = [
    track("track:love-story", "Love Story", 2008, 0.9, artist="Taylor Swift", mood="romantic"),
    item("artist:taylor-swift", "Taylor Swift", kind="artist", popularity=1.0),
    track("track:lover", "Lover", 2019, 0.8, artist="Taylor Swift", mood="romantic"),
    item("playlist:quiet", "Quiet Harbour: lullabies for the night", kind="playlist", popularity=0.3, mood="calm"),
    track("track:one", "One", 1989, 0.7, artist="Metallica", mood="angry"),
    item("podcast:history", "Hardcore History", kind="podcast", popularity=0.6),
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    """The default configuration on a directory of its own, with the encoder that was exported before.

    Without exploration: what a search finds must not depend on the plan that its random id draws.
    """
    folder = tmp_path_factory.mktemp("service")
    (folder / "cache").symlink_to(cache)
    overrides = {
        "service": {"data_dir": str(folder), "learner": False},
        "feedback": {"window_s": 0.2},
        "policy": {"explore": 0.0},
    }
    made = load_settings(overrides=overrides)
    catalogue = open_catalogue(made)
    catalogue.put(ITEMS)
    catalogue.close()
    return made


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
