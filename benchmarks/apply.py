"""Where the time of an upsert goes: how long each follower of the catalogue takes to apply a small batch of changes."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from app.indexing.indexer import tell, told_of
from app.service import Service
from app.settings import load_settings
from app.wiring.service import build_service
from benchmarks.catalogue import SyntheticItems
from benchmarks.data_directory import fill
from benchmarks.feed import Feed
from core.catalogue import Indexed, same_words

_BATCHES = 30


def profile(folder: Path, items: SyntheticItems, *, batch: int, labelled: bool) -> dict[str, dict[str, float]]:
    """Part -> seconds to build it from all items, and milliseconds of a batch; `put`: storing the batch.

    `cpu_ms`, the mean over all threads, is what a busy machine leaves as it is.
    """
    service = build_service(load_settings(overrides={"service": {"data_dir": str(folder)}}))
    try:
        builds = _build(service)
        feed = Feed(items, seed=2, rewritten=0.0, labelled=labelled)
        times: dict[str, list[_Took]] = {}
        for _ in range(_BATCHES):
            changed = feed.batch(batch)
            times.setdefault("put", []).append(_timed(partial(service.catalogue.put, changed)))
            before = {item.id: service.items[item.id] for item in changed}
            same = {item.id for item in changed if same_words(before[item.id], item)}
            for name, follower in _followers(service):
                told = told_of(follower, changed, before, same)
                times.setdefault(name, []).append(_timed(partial(tell, told, [])))
    finally:
        service.close()
    return {
        name: {
            "build_s": builds.get(name, 0.0),
            "p50_ms": statistics.median(each.wall_ms for each in took),
            "max_ms": max(each.wall_ms for each in took),
            "cpu_ms": statistics.fmean(each.cpu_ms for each in took),
        }
        for name, took in times.items()
    }


class _Took(NamedTuple):
    wall_ms: float
    cpu_ms: float


def _build(service: Service) -> dict[str, float]:
    took: dict[str, float] = {}
    done = 0
    while (changes := service.catalogue.changes(done, 2_000)).sequence > done:
        for name, follower in _followers(service):
            spent = _timed(partial(follower.apply, changes.upserts, changes.deletes))
            took[name] = took.get(name, 0.0) + spent.wall_ms / 1000
        done = changes.sequence
    return took


def _timed(run: Callable[[], object]) -> _Took:
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return _Took((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)


def _followers(service: Service) -> Sequence[tuple[str, Indexed]]:
    # The indexer keeps them to itself, and nobody but a profile needs to see them.
    return list(service.indexer._followers.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--labelled", action="store_true", help="stock as a label of its own, not as a number")
    options = parser.parse_args()
    items = SyntheticItems(options.items, 1)
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), items)
        print(json.dumps(profile(Path(folder), items, batch=options.batch, labelled=options.labelled), indent=1))


if __name__ == "__main__":
    main()
