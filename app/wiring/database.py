"""What is durable in the PostgreSQL database of the settings: one pool for the whole process."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cache

from app.settings import Settings
from core.errors import InvalidConfig
from feedback.postgres.catalogue import PostgresCatalogue
from feedback.postgres.database import Database
from feedback.postgres.event_store import PostgresEventStore
from feedback.postgres.judgments import PostgresJudgmentStore
from feedback.postgres.leader import PostgresLeader
from feedback.postgres.listener import Listener
from feedback.postgres.registry import PostgresRegistry
from feedback.postgres.schema import HEAD, make_ready, upgrade


def catalogue(settings: Settings) -> PostgresCatalogue:
    return PostgresCatalogue(_database(settings))


def event_store(settings: Settings) -> PostgresEventStore:
    return PostgresEventStore(_database(settings))


def registry(settings: Settings) -> PostgresRegistry:
    return PostgresRegistry(_database(settings))


def judgments(settings: Settings) -> PostgresJudgmentStore:
    return PostgresJudgmentStore(_database(settings))


def leader(settings: Settings) -> PostgresLeader:
    return PostgresLeader(_database(settings))


def listener(settings: Settings, wake: Callable[[], None]) -> Listener:
    return Listener(_database(settings), wake)


def describe(settings: Settings) -> tuple[str, int, bool]:
    """(place, version of the tables, whether what is committed survives a power cut)."""
    database = _database(settings)
    safe = database.rows("SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'")
    return database.place, HEAD, bool(safe[0][0])


def upgrade_database(settings: Settings) -> tuple[str, int, int]:
    """(place, migrations run, version of the tables). InvalidConfig when there is no database, or a newer one."""
    if not settings.database.used:
        raise InvalidConfig("no_database", "database.url is empty: there is no database.", "Set it to postgresql://...")
    database = Database(settings.database.url.get_secret_value())
    try:
        count = upgrade(database)
        make_ready(database, migrate=False)
        return database.place, count, HEAD
    finally:
        database.close()


def _database(settings: Settings) -> Database:
    """With the tables as they must be. InvalidConfig and Unavailable as `make_ready` says."""
    wanted = settings.database
    return _opened(wanted.url.get_secret_value(), wanted.connections, wanted.migrate)


@cache
def _opened(url: str, connections: int, migrate: bool) -> Database:
    database = Database(url, connections=connections)
    try:
        make_ready(database, migrate=migrate)
    except BaseException:
        database.close()
        raise
    atexit.register(database.close)
    return database
