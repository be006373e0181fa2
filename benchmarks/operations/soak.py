"""Memory and disk while people search and click, and the learner learns."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.operations.load import ITEMS, Visits, served
from benchmarks.tables import table
from feedback.sqlite_store import SqliteEventStore

_WARM_S, _SOAK_S, _EVERY_S = 40.0, 80.0, 5.0


def measure() -> dict[str, Any]:
    visits, sizes = Visits(), []
    with served() as server:
        with server.visited(visits):
            time.sleep(_WARM_S)
            warm = server.resident_bytes()
            until = time.monotonic() + _SOAK_S
            while time.monotonic() < until:
                time.sleep(_EVERY_S)
                sizes.append(server.resident_bytes())
        store = SqliteEventStore(server.folder / "events.sqlite")
        counts = store.counts()
        store.close()
        events = counts["impressions"] + counts["feedback"]
        log_bytes = sum(path.stat().st_size for path in server.folder.glob("events.sqlite*"))
    return {
        "visits": visits.figures(),
        "warm_mib": warm / 2**20,
        "end_mib": sizes[-1] / 2**20,
        "most_mib": max(sizes) / 2**20,
        "events": events,
        "figures": {
            "soak.growth": sizes[-1] / warm - 1,
            "soak.failed": len(visits.failures),
            "soak.gib_per_million_events": log_bytes / events * 1e6 / 2**30,
        },
    }


def section(found: Mapping[str, Any]) -> Sequence[str]:
    rows = [
        [f"resident after {_WARM_S:g} s, MiB", f"{found['warm_mib']:.0f}"],
        [f"resident {_SOAK_S:g} s later, MiB", f"{found['end_mib']:.0f}"],
        ["searches", found["visits"]["searches"]],
        ["rows of the log (searches and clicks)", found["events"]],
    ]
    return [
        "## Memory and disk",
        f"The service's process with {ITEMS:,} items, while it is searched and learns; its learner is another process.",
        "",
        *table(["what", ""], rows),
        "",
    ]
