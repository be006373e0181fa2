"""How fast every arm and its rivals are, on synthetic catalogues with a realistic vocabulary."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.catalogue import SyntheticItems, title_queries
from benchmarks.contest import ENGINES, contest
from benchmarks.rivals import versions
from benchmarks.start import start_up
from benchmarks.tables import Cell, table
from benchmarks.timing import timed
from retrievers.vectors.encoder import BUNDLED, open_encoder

SIZES = {"100k": 100_000, "1m": 1_000_000}
# The other arms, and both together, are measured at 100,000 items only.
_LARGE = tuple(
    name for name, make in ENGINES.items() if make().group in ("lexical", "vector") and name != "Bowerbird sparse"
)


def measure(size: str, *, limit_s: float, seed: int = 1) -> dict[str, Any]:
    """Rows of every engine with one of the SIZES, and the named figures of those."""
    engines = contest(list(ENGINES) if SIZES[size] <= SIZES["100k"] else _LARGE, SIZES[size], seed, limit_s)
    return {"engines": engines, "rivals": versions(), "figures": _figures(size, engines)}


def starting(seed: int = 1) -> dict[str, Any]:
    """Encoding a query, and the start of a service."""
    times, start = encode(seed), start_up(SIZES["100k"], seed=seed)
    figures = {"speed.encode.p50_ms": times["p50_ms"], "start.100k.seconds": start["again_s"]}
    return {"encode": times, "start": start, "figures": figures}


def encode(seed: int) -> dict[str, float]:
    """One query after another, in one thread."""
    queries = title_queries(SyntheticItems(1_000, seed), 200, seed)
    with tempfile.TemporaryDirectory() as folder:
        encoder = open_encoder(BUNDLED, Path(folder))
        return timed(lambda n: encoder.encode_queries([queries[n % len(queries)]]), 200)


def _figures(size: str, engines: Mapping[str, Any]) -> dict[str, float]:
    """By name; what failed or was not measured is absent."""
    named = _named(engines, "lexical", f"lexical.{size}") | _named(engines, "vector", f"vector.{size}")
    if size == "100k":
        named |= _named(engines, "memory", "memory") | _named(engines, "structured", "structured")
    return {f"speed.{name}": value for name, value in named.items()}


def _named(engines: Mapping[str, Any], arm: str, name: str) -> dict[str, float]:
    row = engines.get(f"Bowerbird {arm}", {})
    return {f"{name}.{what}": row[what] for what in ("p50_ms", "recall") if what in row}


def section(size: str, found: Mapping[str, Any]) -> list[str]:
    """The part of the page in docs/ about one size."""
    used = ", ".join(f"{name} {version}" for name, version in found["rivals"].items())
    return [
        f"## Speed with {SIZES[size]:,} items",
        "",
        "Synthetic items, each engine built in a process of its own, then opened and asked in another, on one core,",
        "one query at a time, warm, 100 results. Vector engines are given the query's vector. Bytes per item: of its",
        "files, and of memory after the queries. A load time near the build time: the engine, or this version of the",
        "arm, keeps no files and is built at every start. Recall: against comparing with all vectors.",
        "",
        f"Rivals: {used}.",
        "",
        *_engines(found["engines"]),
        "",
    ]


def started(found: Mapping[str, Any]) -> list[str]:
    """The part of the page about encoding and start."""
    start = found["start"]
    return [
        "## Encoding and start",
        "",
        f"Encoding a query: p50 {found['encode']['p50_ms']:.2f} ms, p99 {found['encode']['p99_ms']:.2f} ms.",
        "`bowerbird serve` with 100,000 items until it is ready:",
        f"{start['first_s']:.1f} s the first time, vectors at hand; {start['again_s']:.1f} s after that.",
        "",
    ]


_COLUMNS = ("p50_ms", "p99_ms", "recall", "build_s", "load_s", "disk_bytes", "memory_bytes")
_HEAD = ("engine", "how", "p50 ms", "p99 ms", "recall", "build s", "load s", "bytes on disk", "bytes in memory")


def _engines(rows: Mapping[str, Any]) -> list[str]:
    lines = []
    for group in dict.fromkeys(row["group"] for row in rows.values()):
        cells: list[list[Cell]] = []
        for name, row in rows.items():
            if row["group"] == group:
                how = f"failed: {row['failed']}" if "failed" in row else row["stated"]
                cells.append([name, how, *(_cell(row, column) for column in _COLUMNS)])
        lines += [f"**{group}**", "", *table(_HEAD, cells), ""]
    return lines[:-1]


def _cell(row: Mapping[str, Any], column: str) -> Cell:
    if column not in row:
        return ""
    return f"{row[column]:,.0f}" if column.endswith("bytes") else float(row[column])


def summary(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The table of the README: median times, by size what `measure` has found."""
    rows: list[list[Cell]] = []
    for name in ENGINES:
        measured = [each["engines"].get(name) for each in found.values()]
        if any(measured):
            rows.append([name, *(_median(row) for row in measured)])
    return table(["engine", *(f"{SIZES[size]:,} items, p50 ms" for size in found)], rows)


def _median(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    if "failed" in row:
        return "failed"
    return f"{row['p50_ms']:.2f}" + (f" (recall {row['recall']:.2f})" if "recall" in row else "")
