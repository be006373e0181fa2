"""A real server on synthetic items, and visitors who search and click all the time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import httpx

from benchmarks.catalogue import SyntheticItems, title_queries
from benchmarks.data_directory import fill
from benchmarks.loop import ROOT
from benchmarks.timing import percentiles

ITEMS = 5_000
_VISITORS, _PAUSE_S = 2, 0.02
_PORT = 8793


@dataclass
class Visits:
    """What visitors met. Threads append; lists of Python take that."""

    search_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        return {**percentiles(self.search_ms), "searches": len(self.search_ms), "failed": len(self.failures)}


@dataclass(frozen=True, slots=True)
class Server:
    """A running one; `folder` is its data directory, `config` its configuration's file."""

    process: subprocess.Popen[bytes]
    folder: Path
    config: Path
    url: str
    texts: Sequence[str]

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return 1024 * int(status.split("VmRSS:")[1].split()[0])

    @contextmanager
    def visited(self, visits: Visits) -> Iterator[None]:
        """While people search, click on the first hit, and pause for a moment."""
        stop = Event()
        threads = [Thread(target=self._visit, args=(n, stop, visits)) for n in range(_VISITORS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _visit(self, first: int, stop: Event, visits: Visits) -> None:
        n = first
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not stop.wait(_PAUSE_S):
                n += _VISITORS
                asked = {"query": self.texts[n % len(self.texts)], "client_id": f"c{n % 50}"}
                started = time.perf_counter()
                answer = client.post("/v1/search", json=asked)
                visits.search_ms.append((time.perf_counter() - started) * 1000)
                if answer.status_code != 200:
                    visits.failures.append(answer.text[:200])
                elif n % 3 == 0 and (hits := answer.json()["hits"]):
                    self._click(client, answer.json()["query_id"], hits[0]["id"], visits)

    def _click(self, client: httpx.Client, query_id: str, item_id: str, visits: Visits) -> None:
        told = {"object": {"object_id": item_id}, "position": {"ordinal": 1}}
        taken = client.post("/v1/events", json={"action_name": "click", "query_id": query_id, "event_attributes": told})
        if taken.status_code != 200:
            visits.failures.append(taken.text[:200])


@contextmanager
def served(config: str = "") -> Iterator[Server]:
    """Ready, with ITEMS items, its learner beside it."""
    items = SyntheticItems(ITEMS, 1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        folder = Path(made)
        fill(folder, items)
        file = folder / "config.toml"
        file.write_text(config)
        options = ["--config", str(file), "--data-dir", made]
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *options, "serve", "--port", str(_PORT)], cwd=ROOT, env=os.environ
        )
        server = Server(process, folder, file, f"http://127.0.0.1:{_PORT}", title_queries(items, 2_000, 7))
        try:
            _wait(server)
            yield server
        finally:
            process.terminate()
            process.wait()


def _wait(server: Server) -> None:
    while server.process.poll() is None:
        try:
            if httpx.get(f"{server.url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server ended")
