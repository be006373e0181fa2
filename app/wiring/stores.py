"""What is durable, and where the settings say it is. `state` is the folder of events and models."""

from __future__ import annotations

from pathlib import Path

from app.settings import Settings
from core.catalogue import Catalogue
from feedback.registry import FileRegistry
from feedback.sqlite_store import SqliteEventStore
from retrievers.vectors.embeddings import StoredEmbeddings
from retrievers.vectors.encoder import open_encoder


def open_catalogue(settings: Settings) -> Catalogue:
    return Catalogue(settings.data_dir / "catalogue.sqlite")


def open_store(state: Path) -> SqliteEventStore:
    return SqliteEventStore(state / "events.sqlite")


def open_registry(state: Path) -> FileRegistry:
    return FileRegistry(state / "models")


def open_embeddings(settings: Settings) -> StoredEmbeddings:
    cache = settings.data_dir / "cache"
    return StoredEmbeddings(open_encoder(settings.vector.encoder, cache), cache / "embeddings.sqlite")
