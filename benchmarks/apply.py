"""Where the time of an upsert goes: how long each follower of the catalogue takes to apply a small batch of changes."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.service import Service
from app.settings import load_settings
from app.wiring import build_service
from benchmarks.catalogue import SyntheticItems
from benchmarks.data_directory import fill
from benchmarks.feed import Feed
from core.protocols import Indexed

_BATCHES = 30


def profile(folder: Path, items: SyntheticItems, *, batch: int) -> dict[str, dict[str, float]]:
    """Part -> milliseconds to build it from all items, and p50 and the worst of a batch; `put`: storing the batch."""
    service = build_service(load_settings(overrides={"service": {"data_dir": str(folder)}}))
    try:
        builds = _build(service)
        feed = Feed(items, seed=2, rewritten=0.0)
        times: dict[str, list[float]] = {}
        for _ in range(_BATCHES):
            changed = feed.batch(batch)
            times.setdefault("put", []).append(_timed(lambda: service.catalogue.put(changed)))  # noqa: B023
            for name, follower in _followers(service):
                times.setdefault(name, []).append(_timed(lambda: follower.apply(changed, [])))  # noqa: B023
    finally:
        service.close()
    return {
        name: {"build_ms": builds.get(name, 0.0), "p50_ms": statistics.median(taken), "max_ms": max(taken)}
        for name, taken in times.items()
    }


def _build(service: Service) -> dict[str, float]:
    took: dict[str, float] = {}
    done = 0
    while (changes := service.catalogue.changes(done, 2_000)).sequence > done:
        for name, follower in _followers(service):
            took[name] = took.get(name, 0.0) + _timed(lambda: follower.apply(changes.upserts, []))  # noqa: B023
        done = changes.sequence
    return took


def _followers(service: Service) -> Sequence[tuple[str, Indexed]]:
    # The indexer keeps them to itself, and nobody but a profile needs to see them.
    return list(service.indexer._followers.items())


def _timed(run: object) -> float:
    started = time.perf_counter()
    assert callable(run)
    run()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=50)
    options = parser.parse_args()
    items = SyntheticItems(options.items, 1)
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), items)
        print(json.dumps(profile(Path(folder), items, batch=options.batch), indent=1))


if __name__ == "__main__":
    main()
