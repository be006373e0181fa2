"""What is durable, and where the settings say it is. `state` is the folder of events and models."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from app.settings import Settings
from core.catalogue import Catalogue
from core.types import Episode
from feedback.join import every_closed
from feedback.registry import FileRegistry
from feedback.reward import RewardRule
from feedback.sqlite_store import SqliteEventStore
from retrievers.vectors.embeddings import StoredEmbeddings
from retrievers.vectors.encoder import open_encoder


def open_catalogue(settings: Settings) -> Catalogue:
    return Catalogue(settings.data_dir / "catalogue.sqlite")


def open_store(state: Path) -> SqliteEventStore:
    return SqliteEventStore(state / "events.sqlite")


def closed_episodes(settings: Settings) -> Iterator[Episode]:
    """All searches of the log whose window is over by now, joined with their feedback, in log order."""
    store = open_store(settings.data_dir)
    rule = RewardRule(settings.feedback.weights)
    try:
        yield from every_closed(store, now=time.time(), window_s=settings.feedback.window_s, rule=rule)
    finally:
        store.close()


def open_registry(state: Path) -> FileRegistry:
    return FileRegistry(state / "models")


def open_embeddings(settings: Settings) -> StoredEmbeddings:
    cache = settings.data_dir / "cache"
    return StoredEmbeddings(open_encoder(settings.vector.encoder, cache), cache / "embeddings.sqlite")
