"""What all sections share: for how long to measure, and directories that are prepared once."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.loop import ROOT
from benchmarks.serve.prepare import prepare, queries
from benchmarks.serve.server import Server, module, started

SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
_FASTEST = 1_000  # searches a second that no load gets to; so many texts are made for each second
_PREPARED = "prepared.json"
_LARGE = (
    "cache",
    "indexes",
    "catalogue.sqlite",
    "catalogue.sqlite-wal",
    "catalogue.sqlite-shm",
)  # no search changes it
_LATE_S = 120.0  # a load takes twice its time at most, and this much to start and to wait for the last answers


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` of each load; `at` is the size of feedback and rivals; `port` of loopback."""

    work: Path
    seconds: float
    at: str
    port: int

    @contextmanager
    def server(self, size: str) -> Iterator[tuple[Server, Mapping[str, Any]]]:
        """One that has learned, and how it was prepared; what an earlier run has prepared is used again.

        Whatever has been asked since then is forgotten: every section begins with the same log and the same models.
        """
        folder, learned = self.work / size, self.work / f"{size}-learned"
        done = learned / _PREPARED
        if not done.exists():
            prepared = prepare(folder, SIZES[size], self.port)
            _replace(folder, learned)
            done.write_text(json.dumps(prepared))
        _replace(learned, folder)
        since = time.time()
        with started(folder, self.port) as server:
            server.settle(since)
            yield server, json.loads(done.read_text())

    def texts(self, size: str, loads: Sequence[float], seed: int) -> Iterator[list[str]]:
        """For each load its own different texts; `loads` are searches a second, 0 for as many as there can be."""
        wanted = [int((rate or _FASTEST) * self.seconds) for rate in loads]
        made = queries(SIZES[size], sum(wanted), seed)
        for count in wanted:
            yield made[:count]
            made = made[count:]


def _replace(source: Path, target: Path) -> None:
    """Of two data directories, make log and models of the second those of the first."""
    target.mkdir(exist_ok=True)
    for path in (path for path in target.iterdir() if path.name not in _LARGE):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (path for path in source.iterdir() if path.name not in _LARGE):
        copy = shutil.copytree if path.is_dir() else shutil.copy2
        copy(path, target / path.name)


def load(server: Server, texts: Sequence[str], **options: Any) -> dict[str, Any]:
    """What benchmarks.serve.load found, and `cpu_ms`: processor time a search. RuntimeError as of `checked`."""
    with asked(texts) as file:
        command, before = module("load", url=server.url, queries=file, **options), server.cpu_s()
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=_patience(options))
        after = server.cpu_s()
    found = checked(json.loads(done.stdout))
    return {**found, "cpu_ms": {name: 1000 * (after[name] - before[name]) / found["asked"] for name in after}}


def checked(found: dict[str, Any]) -> dict[str, Any]:
    """RuntimeError unless what answered was the whole: a learned policy and a learned ranker, in every answer."""
    good = found["asked"] - found["errors"] + found["unsent"]
    if found["answered"] < 2 or not good == found["learned_policy"] == found["learned_ranker"]:
        raise RuntimeError(f"not what was to be measured: {found}")
    return found


@contextmanager
def asked(texts: Sequence[str]) -> Iterator[Path]:
    """A file with a text a line."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write("\n".join(texts))
        file.flush()
        yield Path(file.name)


def _patience(options: Mapping[str, Any]) -> float:
    return 2 * float(options["seconds"]) + _LATE_S
