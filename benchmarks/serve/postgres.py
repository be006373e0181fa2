"""PostgreSQL's full-text search, as its documentation says one sets it up: what many start from."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import psycopg

from benchmarks.engine import BATCH, DEPTH, plain_text
from benchmarks.postgres_server import installed, running
from benchmarks.timing import timed
from core.types import Item

_TABLE = """
CREATE TABLE items (
    id integer PRIMARY KEY,
    text text NOT NULL,
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED
)
"""
_SEARCH = f"""
SELECT id FROM items, {{query}} AS query WHERE words @@ query
ORDER BY ts_rank_cd(words, query) DESC LIMIT {DEPTH}
"""
# All words of the query, as its functions for typed queries want them; or any, as engines with BM25 take them.
_ALL = "plainto_tsquery('english', %s)"
_ANY = f"CAST(replace(CAST({_ALL} AS text), '&', '|') AS tsquery)"


class _Items(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, at: slice) -> list[Item]: ...


def full_text(items: _Items, queries: list[str]) -> dict[str, Any]:
    """`all_words` and `any_word`: p50_ms and p99_ms of a query through psycopg, by a socket. Or why it `failed`."""
    binaries = installed()
    if binaries is None:
        return {"failed": "PostgreSQL (initdb, postgres) is not installed"}
    with running(binaries) as server, psycopg.connect(server.new(), autocommit=True) as connection:
        started = time.perf_counter()
        _fill(connection, items)
        built_s = time.perf_counter() - started
        found: dict[str, Any] = {"build_s": built_s, "server": connection.info.server_version}
        for name, query in (("all_words", _ALL), ("any_word", _ANY)):
            found[name] = timed(_asking(connection, _SEARCH.format(query=query), queries), len(queries))
        return found


def _fill(connection: psycopg.Connection[Any], items: _Items) -> None:
    connection.execute(_TABLE)
    with connection.cursor() as cursor, cursor.copy("COPY items (id, text) FROM STDIN") as copy:
        for start in range(0, len(items), BATCH):
            for n, item in enumerate(items[start : start + BATCH], start):
                copy.write_row((n, plain_text(item)))
    connection.execute("CREATE INDEX ON items USING gin (words)")
    connection.execute("VACUUM ANALYZE items")


def _asking(connection: psycopg.Connection[Any], sql: str, queries: list[str]) -> Callable[[int], object]:
    text = sql.encode()
    return lambda n: connection.execute(text, [queries[n % len(queries)]]).fetchall()
