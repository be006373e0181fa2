"""The real server as a process of its own, and a load of searches and clicks on it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from http_words import event
from served import free_port
from small_service import ITEMS

from app.settings import load_settings
from app.wiring.stores import open_catalogue

_START_S = 60.0


class Server:
    """`bowerbird serve` on ITEMS; `config` is its file, `log` what it has written to stderr."""

    def __init__(self, folder: Path, cache: Path, config: str = "") -> None:
        self.folder = folder
        (folder / "cache").symlink_to(cache)
        self.config = folder / "config.toml"
        self.config.write_text(config)
        catalogue = open_catalogue(load_settings(overrides={"service": {"data_dir": str(folder)}}))
        catalogue.put(ITEMS)
        catalogue.close()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "app.cli", "--config", str(self.config), "--data-dir", str(folder)]
        self._stderr = (folder / "log").open("w")
        command += ["serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stderr=self._stderr, process_group=0)

    def wait(self) -> Server:
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return self
            except httpx.TransportError:
                assert self.process.poll() is None, self.log
            time.sleep(0.05)
        raise AssertionError(self.log)

    def configure(self, text: str) -> None:
        """Replace the configuration as a whole: the server may look at any moment, and half a file is one, too."""
        written = self.config.with_suffix(".written")
        written.write_text(text)
        written.replace(self.config)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def lines(self) -> list[dict[str, Any]]:
        """Those of the log that are JSON."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def heard(self, words: str, *, count: int = 1) -> None:
        """Return when the log has these words so often."""
        until = time.monotonic() + 20
        while self.log.count(words) < count:
            assert time.monotonic() < until, self.log
            time.sleep(0.02)

    def resident_bytes(self) -> int:
        """Of the server's process (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return 1024 * int(status.split("VmRSS:")[1].split()[0])

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def ctrl_c(self) -> None:
        """What a terminal does: it signals the process and every child that is of its group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._stderr.close()


class Load:
    """Visitors who search and click, one after the other, until the port is closed or they are stopped."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.searches = 0
        self.clicked: list[str] = []  # ids of acknowledged events
        self.failed: list[str] = []
        self.took_s: list[float] = []

    @contextmanager
    def running(self, visitors: int = 4) -> Iterator[Load]:
        threads = [threading.Thread(target=self._visit, args=(n,)) for n in range(visitors)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def goes_on(self, searches: int) -> None:
        """Return after so many more."""
        wanted, until = self.searches + searches, time.monotonic() + 60
        while self.searches < wanted:
            assert time.monotonic() < until, self.failed
            time.sleep(0.01)

    def _visit(self, visitor: int) -> None:
        while not self._stop.is_set():
            # A connection for each visit: a server that stops may close one that is idle.
            with httpx.Client(base_url=self._url, timeout=30) as http:
                try:
                    self._search_and_click(http, visitor)
                except httpx.ConnectError:
                    return  # nobody listens any more: no request was lost
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))

    def _search_and_click(self, http: httpx.Client, visitor: int) -> None:
        began = time.perf_counter()
        found = http.post(
            "/v1/search", json={"query": "love", "client_id": f"c{visitor}"}, headers={"Connection": "close"}
        )
        self.took_s.append(time.perf_counter() - began)
        if found.status_code != 200 or not found.json()["hits"]:
            self.failed.append(found.text)
            return
        self.searches += 1
        answer = found.json()
        click = event(answer, answer["hits"][0]["id"], event_id=answer["query_id"])
        taken = http.post("/v1/events", json=click, headers={"Connection": "close"})
        if taken.status_code == 200:
            self.clicked.append(answer["query_id"])
        else:
            self.failed.append(taken.text)
