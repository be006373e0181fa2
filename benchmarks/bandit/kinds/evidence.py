"""A real catalogue and mixed intents: the learned policy against the best static plan and against all arms at 100.

The real service is recorded once, see benchmarks.bandit.kinds.recorded; every policy is then valued on the recorded
answers, with reciprocal rank fusion as everyone's ranker, so that only retrieval differs. `python -m
benchmarks.bandit.kinds.evidence` prints the report by itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.bandit.kinds.hindsight import Hindsight
from benchmarks.bandit.kinds.recorded import Recording, record
from benchmarks.bandit.kinds.report import STATED, report
from benchmarks.bandit.kinds.static_plans import World
from benchmarks.bandit.kinds.traffic import BEST, Intent, pools, traffic
from benchmarks.loop import DATA, RATINGS, ingest
from feedback.sqlite_catalogue import SqliteCatalogue
from ranking.metrics import read_judgments
from simulation.clicks import PositionBasedClicks

_SEED = 1


def kinds(
    *, searches: int = 12_000, known: int = 4_000, runs: int = 3, recording: Path | None = None
) -> dict[str, Any]:
    """The report. `known`: products sampled for the known items of each kind; `runs`: draws of clicks and query ids.

    `recording`: a file that is loaded if it is there, else written.
    """
    with tempfile.TemporaryDirectory() as folder:
        world, intents = build_world(Path(folder), recording, searches, known)
    found = report(world, [intent.kind for intent in intents], runs=range(1, runs + 1), say=_say)
    return {**found, "stated": STATED, "data": "chorus-icecat", "known": known}


def build_world(folder: Path, cached: Path | None, count: int, known: int) -> tuple[World, list[Intent]]:
    """The recorded world and its intents; the empty `folder` becomes a data directory first."""
    ingest(folder, DATA)
    catalogue = SqliteCatalogue(folder / "catalogue.sqlite")
    items = catalogue.changes(0).upserts
    catalogue.close()
    asked = pools(items, read_judgments(DATA / RATINGS), known=known, seed=_SEED)
    intents = list(islice(traffic(asked, seed=_SEED), count))
    recording = Recording.load(cached) if cached and cached.exists() else _recorded(folder, intents)
    if cached and not cached.exists():
        recording.save(cached)
    if recording.texts != tuple(intent.text for intent in intents):
        raise SystemExit(
            f"{cached} holds other searches; name another file, or record with its --searches and --known."
        )
    numbers = {item: number for number, item in enumerate(recording.items)}
    grades = [{numbers[i]: grade for i, grade in intent.grades.items() if i in numbers} for intent in intents]
    return World(recording, Hindsight.of(recording.found, grades, PositionBasedClicks(BEST))), intents


def _recorded(folder: Path, intents: Sequence[Intent]) -> Recording:
    def progress(number: int) -> None:
        if number % 500 == 0:
            _say(f"{number} of {len(intents)} searches recorded")

    with tempfile.TemporaryDirectory() as state:
        return record(folder, Path(state), intents, seed=_SEED, progress=progress)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=12_000)
    parser.add_argument("--known", type=int, default=4_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--recording", type=Path, default=None)
    print(json.dumps(kinds(**vars(parser.parse_args())), indent=1))
