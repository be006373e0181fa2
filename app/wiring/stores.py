"""What is durable, and where the settings say it is: in PostgreSQL if there is an address of one, else in files.

`state` is a folder for events and models apart from all others: what is tried out there never reaches the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.settings import Settings
from core.catalogue import Catalogue
from core.episodes import Episode
from core.protocols import EventStore, ModelRegistry
from feedback.client_limit import ClientLimit
from feedback.join import every_closed
from feedback.judgments import JudgmentStore
from feedback.leader import FileLeader, Leader
from feedback.registry import FileRegistry
from feedback.reward import RewardRule
from feedback.sqlite_catalogue import SqliteCatalogue
from feedback.sqlite_judgments import SqliteJudgmentStore
from feedback.sqlite_store import SqliteEventStore
from retrievers.vectors.embeddings import StoredEmbeddings
from retrievers.vectors.encoder import open_encoder


def open_catalogue(settings: Settings) -> Catalogue:
    if settings.database.used:
        from app.wiring import database  # here and below, because what it imports takes a third of a second

        return database.catalogue(settings)
    return SqliteCatalogue(settings.data_dir / "catalogue.sqlite")


def open_store(settings: Settings, state: Path | None = None) -> EventStore:
    if state is None and settings.database.used:
        from app.wiring import database

        return database.event_store(settings)
    return SqliteEventStore((state or settings.data_dir) / "events.sqlite")


def taught_episodes(settings: Settings) -> Iterator[Episode]:
    """The closed ones that models are made of: not those of one client beyond `feedback.client_cap`."""
    limit = ClientLimit(settings.feedback.client_cap)
    for episode in closed_episodes(settings):
        yield from limit.admitted([episode])


def closed_episodes(settings: Settings) -> Iterator[Episode]:
    """All searches of the log whose window is over by now, joined with their feedback, in log order."""
    store = open_store(settings)
    rule = RewardRule(settings.feedback.weights)
    try:
        yield from every_closed(store, now=time.time(), window_s=settings.feedback.window_s, rule=rule)
    finally:
        store.close()


def open_judgments(settings: Settings, state: Path | None = None) -> JudgmentStore:
    if state is None and settings.database.used:
        from app.wiring import database

        return database.judgments(settings)
    return SqliteJudgmentStore((state or settings.data_dir) / "quality.sqlite")


def open_registry(settings: Settings, state: Path | None = None) -> ModelRegistry:
    if state is None and settings.database.used:
        from app.wiring import database

        return database.registry(settings)
    return FileRegistry((state or settings.data_dir) / "models")


def open_leader(settings: Settings) -> Leader:
    if settings.database.used:
        from app.wiring import database

        return database.leader(settings)
    return FileLeader(settings.data_dir / "learner.lock")


def listen(settings: Settings, wake: Callable[[], None]) -> list[Callable[[], None]]:
    """From now on `wake` is called when somebody has published models or changed items; what ends that.

    With files nobody is told, and looking from time to time finds out.
    """
    if settings.database.used:
        from app.wiring import database

        return [database.listener(settings, wake).close]
    return []


def open_embeddings(settings: Settings) -> StoredEmbeddings:
    cache = settings.data_dir / "cache"
    return StoredEmbeddings(open_encoder(settings.vector.encoder, cache), cache / "embeddings.sqlite")
