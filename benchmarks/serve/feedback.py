"""Acknowledged, durable feedback a second, while people search."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.loop import ROOT
from benchmarks.serve.events import BATCH
from benchmarks.serve.run import SIZES, Run, asked, load
from benchmarks.serve.server import Server, module
from benchmarks.serve.size import RATE
from benchmarks.tables import Cell, table
from feedback.sqlite_store import SqliteEventStore

_PAGES = 1_000  # searches whose hits the events speak of
_PACES: Sequence[Mapping[str, float]] = (
    {"rate": 55.0, "connections": 4},
    {"connections": 1},
    {"connections": 2},
    {"connections": 4},
)
_P99_MS = 40.0


def measure(run: Run) -> dict[str, Any]:
    """A steady pace above what is wanted, then as many batches as are acknowledged."""
    *searched, clicked = run.texts(run.at, [RATE] * len(_PACES) + [_PAGES / run.seconds + 1], 31)
    with run.server(run.at) as (server, _):
        loads = [_one(server, run, clicked[:_PAGES], texts, pace) for texts, pace in zip(searched, _PACES, strict=True)]
    best = _best(loads)
    return {
        "items": SIZES[run.at],
        "load_s": run.seconds,
        "loads": loads,
        "figures": {
            "events.per_s": best["events"]["events_per_s"],
            "events.search_p99_ms": best["searches"]["p99_ms"],
            "events.missing": sum(each["missing"] for each in loads),
        },
    }


def _one(
    server: Server, run: Run, clicked: Sequence[str], texts: Sequence[str], pace: Mapping[str, float]
) -> dict[str, Any]:
    """`missing`: acknowledged ones that the log does not have."""
    server.settle(time.time())
    before = _stored(server)
    with asked(clicked) as file:
        # Longer than the searches by what these need to start, so that all of them have feedback beside them.
        command = module("events", url=server.url, queries=file, seconds=run.seconds + 2, **pace)
        sending = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with sending:
            assert sending.stdin
            assert sending.stdout
            sending.stdout.readline()  # it has what it needs
            sending.stdin.write("\n")
            sending.stdin.flush()
            searches = load(server, texts, rate=RATE, seconds=run.seconds)
            events = json.loads(sending.stdout.readline() or "{}")
    if sending.returncode or "acknowledged" not in events:
        raise RuntimeError(f"the events' process ended with status {sending.returncode}")
    missing = events["acknowledged"] - (_stored(server) - before)
    return {"events": events, "searches": searches, "missing": max(0, missing)}


def _best(loads: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The most events of those loads under which searches are quick and nothing failed; else the steady pace."""
    good = [
        each
        for each in loads
        if each["searches"]["p99_ms"] < _P99_MS and not each["events"]["errors"] + each["searches"]["errors"]
    ]
    return max(good or loads[:1], key=lambda each: each["events"]["events_per_s"])


def _stored(server: Server) -> int:
    store = SqliteEventStore(server.folder / "events.sqlite")
    try:
        return int(store.counts()["feedback"])
    finally:
        store.close()


def section(found: Mapping[str, Any]) -> Sequence[str]:
    rows: list[list[Cell]] = [
        [f"{each['events']['rate']:g} batches a second" if each["events"]["rate"] else "as many as acknowledged",
         str(each["events"]["connections"]), f"{each['events']['events_per_s']:,.0f}",
         str(each["events"]["errors"] + each["searches"]["errors"]), str(each["missing"]),
         f"{each['searches']['p50_ms']:.1f}", f"{each['searches']['p99_ms']:.1f}"]
        for each in found["loads"]
    ]  # fmt: skip
    return [
        "## Feedback",
        f"{found['items']:,} items; batches of {BATCH} events, a tenth of them clicks, with 50 searches a second "
        f"beside them, for {found['load_s']:g} s. An event counts when it was acknowledged, which is after it is on "
        f"disk; missing are those that the log does not have. The figures are those of the most events whose searches "
        f"stay below {_P99_MS:g} ms at p99, or of the steady pace where no load's do. The learner learns "
        "from these clicks meanwhile, and trains a ranker.",
        "",
        *table(["load", "connections", "events a second", "errors", "missing", "searches p50 ms", "p99 ms"], rows),
        "",
    ]
