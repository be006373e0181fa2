"""A copy of a service that has learned, restored elsewhere: the same answers to 1,000 queries."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.operating.backup import export, restore
from app.service import Service, new_query_id
from app.settings import load_settings
from app.wiring.learning import build_learning
from app.wiring.service import build_service
from benchmarks.catalogue import SyntheticItems, title_queries
from benchmarks.data_directory import fill
from benchmarks.operations.load import ITEMS
from core.episodes import EventId, Feedback
from core.types import Query, QueryId

_QUERIES, _CLICKED = 1_000, 300


def measure() -> dict[str, Any]:
    items = SyntheticItems(ITEMS, 1)
    texts = title_queries(items, _QUERIES, 7)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        first, second, copy = (Path(made) / name for name in ("first", "second", "copy.tar"))
        first.mkdir()
        fill(first, items)
        service = _started(first)
        _learn(service, first, texts)
        service.close()
        # Both newly started: the policy looks at what a process has at hand, such as vectors of recent queries.
        service = _started(first)
        before = _top(service, texts)
        service.close()
        started = time.perf_counter()
        export(load_settings(overrides={"service": {"data_dir": str(first)}}), None, copy)
        export_s = time.perf_counter() - started
        started = time.perf_counter()
        restore(copy, second)
        restore_s = time.perf_counter() - started
        (second / "cache").symlink_to(first / "cache")
        again = _started(second)
        after, release = _top(again, texts), again.serving.release
        again.close()
        size = copy.stat().st_size
    differing = sum(one != other for one, other in zip(before, after, strict=True))
    return {
        "release": release,
        "copy_mib": size / 2**20,
        "export_s": export_s,
        "restore_s": restore_s,
        "figures": {"restore.queries": len(texts), "restore.differing": differing},
    }


def section(found: Mapping[str, Any]) -> Sequence[str]:
    figures = found["figures"]
    return [
        "## Export and restore",
        f"{ITEMS:,} items, release {found['release']} learned from {_CLICKED} clicked searches; a copy of "
        f"{found['copy_mib']:.0f} MiB in {found['export_s']:.1f} s, back in {found['restore_s']:.1f} s. Of "
        f"{figures['restore.queries']:,} queries, {figures['restore.differing']} have another top 10.",
        "",
    ]


def _started(folder: Path) -> Service:
    service = build_service(load_settings(overrides={"service": {"data_dir": str(folder), "learner": False}}))
    service.start()
    return service


def _learn(service: Service, folder: Path, texts: Sequence[str]) -> None:
    for n, text in enumerate(texts[:_CLICKED]):
        page = service.search(Query(new_query_id(), text, service.clock(), client_id=f"c{n % 50}"))
        chosen = page.impression.shown[n % min(3, len(page.impression.shown))]
        click = Feedback(EventId(f"e{n}"), page.impression.query.id, chosen, "click", service.clock(), service.clock())
        service.record([click])
    learning = build_learning(load_settings(overrides={"service": {"data_dir": str(folder)}}))
    learning.step(service.clock() + 1_000)
    learning.close()
    service.reload()


def _top(service: Service, texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Ids and times are given, so that nothing but data and models can differ."""
    return [
        service.search(Query(QueryId(f"q{n}"), text, 2e9), preview=True).impression.shown
        for n, text in enumerate(texts)
    ]
