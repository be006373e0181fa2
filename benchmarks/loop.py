"""The whole loop on a real catalogue: ingest time, quality, what clicks teach, and the latency of a search over HTTP.

`make bench-loop` writes benchmarks/results/loop.json and docs/benchmarks/loop.md. The data set chorus-icecat is read
from $BOWERBIRD_DATA (default ../shared/data).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from bowerbird_client import Client

from benchmarks.heldout import split_ratings
from ranking.metrics import answerable, read_judgments

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("BOWERBIRD_DATA", "../shared/data")) / "chorus-icecat"
RATINGS = "Broad_Query_Set_rated.csv.gz"
_REQUESTS = 500
_START_S = 3_600.0  # a million items take long to be indexed


def bowerbird(folder: Path, *arguments: str) -> Any:
    """A verb's JSON. Its progress goes to this process's stderr."""
    command = [sys.executable, "-m", "app.cli", "--data-dir", str(folder), *arguments, "--json"]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def ingest(folder: Path, data: Path) -> float:
    """Seconds."""
    started = time.perf_counter()
    files = [str(data / "products.jsonl.gz"), "--mapping", "configs/catalogs/icecat.toml"]
    bowerbird(folder, "ingest", *files)
    return time.perf_counter() - started


@contextmanager
def serving(folder: Path, port: int) -> Iterator[tuple[httpx.Client, float]]:
    """A ready service, and the seconds until it was."""
    command = [sys.executable, "-m", "app.cli", "--data-dir", str(folder), "serve", "--port", str(port)]
    started = time.perf_counter()
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        with Client(url) as probe, httpx.Client(base_url=url, timeout=60) as client:
            probe.wait_until_ready(_START_S)
            yield client, time.perf_counter() - started
    finally:
        server.terminate()
        server.wait()


def latency(client: httpx.Client, queries: Sequence[str]) -> dict[str, float]:
    """Milliseconds of POST /v1/search as one client sees it: all arms asked by the default plan, impressions logged.

    Every query has a suffix of its own, so that no query vector is at hand.
    """
    times = []
    for n in range(_REQUESTS + 50):
        body = {"query": f"{queries[n % len(queries)]} {n}", "client_id": f"c{n % 50}"}
        started = time.perf_counter()
        client.post("/v1/search", json=body).raise_for_status()
        times.append((time.perf_counter() - started) * 1000)
    warm = times[50:]
    return {"p50": statistics.median(warm), "p99": statistics.quantiles(warm, n=100)[98]}


def learning(folder: Path, ratings: Path, *, rounds: int, seeds: Sequence[int], heldout: int) -> list[dict[str, Any]]:
    """One simulation per seed; each seed also draws which queries are held out."""
    runs = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as work:
            traffic, held = split_ratings(ratings, Path(work), heldout=heldout, seed=seed)
            arguments = ["--qrels", str(traffic), "--heldout-qrels", str(held), "--rounds", str(rounds)]
            picture = str(ROOT / "benchmarks" / "results" / f"loop-seed{seed}.png")
            runs.append(bowerbird(folder, "simulate", *arguments, "--seed", str(seed), "--png", picture))
    return runs


def ratios(runs: Sequence[dict[str, Any]], part: str) -> list[float]:
    """nDCG@10 at the end over that of day 0, by seed."""
    return [run["curve"][-1][part]["nDCG@10"] / run["day0"][part]["nDCG@10"] for run in runs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with products.jsonl.gz and the ratings")
    parser.add_argument("--ratings", type=Path, default=None, help=f"instead of {RATINGS} in that folder")
    parser.add_argument("--rounds", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--heldout", type=int, default=25)
    parser.add_argument("--port", type=int, default=8791)
    parser.add_argument("--keep", type=Path, default=None, help="a data directory to use and keep")
    options = parser.parse_args()
    ratings = options.ratings or options.data / RATINGS
    folder = options.keep or Path(tempfile.mkdtemp())
    try:
        first_s, again_s = ingest(folder, options.data), ingest(folder, options.data)
        systems = bowerbird(folder, "evaluate", "retrieval", "--qrels", str(ratings))
        runs = learning(folder, ratings, rounds=options.rounds, seeds=options.seeds, heldout=options.heldout)
        with serving(folder, options.port) as (client, start_s):
            milliseconds = latency(client, answerable(read_judgments(ratings)))
    finally:
        if options.keep is None:
            shutil.rmtree(folder)
    traffic, held = ratios(runs, "traffic"), ratios(runs, "heldout")
    result = {
        "figures": {
            "chorus.lexical.nDCG@10": systems["systems"]["lexical"]["nDCG@10"],
            "chorus.rrf.nDCG@10": systems["systems"]["rrf"]["nDCG@10"],
            "ingest.seconds": first_s + start_s,
            "learn.traffic_ratio": statistics.mean(traffic),
            "learn.heldout_ratio": statistics.mean(held),
            "search.p50_ms": milliseconds["p50"],
        },
        "ingest": {"first_s": first_s, "again_s": again_s, "start_s": start_s},
        "search_ms": milliseconds,
        "learn": {"seeds": options.seeds, "traffic_ratios": traffic, "heldout_ratios": held, "rounds": options.rounds},
        "evaluate": systems,
        "simulate": runs,
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "data": "chorus-icecat",
    }
    target = ROOT / "benchmarks" / "results" / "loop.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    page = ROOT / "docs" / "benchmarks" / "loop.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(table(result), encoding="utf-8")
    print(json.dumps(result["figures"], indent=1))


def table(result: dict[str, Any]) -> str:
    """The page in docs/, generated from the JSON."""
    figures, learn = result["figures"], result["learn"]
    systems = [
        f"| {name} | " + " | ".join(f"{value:.3f}" for value in values.values()) + " |"
        for name, values in result["evaluate"]["systems"].items()
    ]
    measures = list(result["evaluate"]["systems"]["rrf"])
    seeds = [
        f"| {seed} | {traffic:.3f} | {heldout:.3f} |"
        for seed, traffic, heldout in zip(learn["seeds"], learn["traffic_ratios"], learn["heldout_ratios"], strict=True)
    ]
    return "\n".join(
        [
            "# The whole loop on a real catalogue",
            "",
            "Generated by `make bench-loop`; do not edit.",
            f"{result['data']}, {result['date']}, commit {result['commit']}, {result['machine']['cores']} cores.",
            "",
            "## Before any click",
            "",
            f"{result['evaluate']['queries']} queries. {result['evaluate']['stated']}.",
            "",
            "| system | " + " | ".join(measures) + " |",
            "|---|" + "---|" * len(measures),
            *systems,
            "",
            f"## After {learn['rounds']} simulated searches",
            "",
            "nDCG@10 at the end over that of reciprocal rank fusion on day 0. Held-out queries are never asked.",
            "",
            "| seed | traffic queries | held-out queries |",
            "|---|---|---|",
            *seeds,
            f"| mean | {figures['learn.traffic_ratio']:.3f} | {figures['learn.heldout_ratio']:.3f} |",
            "",
            "## Time",
            "",
            "| what | |",
            "|---|---|",
            f"| ingest, vectors included | {result['ingest']['first_s']:.0f} s |",
            f"| the same again, vectors cached | {result['ingest']['again_s']:.0f} s |",
            f"| start of the service, all indexes built | {result['ingest']['start_s']:.0f} s |",
            f"| POST /v1/search, one client, new queries, p50 | {result['search_ms']['p50']:.1f} ms |",
            f"| the same, p99 | {result['search_ms']['p99']:.1f} ms |",
            "",
        ]
    )


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
