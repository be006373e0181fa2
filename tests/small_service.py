"""A small catalogue, and a service's settings on a directory of its own that holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from words import item

from app.settings import Settings, load_settings
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


def prepared(paths: pytest.TempPathFactory, cache: Path, **overrides: Any) -> Settings:
    """The default configuration on a directory of its own with ITEMS, and the encoder that was exported before.

    Without exploration: what a search finds must not depend on the plan that its random id draws.
    """
    folder = paths.mktemp("service")
    (folder / "cache").symlink_to(cache)
    small = {
        "service": {"data_dir": str(folder), "learner": False},
        "feedback": {"window_s": 1.0},
        "policy": {"explore": 0.0},
    }
    made = load_settings(overrides={**small, **overrides})
    catalogue = open_catalogue(made)
    catalogue.put(ITEMS)
    catalogue.close()
    return made
