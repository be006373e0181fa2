"""A real catalogue and mixed intents: the learned policy against the best static plan and against all arms at 100.

`make bench-kinds` writes benchmarks/results/kinds.json, kinds.png and docs/benchmarks/kinds.md. The data set
chorus-icecat is read from $BOWERBIRD_DATA (default ../shared/data). The real service is recorded once, see
benchmarks.recorded; every policy is then valued on the recorded answers, with reciprocal rank fusion as everyone's
ranker, so that only retrieval differs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.heat_map import heat_map
from benchmarks.hindsight import Hindsight
from benchmarks.kinds_page import page
from benchmarks.kinds_report import STATED, report
from benchmarks.loop import DATA, RATINGS, ROOT, commit, ingest
from benchmarks.recorded import Recording, record
from benchmarks.static_plans import World
from benchmarks.traffic_kinds import BEST, Intent, pools, traffic
from core.catalogue import Catalogue
from ranking.metrics import read_judgments
from simulation.clicks import PositionBasedClicks

_RESULTS = ROOT / "benchmarks" / "results"
_SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with products.jsonl.gz and the ratings")
    parser.add_argument("--searches", type=int, default=12_000)
    parser.add_argument("--known", type=int, default=4_000, help="products sampled for the known items of each kind")
    parser.add_argument("--runs", type=int, default=3, help="draws of clicks and query ids over the one recording")
    parser.add_argument("--keep", type=Path, default=None, help="a data directory to use and keep")
    parser.add_argument("--recording", type=Path, default=None, help="a file: loaded if it is there, else written")
    parser.add_argument("--out", type=Path, default=_RESULTS, help="folder of JSON and picture")
    parser.add_argument("--json", action="store_true", help="print the whole report instead of the figures")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp())
    try:
        world, intents = build_world(folder, options.data, options.recording, options.searches, options.known)
    finally:
        if options.keep is None:
            shutil.rmtree(folder)
    result = {
        **report(world, [intent.kind for intent in intents], runs=range(1, options.runs + 1), say=_say),
        "stated": STATED,
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "data": "chorus-icecat",
        "known": options.known,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "kinds.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    heat_map(result["arms"], options.out / "kinds.png")
    if options.out == _RESULTS:
        (ROOT / "docs" / "benchmarks" / "kinds.md").write_text(page(result), encoding="utf-8")
    print(json.dumps(result if options.json else result["figures"], indent=1))


def build_world(folder: Path, data: Path, cached: Path | None, count: int, known: int) -> tuple[World, list[Intent]]:
    """The recorded world and its intents; an empty `folder` becomes a data directory first."""
    if not (folder / "catalogue.sqlite").exists():
        ingest(folder, data)
    catalogue = Catalogue(folder / "catalogue.sqlite")
    items = catalogue.changes(0).upserts
    catalogue.close()
    asked = pools(items, read_judgments(data / RATINGS), known=known, seed=_SEED)
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
    main()
