"""Searches while a feed changes the catalogue: how many changes a second go in, how soon they are found, at what cost.

`make bench-upserts` writes benchmarks/results/upserts.json and docs/benchmarks/upserts.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import httpx
import orjson

from benchmarks.catalogue import SyntheticItems, title_queries
from benchmarks.data_directory import fill
from benchmarks.feed import Feed, body
from benchmarks.loop import ROOT, commit, serving
from benchmarks.serve.run import asked
from benchmarks.serve.server import module
from benchmarks.tables import table
from benchmarks.timing import percentiles
from core.types import Item

_BATCH = 50
_SENDERS = 16  # as many batches are on their way at once
_REWRITTEN = 0.01
_LOOKED_AFTER = 4  # of so many batches, whether one's new prices are found: looking is a load of its own
_SEARCHES_PER_S = 20
_SETTLED_S = 20.0  # of searches that do not count: after a start, rows of items are still read ahead
_STALE_S = 30.0  # after its sending, a change that is not found is given up


@dataclass
class Load:
    """What was measured of the feed. Threads append; lists of Python take that."""

    stored: list[int] = field(default_factory=list)
    put_ms: list[float] = field(default_factory=list)
    late_s: dict[str, list[float]] = field(default_factory=lambda: {"text": [], "attribute": []})
    lost: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def upserts(address: str, items: SyntheticItems, *, rate: int, seconds: float) -> dict[str, Any]:
    """Quiet searches first, then others like them while `rate` changes a second are sent for so long."""
    texts = title_queries(items, 2 * int(_SEARCHES_PER_S * (seconds + _SETTLED_S)), 7)
    load = Load()
    with _searching(address, texts[::2], seconds + _SETTLED_S, warm=_SETTLED_S) as quiet:
        pass
    with _searching(address, texts[1::2], seconds, warm=0.0) as busy:
        took = _feed(address, Feed(items, seed=3, rewritten=_REWRITTEN), load, rate=rate, seconds=seconds)
    late = sorted([*load.late_s["text"], *load.late_s["attribute"]])
    return {
        "quiet": quiet,
        "busy": busy,
        "put": percentiles(load.put_ms),
        "stored": sum(load.stored),
        "seconds": took,
        "checked": {name: len(found) for name, found in load.late_s.items()},
        "latest_s": {name: max(found, default=None) for name, found in load.late_s.items()},
        "lost": load.lost,
        "failures": [*quiet["wrong"], *busy["wrong"], *load.failures],
        "figures": {
            "upserts.per_s": sum(load.stored) / took,
            "upserts.stale_s": late[-1] if late and not load.lost else _STALE_S,
            "upserts.p99_ratio": busy["p99_ms"] / quiet["p99_ms"],
        },
    }


@contextmanager
def _searching(address: str, texts: Sequence[str], seconds: float, *, warm: float) -> Iterator[dict[str, Any]]:
    """People who search, each with a query of their own, from a process of their own; empty until the end. Those of the
    first `warm` seconds do not count.

    In the process of the feed they would wait for its threads, and that would count.
    """
    found: dict[str, Any] = {}
    with asked(texts) as file:
        command = module("load", url=address, queries=file, rate=_SEARCHES_PER_S, seconds=seconds, warm=warm)
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as people:
            yield found
            found |= json.loads(people.communicate()[0])


@contextmanager
def _running(threads: Sequence[Thread]) -> Iterator[None]:
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def _feed(address: str, feed: Feed, load: Load, *, rate: int, seconds: float) -> float:
    """Send batches on time, however long the answers take; the seconds until the last one is answered."""
    batches: Queue[list[Item] | None] = Queue()
    looked_for: Queue[tuple[Item, float] | None] = Queue()
    number = count()

    def send() -> None:
        with httpx.Client(base_url=address, timeout=300) as client:
            while (batch := batches.get()) is not None:
                sent = time.perf_counter()
                _put(client, batch, load)
                for item in _worth_checking(batch, next(number)):
                    looked_for.put((item, sent))

    started = time.perf_counter()
    checkers = [Thread(target=_check, args=(address, looked_for, load)) for _ in range(2)]
    with _running(checkers):
        with _running([Thread(target=send) for _ in range(_SENDERS)]):
            for n in range(int(rate * seconds / _BATCH)):
                time.sleep(max(0.0, started + n * _BATCH / rate - time.perf_counter()))
                if time.perf_counter() - started > seconds:
                    break
                if batches.qsize() < _SENDERS:  # a feed that is behind leaves batches out, and the rate tells
                    batches.put(feed.batch(_BATCH))
            for _ in range(_SENDERS):
                batches.put(None)
        took = time.perf_counter() - started
        for _ in checkers:
            looked_for.put(None)
    return took


def _put(client: httpx.Client, batch: Sequence[Item], load: Load) -> None:
    started = time.perf_counter()
    answer = client.put("/v1/items", content=orjson.dumps([body(item) for item in batch]))
    load.put_ms.append((time.perf_counter() - started) * 1000)
    if answer.status_code == 200:
        load.stored.append(answer.json()["stored"])
    else:
        load.failures.append(answer.text[:200])


def _worth_checking(batch: Sequence[Item], number: int) -> list[Item]:
    """The rewritten ones, and of some batches the first."""
    rewritten = [item for item in batch if "fresh" in item.fields["title"]]
    return rewritten if number % _LOOKED_AFTER else [*rewritten, batch[0]]


def _check(address: str, looked_for: Queue[tuple[Item, float] | None], load: Load) -> None:
    with httpx.Client(base_url=address, timeout=60) as client:
        while (found := looked_for.get()) is not None:
            item, sent = found
            kind = "text" if "fresh" in item.fields["title"] else "attribute"
            while not (there := _is_found(client, item, kind)) and time.perf_counter() - sent < _STALE_S:
                time.sleep(0.05)
            if there:
                load.late_s[kind].append(time.perf_counter() - sent)
            else:
                load.lost.append(item.id)


def _is_found(client: httpx.Client, item: Item, kind: str) -> bool:
    """By the new word, or by a title word under a filter for the new stock, with the new price."""
    word = item.fields["title"].split()[-1]
    wanted: dict[str, Any] = {"query": word, "plan": "lexical", "preview": True, "size": 1}
    if kind == "attribute":
        wanted["filters"] = {"stock": list(item.attributes["stock"])}
    hits = client.post("/v1/search", json=wanted).raise_for_status().json()["hits"]
    return bool(hits) and hits[0]["id"] == item.id and hits[0]["numbers"]["price"] == item.numbers["price"]


def page(result: Mapping[str, Any]) -> str:
    """The page in docs/, generated from the JSON."""
    found, figures = result["upserts"], result["upserts"]["figures"]
    rows: list[list[str | float]] = [
        ["changes sent per second", result["rate"]],
        ["changes stored per second", figures["upserts.per_s"]],
        ["PUT of 50, p50 ms", found["put"]["p50_ms"]],
        ["PUT of 50, p99 ms", found["put"]["p99_ms"]],
        ["search, quiet, p50 ms", found["quiet"]["p50_ms"]],
        ["search, quiet, p99 ms", found["quiet"]["p99_ms"]],
        ["search, busy, p50 ms", found["busy"]["p50_ms"]],
        ["search, busy, p99 ms", found["busy"]["p99_ms"]],
        ["busy p99 / quiet p99", figures["upserts.p99_ratio"]],
        ["latest change found after, s", figures["upserts.stale_s"]],
        ["changes looked for and not found", float(len(found["lost"]))],
        ["failed requests", float(len(found["failures"]))],
    ]
    return "\n".join(
        [
            "# Searching while the catalogue changes",
            "",
            "Generated by `make bench-upserts`; do not edit.",
            f"{result['date']}, commit {result['commit']}, {result['machine']['cores']} cores, "
            f"{result['items']} synthetic items, service and clients on this machine.",
            "",
            "Changes are what a shop's feed sends: new prices, popularity and stock, whose vectors are at hand; one in",
            "a hundred is a new title, to be encoded. A thousand new texts a second could not be: the encoder does",
            f"some 60 on two cores. {_SENDERS} senders have a PUT of {_BATCH} on its way each, as a feed does: a PUT",
            "answers when its items are found, and those that come together are applied together. How soon a change is",
            f"found counts from the sending of its PUT. {_SEARCHES_PER_S} searches a second come from a process of",
            "their own, each for something else.",
            "",
            *table(["what", ""], rows),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    # More than the thousand that is asked for: the time counts until the last answer, and a feed that is behind leaves
    # batches out.
    parser.add_argument("--rate", type=int, default=1_060, help="changes per second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--port", type=int, default=8793)
    options = parser.parse_args()
    items = SyntheticItems(options.items, 1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        fill(Path(folder), items)
        with serving(Path(folder), options.port):
            address = f"http://127.0.0.1:{options.port}"
            found = upserts(address, items, rate=options.rate, seconds=options.seconds)
    result = {
        "figures": found["figures"],
        "upserts": found,
        "items": options.items,
        "rate": options.rate,
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }
    target = ROOT / "benchmarks" / "results" / "upserts.json"
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (ROOT / "docs" / "benchmarks" / "upserts.md").write_text(page(result), encoding="utf-8")
    print(json.dumps(result["figures"], indent=1))


if __name__ == "__main__":
    main()
