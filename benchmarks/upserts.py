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
_FEEDS = {"as figures": False, "as a label": True}  # how the stock of an item comes
_STALE_S = 30.0  # after its sending, a change that is not found is given up


@dataclass
class Load:
    """What was measured of the feed. Threads append; lists of Python take that."""

    stored: list[int] = field(default_factory=list)
    put_ms: list[float] = field(default_factory=list)
    late_s: dict[str, list[float]] = field(default_factory=lambda: {"text": [], "figures": []})
    lost: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def upserts(address: str, items: SyntheticItems, *, rate: int, seconds: float, labelled: bool) -> dict[str, Any]:
    """Quiet searches first, then others like them while `rate` changes a second are sent for so long."""
    texts = title_queries(items, 2 * int(_SEARCHES_PER_S * (seconds + _SETTLED_S)), 7)
    load = Load()
    with _searching(address, texts[::2], seconds + _SETTLED_S, warm=_SETTLED_S) as quiet:
        pass
    with _searching(address, texts[1::2], seconds, warm=0.0) as busy:
        feed = Feed(items, seed=3, rewritten=_REWRITTEN, labelled=labelled)
        took = _feed(address, feed, load, rate=rate, seconds=seconds)
    late = sorted([*load.late_s["text"], *load.late_s["figures"]])
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
            "per_s": sum(load.stored) / took,
            "stale_s": late[-1] if late and not load.lost else _STALE_S,
            "p99_ratio": busy["p99_ms"] / quiet["p99_ms"],
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
            kind = "text" if "fresh" in item.fields["title"] else "figures"
            while not (there := _is_found(client, item, kind)) and time.perf_counter() - sent < _STALE_S:
                time.sleep(0.05)
            if there:
                load.late_s[kind].append(time.perf_counter() - sent)
            else:
                load.lost.append(item.id)


def _is_found(client: httpx.Client, item: Item, kind: str) -> bool:
    """By the new word, or by a title word under a filter for what only this change says, with the new price."""
    word = item.fields["title"].split()[-1]
    wanted: dict[str, Any] = {"query": word, "plan": "lexical", "preview": True, "size": 1}
    if kind == "figures" and "changed" in item.numbers:
        wanted["filters"] = {"changed": {"from": item.numbers["changed"], "to": item.numbers["changed"]}}
    elif kind == "figures":
        wanted["filters"] = {"stock": list(item.attributes["stock"])}
    hits = client.post("/v1/search", json=wanted).raise_for_status().json()["hits"]
    return bool(hits) and hits[0]["id"] == item.id and hits[0]["numbers"]["price"] == item.numbers["price"]


def page(result: Mapping[str, Any]) -> str:
    """The page in docs/, generated from the JSON."""
    feeds = [result["upserts"][feed] for feed in _FEEDS]
    rows: list[list[str | float]] = [
        ["changes sent per second", *(result["rate"] for _ in feeds)],
        ["changes stored per second", *(found["figures"]["per_s"] for found in feeds)],
        ["PUT of 50, p50 ms", *(found["put"]["p50_ms"] for found in feeds)],
        ["PUT of 50, p99 ms", *(found["put"]["p99_ms"] for found in feeds)],
        ["search, quiet, p50 ms", *(found["quiet"]["p50_ms"] for found in feeds)],
        ["search, quiet, p99 ms", *(found["quiet"]["p99_ms"] for found in feeds)],
        ["search, busy, p50 ms", *(found["busy"]["p50_ms"] for found in feeds)],
        ["search, busy, p99 ms", *(found["busy"]["p99_ms"] for found in feeds)],
        ["busy p99 / quiet p99", *(found["figures"]["p99_ratio"] for found in feeds)],
        ["latest change found after, s", *(found["figures"]["stale_s"] for found in feeds)],
        ["changes looked for and not found", *(float(len(found["lost"])) for found in feeds)],
        ["failed requests", *(float(len(found["failures"])) for found in feeds)],
    ]
    return "\n".join(
        [
            "# Searching while the catalogue changes",
            "",
            "Generated by `make bench-upserts`; do not edit.",
            f"{result['date']}, commit {result['commit']}, {result['machine']['cores']} cores, "
            f"{result['items']} synthetic items, service and clients on this machine.",
            "",
            "Changes are what a shop's feed sends all day: new prices, popularity and stock. As figures, they leave",
            "what an item says alone. As a label, the stock of every change is a value of an attribute that no item",
            "had before, which is the worst that a feed can send without new texts: everything that reads words has to",
            "take it in. In both, one change in a hundred is a new title, to be encoded; a thousand new texts a second",
            "could not be: the encoder does some 60 on two cores. The other vectors are at hand.",
            "",
            f"{_SENDERS} senders have a PUT of {_BATCH} on its way each: a PUT answers when its items are found, and",
            "those that come together are applied together. How soon a change is found counts from the sending of its",
            f"PUT. {_SEARCHES_PER_S} searches a second come from a process of their own, each for something else.",
            "",
            *table(["what", *_FEEDS], rows),
            "",
        ]
    )


def _measured(items: SyntheticItems, options: argparse.Namespace, *, labelled: bool) -> dict[str, Any]:
    """With one kind of feed, on a data directory of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        fill(Path(folder), items)
        with serving(Path(folder), options.port):
            address = f"http://127.0.0.1:{options.port}"
            return upserts(address, items, rate=options.rate, seconds=options.seconds, labelled=labelled)


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
    found = {feed: _measured(items, options, labelled=labelled) for feed, labelled in _FEEDS.items()}
    result = {
        "figures": {
            **{f"upserts.{name}": value for name, value in found["as figures"]["figures"].items()},
            **{f"upserts.labels.{name}": value for name, value in found["as a label"]["figures"].items()},
        },
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
