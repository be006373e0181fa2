"""Beside engines that learn nothing: the same items and queries, in the same run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.catalogue import SyntheticItems, title_queries
from benchmarks.contest import contest
from benchmarks.engine import DEPTH, QUERIES
from benchmarks.rivals import versions
from benchmarks.serve.postgres import full_text
from benchmarks.serve.prepare import SEED
from benchmarks.serve.run import SIZES, Run, load
from benchmarks.serve.size import RATE
from benchmarks.tables import Cell, table

_HYBRIDS = {"lancedb": "LanceDB hybrid", "milvus": "milvus-lite hybrid"}
_LIMIT_S = 3_600.0


def measure(run: Run) -> dict[str, Any]:
    """`*.ratio`: the other engine's p50 over that of a search over HTTP, at 50 a second."""
    count = SIZES[run.at]
    items = SyntheticItems(count, SEED)
    texts = title_queries(items, QUERIES, SEED)  # those that a contest asks
    (warm,) = run.texts(run.at, [RATE], 41)
    with run.server(run.at) as (server, _):
        load(server, warm, rate=RATE, seconds=run.seconds)
        ours = load(server, texts, rate=RATE, seconds=QUERIES / RATE, warm=0)
    postgres = full_text(items, texts)
    print(json.dumps({"postgres": postgres}), file=sys.stderr, flush=True)
    rows = contest(_HYBRIDS.values(), count, SEED, _LIMIT_S, cores=os.cpu_count() or 1)
    times = {name: rows[engine].get("p50_ms") for name, engine in _HYBRIDS.items()}
    times["postgres_fts"] = postgres.get("all_words", {}).get("p50_ms")
    times["postgres_fts.any_word"] = postgres.get("any_word", {}).get("p50_ms")
    return {
        "items": count,
        "ours": ours,
        "rivals": rows,
        "postgres": postgres,
        "versions": versions(),
        "figures": {f"{name}.ratio": took / ours["p50_ms"] for name, took in times.items() if took is not None},
    }


def section(found: Mapping[str, Any]) -> Sequence[str]:
    rows: list[list[Cell]] = [_line("Bowerbird: HTTP, policy, arms, ranker, durable log", found["ours"])]
    rows += [_line(f"{name}: {row['stated']}", row) for name, row in found["rivals"].items()]
    postgres = found["postgres"]
    rows += [
        _line(f"PostgreSQL full text, {words.replace('_', ' ')}", {**postgres, **postgres.get(words, {})})
        for words in ("all_words", "any_word")
    ]
    return [
        "## Beside other engines",
        f"{found['items']:,} items, the same {QUERIES} queries. The others are asked one query after another within "
        f"the asking process (PostgreSQL by a socket), for {DEPTH} ids, on all cores, with query vectors at hand. "
        "Bowerbird is asked over HTTP at 50 a second by a process that shares its cores, encodes every query, decides "
        "which arms to ask, orders, logs, and answers with ten items. Made-up vectors of items differ, their number "
        "and length do not. PostgreSQL finds few items that hold all words of a query, and ranks many that hold any of "
        "them, as the others do.",
        "",
        *table(["engine", "p50 ms", "p99 ms"], rows),
        "",
    ]


def _line(name: str, row: Mapping[str, Any]) -> list[Cell]:
    if "p50_ms" not in row:
        return [name, str(row.get("failed", "failed")), ""]
    return [name, f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}"]
