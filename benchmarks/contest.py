"""Runs engines side by side: each is built in a process of its own, then opened and asked in another, on one core."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.engine import JUDGED, QUERIES, Data, Engine
from benchmarks.ours import OURS
from benchmarks.rivals import RIVALS
from benchmarks.timing import resident_bytes, size_on_disk, timed

ROOT = Path(__file__).parent.parent
ENGINES: Mapping[str, Callable[[], Engine]] = {**OURS, **RIVALS}
_ASKING_S = 60  # an engine so slow that its queries take longer is asked fewer
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "LANCE_CPU_THREADS")


def contest(
    names: Iterable[str], count: int, seed: int, limit_s: float, *, cores: int = 1
) -> dict[str, dict[str, Any]]:
    """Engine -> its row; one that could not run has the reason in `failed`. `limit_s` is what a rival may take.

    `cores` are those that an engine is asked on.
    """
    rows = {}
    with tempfile.TemporaryDirectory() as data:
        Data.write(Path(data), count, seed)
        for name in names:
            rows[name] = _row(name, Path(data), count, seed, limit_s if name in RIVALS else None, cores)
            print(json.dumps({name: rows[name]}), file=sys.stderr, flush=True)
    return rows


def build(engine: Engine, data: Data, folder: Path) -> dict[str, float]:
    started = time.perf_counter()
    engine.build(data, folder)
    return {"build_s": time.perf_counter() - started}


def ask(engine: Engine, data: Data, folder: Path, cores: int) -> dict[str, float]:
    """Load time, times per query, memory that came on top, and recall where the truth is known."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    before = resident_bytes()
    started = time.perf_counter()
    engine.open(data, folder)
    load_s = time.perf_counter() - started
    queries = _affordable(engine)
    found = {"load_s": load_s, **timed(engine.ask, queries), "queries": queries}
    found["memory_bytes"] = (resident_bytes() - before) / len(data.items)
    if engine.group == "vector":
        truths = [(set(engine.ask(n)), set(data.nearest[n].tolist())) for n in range(JUDGED)]
        found["recall"] = statistics.fmean(len(got & truth) / len(truth) for got, truth in truths)
    return found


def _affordable(engine: Engine) -> int:
    """How many queries to ask, by the time of the third: the first ones may be preparing."""
    for n in range(3):
        started = time.perf_counter()
        engine.ask(n)
    return max(10, min(QUERIES, int(_ASKING_S / (time.perf_counter() - started))))


def _row(name: str, data: Path, count: int, seed: int, limit_s: float | None, cores: int) -> dict[str, Any]:
    engine = ENGINES[name]()
    row: dict[str, Any] = {"group": engine.group, "stated": engine.stated}
    with tempfile.TemporaryDirectory() as folder:
        for verb in ("build", "ask"):
            arguments = [
                verb,
                name,
                "--data",
                str(data),
                "--folder",
                folder,
                "--items",
                str(count),
                "--seed",
                str(seed),
                "--cores",
                str(cores),
            ]
            found = _run(arguments, limit_s, cores)
            row |= found
            if "failed" in found:
                return row
            if verb == "build":
                row["disk_bytes"] = size_on_disk(Path(folder)) / count
    return row


def _run(arguments: list[str], limit_s: float | None, cores: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.contest", *arguments]
    environment = {**os.environ, **(dict.fromkeys(_POOLS, str(cores)) if arguments[0] == "ask" else {})}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return {"failed": f"{arguments[0]}: not done after {limit_s:.0f} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return {"failed": f"{arguments[0]}: status {done.returncode}, {last[:200]}"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["build", "ask"])
    parser.add_argument("engine", choices=list(ENGINES))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    data = Data.open(options.data, options.items, options.seed)
    engine = ENGINES[options.engine]()
    for module in engine.modules:
        importlib.import_module(module)
    if options.verb == "build":
        print(json.dumps(build(engine, data, options.folder)))
    else:
        print(json.dumps(ask(engine, data, options.folder, options.cores)))


if __name__ == "__main__":
    main()
