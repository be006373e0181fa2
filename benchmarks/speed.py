"""How fast every arm and its rivals are, on synthetic catalogues with a realistic vocabulary.

`python -m benchmarks.speed` prints the figures; benchmarks.arms stores them with the rest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
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


def speed(sizes: Sequence[str] = tuple(SIZES), *, limit_s: float, seed: int = 1) -> dict[str, Any]:
    """Rows of every engine by size, encoding and start-up, and the named figures of those."""
    engines = {
        size: contest(list(ENGINES) if SIZES[size] <= SIZES["100k"] else _LARGE, SIZES[size], seed, limit_s)
        for size in sizes
    }
    found = {"engines": engines, "encode": encode(seed), "rivals": versions()}
    found["start"] = start_up(SIZES["100k"], seed=seed)
    return {**found, "figures": figures(found)}


def encode(seed: int) -> dict[str, float]:
    """One query after another, in one thread."""
    queries = title_queries(SyntheticItems(1_000, seed), 200, seed)
    with tempfile.TemporaryDirectory() as folder:
        encoder = open_encoder(BUNDLED, Path(folder))
        return timed(lambda n: encoder.encode_queries([queries[n % len(queries)]]), 200)


def figures(found: Mapping[str, Any]) -> dict[str, float]:
    """By name, in milliseconds but for recall and seconds; what failed or was not measured is absent."""
    named = {"encode.p50_ms": found["encode"]["p50_ms"], "start.100k.seconds": found["start"]["again_s"]}
    for size, rows in found["engines"].items():
        for arm, name in (("lexical", f"lexical.{size}"), ("vector", f"vector.{size}")):
            named |= _named(rows, arm, name)
        if size == "100k":
            named |= _named(rows, "memory", "memory") | _named(rows, "structured", "structured")
    return {name if name.startswith("start") else f"speed.{name}": value for name, value in named.items()}


def _named(rows: Mapping[str, Any], arm: str, name: str) -> dict[str, float]:
    row = rows.get(f"Bowerbird {arm}", {})
    return {f"{name}.{what}": row[what] for what in ("p50_ms", "recall") if what in row}


def section(found: Mapping[str, Any]) -> list[str]:
    """The part of the page in docs/ about speed."""
    used = ", ".join(f"{name} {version}" for name, version in found["rivals"].items())
    lines = [
        "## Speed",
        "",
        "Synthetic items, each engine built in a process of its own, then opened and asked in another, on one core,",
        "one query at a time, warm, 100 results. Vector engines are given the query's vector. Bytes per item: of its",
        "files, and of memory after the queries. A load time near the build time: the engine, or this version of the",
        "arm, keeps no files and is built at every start. Recall: against comparing with all vectors.",
        "",
        f"Rivals: {used}.",
        "",
    ]
    for size, rows in found["engines"].items():
        lines += [f"### {SIZES[size]:,} items", "", *_engines(rows), ""]
    start = found["start"]
    lines += [
        "### Encoding and start",
        "",
        f"Encoding a query: p50 {found['encode']['p50_ms']:.2f} ms, p99 {found['encode']['p99_ms']:.2f} ms.",
        "`bowerbird serve` with 100,000 items until it is ready:",
        f"{start['first_s']:.1f} s the first time, vectors at hand; {start['again_s']:.1f} s after that.",
        "",
    ]
    return lines


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


def summary(found: Mapping[str, Any]) -> list[str]:
    """The table of the README: median times by size."""
    sizes = list(found["engines"])
    rows: list[list[Cell]] = []
    for name in ENGINES:
        measured = [found["engines"][size].get(name) for size in sizes]
        if any(measured):
            rows.append([name, *(_median(row) for row in measured)])
    return table(["engine", *(f"{SIZES[size]:,} items, p50 ms" for size in sizes)], rows)


def _median(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    if "failed" in row:
        return "failed"
    return f"{row['p50_ms']:.2f}" + (f" (recall {row['recall']:.2f})" if "recall" in row else "")
