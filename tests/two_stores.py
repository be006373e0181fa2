"""Whatever holds for one store must hold for its twin in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from postgres_server import opened

from feedback.postgres.database import Database

STORES = ("sqlite", "postgres")
Store = TypeVar("Store", bound=Any)


@contextmanager
def reopening(
    request: pytest.FixtureRequest, sqlite: Callable[[], Store], postgres: Callable[[Database], Store]
) -> Iterator[Callable[[], Store]]:
    """Opens the same store as often as asked: that of `request.param`, one of STORES."""
    in_postgres = request.param == "postgres"
    database, close = opened(request.getfixturevalue("postgres")) if in_postgres else (None, lambda: None)
    found: list[Store] = []

    def open_one() -> Store:
        found.append(postgres(database()) if database else sqlite())
        return found[-1]

    yield open_one
    for store in found:
        store.close()
    close()
