"""How fast the whole is: HTTP, policy, three or more arms a query, ranker, impressions logged durably.

`make bench-serve` writes benchmarks/results/serve.json, a picture beside it, and docs/benchmarks/serve.md. A process of
its own asks, on loopback. `--only` runs some sections and keeps what the file has of the others; without it, all run,
of the sizes those that `--sizes` names: a million items take long to be filled in and indexed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evidence import RESULTS, Evidence, Section
from benchmarks.serve import beside, crash, feedback, size
from benchmarks.serve.growth import PICTURE, growth
from benchmarks.serve.run import SIZES, Run

_WANTED = {
    "100k.p50_ms": "8 or less",
    "100k.p99_ms": "20 or less",
    "100k.qps": "250 or more",
    "100k.qps_repeated": "350 or more",
    "1m.p50_ms": "15 or less",
    "1m.p99_ms": "40 or less",
    "1m.rss_gib": "less than 6",
    "events.per_s": "5,000 or more",
    "events.search_p99_ms": "less than 40",
    "events.missing": "0",
    "lancedb.ratio": "3 or more",
    "milvus.ratio": "3 or more",
    "postgres_fts.ratio": "reported",
    "postgres_fts.any_word.ratio": "reported",
    "crash.sqlite.rounds": "200",
    "crash.postgres.rounds": "200",
    "crash.lost": "0",
}


def evidence(run: Run) -> Evidence:
    sections = {name: Section(partial(size.measure, run, name), size.section) for name in SIZES}
    return Evidence(
        name="serve",
        title="Speed of the whole",
        sections={
            **sections,
            "events": Section(partial(feedback.measure, run), feedback.section),
            "rivals": Section(partial(beside.measure, run), beside.section),
            "crash": Section(crash.measure, _and_growth),
        },
        wanted=_WANTED,
    )


def _and_growth(found: Mapping[str, Any]) -> Sequence[str]:
    return [*crash.section(found), f"## Growth\n![](../../benchmarks/results/{PICTURE})\n"]


def main() -> None:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    options.add_argument("--at", choices=list(SIZES), default="100k", help="size for feedback and rivals")
    options.add_argument("--seconds", type=float, default=30.0, help="of each load")
    options.add_argument("--port", type=int, default=8794)
    options.add_argument(
        "--keep", type=Path, default=None, help="a folder for prepared data; used again when it is there"
    )
    given, _ = options.parse_known_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        run = Run(given.keep or Path(made), given.seconds, given.at, given.port)
        usual = [*given.sizes, "events", "rivals", "crash"]
        sections = evidence(run).main(__doc__, options, usual)
    if sizes := [sections[name] for name in SIZES if name in sections]:
        growth(sizes, RESULTS / PICTURE)


if __name__ == "__main__":
    main()
