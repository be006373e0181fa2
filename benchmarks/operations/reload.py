"""The configuration changes every second while people search."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from benchmarks.operations.load import ITEMS, Visits, served
from benchmarks.tables import table

_WARM_S, _PART_S, _PARTS = 10.0, 8.0, 3


def measure() -> dict[str, Any]:
    """Quiet and changing parts in turn, so that what else the machine does falls on both."""
    steady, changing, changes = Visits(), Visits(), 0
    with served("[service]\nlearner = false\nreload_s = 0.1\n") as server:
        config = server.config.read_text()
        with server.visited(Visits()):
            time.sleep(_WARM_S)
        for _ in range(_PARTS):
            with server.visited(steady):
                time.sleep(_PART_S)
            with server.visited(changing):
                for _ in range(int(_PART_S)):
                    changes += 1
                    server.config.write_text(f"{config}[retrieval]\ndeadline_ms = {500.0 + changes}\n")
                    time.sleep(1.0)
        in_force = httpx.get(f"{server.url}/healthz").json()["needs_restart"] == []
    return {
        "steady": steady.figures(),
        "changing": changing.figures(),
        "changes": changes,
        "failures": [*steady.failures, *changing.failures],
        "figures": {
            "reload.failed": len(changing.failures) + (not in_force),
            "reload.p99_ratio": changing.figures()["p99_ms"] / steady.figures()["p99_ms"],
        },
    }


def section(found: Mapping[str, Any]) -> Sequence[str]:
    rows = [
        [name, found[name]["searches"], found[name]["failed"], f"{found[name]['p50_ms']:.1f}",
         f"{found[name]['p99_ms']:.1f}"]
        for name in ("steady", "changing")
    ]  # fmt: skip
    return [
        "## A changed configuration",
        f"{found['changes']} changes, one a second, with {ITEMS:,} items; two visitors who search, click and search.",
        "",
        *table(["", "searches", "failed", "p50 ms", "p99 ms"], rows),
        "",
    ]
