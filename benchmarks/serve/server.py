"""A real server on a prepared data directory: its figures, its memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from bowerbird_client import Client

from benchmarks.loop import ROOT

CONFIG = "config.toml"
_START_S = 3_600.0  # a million items take long to be indexed
_SETTLED_S, _QUIET_S = 900.0, 5
_BESIDE = re.compile(r"^bowerbird_searchers (\S+)$", re.MULTILINE)
_LAG = re.compile(r"^bowerbird_learner_lag_seconds (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Server:
    """Ready. Its process has a learner as a child, as `bowerbird serve` has unless it is told otherwise, and those that
    search beside it."""

    folder: Path
    url: str
    pid: int

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=60).raise_for_status()

    def settle(self, since: float) -> None:
        """Until all its processes search, and its learner, started at `since`, has read the log again and trained: that
        is not everyday work.

        RuntimeError when it takes too long.
        """
        quiet, deadline = 0, time.monotonic() + _SETTLED_S
        while quiet < _QUIET_S:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the learner is busy after {_SETTLED_S:.0f} s")
            time.sleep(1.0)
            found = _LAG.search(self.get("/metrics").text)
            caught_up = found is not None and time.time() - float(found[1]) > since
            training = any(True for learner in self._learners() for _ in _children(learner))
            quiet = quiet + 1 if caught_up and self._all_search() and not training else 0

    def memory(self) -> dict[str, float]:
        """GiB resident: of the service, of it with its children (pages that they share count twice), its most so far.

        Linux.
        """
        tree = [_status(pid) for pid in (self.pid, *_children(self.pid))]
        return {
            "service_gib": tree[0]["VmRSS"],
            "most_gib": tree[0]["VmHWM"],
            "all_gib": sum(status.get("VmRSS", 0.0) for status in tree),
        }

    def cpu_s(self) -> dict[str, float]:
        """Seconds of processor time so far: of the service with those that search beside it, and of its learner (with
        what it has ended). Linux."""
        learners = {pid for learner in self._learners() for pid in (learner, *_children(learner))}
        service = [pid for pid in (self.pid, *_children(self.pid)) if pid not in learners]
        return {"service": sum(map(_cpu_s, service)), "learner": sum(map(_cpu_s, learners))}

    def _learners(self) -> list[int]:
        return [pid for pid in _children(self.pid) if b"\0learn\0" in _command(pid)]

    def _all_search(self) -> bool:
        wanted = tomllib.loads((self.folder / CONFIG).read_text())["service"].get("processes", 1) - 1
        found = _BESIDE.search(self.get("/metrics").text)
        return found is not None and float(found[1]) == wanted


def verb(folder: Path, *arguments: str) -> list[str]:
    """The command line of `bowerbird` on this folder, with its configuration."""
    options = ["--config", str(folder / CONFIG), "--data-dir", str(folder)]
    return [sys.executable, "-m", "app.cli", *options, *arguments]


@contextmanager
def started(folder: Path, port: int) -> Iterator[Server]:
    process = subprocess.Popen(verb(folder, "serve", "--port", str(port)), cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        with Client(url) as probe:
            probe.wait_until_ready(_START_S)
        yield Server(folder, url, process.pid)
    finally:
        process.terminate()
        process.wait()


def module(name: str, **options: Any) -> list[str]:
    """The command line of a benchmark's module as a process of its own."""
    given = [text for option, value in options.items() for text in (f"--{option}", str(value))]
    return [sys.executable, "-m", f"benchmarks.serve.{name}", *given]


def _children(pid: int) -> Iterator[int]:
    """Of all its threads, and theirs."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = path.read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            continue
        for child in map(int, found):
            yield child
            yield from _children(child)


def _cpu_s(pid: int) -> float:
    """With that of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _status(pid: int) -> dict[str, float]:
    """GiB; nothing of a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    sizes = [line.split() for line in lines if line.endswith(" kB")]
    return {name.rstrip(":"): int(kib) / 2**20 for name, kib, _ in sizes}
