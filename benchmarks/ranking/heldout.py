"""What the ranker learns from clicks, judged on queries that nobody asked: beside rank fusion and beside a ceiling.

Simulated people click on chorus-icecat through the real service, whose policy always asks the default plan, so that
only ranking differs. Four orders of the same candidates of held-out queries are compared at the end: reciprocal rank
fusion; trees that take every click at its word; what the service has learned and serves; and trees fitted to the true
ratings of the traffic's queries, the ceiling. `python -m benchmarks.ranking.heldout` prints the figures.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from app.jobs.simulate import simulate
from app.service import Service
from app.settings import Settings, load_settings
from app.wiring.arms import feature_schema
from app.wiring.stores import open_store
from benchmarks.loop import DATA, RATINGS, ingest
from benchmarks.tables import Cell, table
from core.types import Floats, Query, QueryId
from feedback.join import every_closed
from feedback.position_bias import PositionBias
from feedback.reward import RewardRule
from ranking import metrics
from ranking.ltr import LambdaMart, pack
from ranking.metrics import Judgments, answerable, read_judgments
from ranking.rrf import ReciprocalRankFusion
from ranking.training.anchor import anchor_of
from ranking.training.parameters import Parameters
from ranking.training.rows import ClickedPage, Doubles, clicked_page, matrix
from ranking.training.train import boost
from simulation.clicks import CascadeClicks, ClickModel, PositionBasedClicks

_FOLDS = 3
_SETTLED = 2_000  # searches, after which a checkpoint below rank fusion counts as a harm
_FUSION = ReciprocalRankFusion()
CLICKERS = ("position-based", "cascade")
SYSTEMS = ("rrf", "naive", "corrected", "ceiling")
STATED = (
    "nDCG@10 on held-out queries, a third of the rated ones by seed; all systems order the same candidates, those of "
    "the default plan after the last search; ceiling: trees fitted to the ratings of the traffic's queries"
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The answer to one query, in the order that serves: ids, features [n, F], fused scores [n]."""

    ids: tuple[str, ...]
    features: Floats
    fused: Doubles


class Watch:
    """Looks at the service at every checkpoint; `heldout` and `traffic` are the answers of the last look."""

    def __init__(self, traffic: Judgments, heldout: Judgments) -> None:
        self._judgments = {"traffic": traffic, "heldout": heldout}
        self.answers: dict[str, dict[str, Candidates]] = {}

    def __call__(self, service: Service) -> Mapping[str, float]:
        self.answers = {name: _answers(service, judged) for name, judged in self._judgments.items()}
        heldout = self._judgments["heldout"]
        served = {text: found.ids for text, found in self.answers["heldout"].items()}
        return {"rrf": ndcg(ordered(self.answers["heldout"], None), heldout), "served": ndcg(served, heldout)}


def measure(
    *, rounds: int = 20_000, seeds: Sequence[int] = (1, 2, 3), clickers: Sequence[str] = CLICKERS
) -> dict[str, Any]:
    """Every run, and the figures: means over all runs, and of the checkpoints the worst."""
    judgments = read_judgments(DATA / RATINGS)
    with tempfile.TemporaryDirectory() as folder:
        ingest(Path(folder), DATA)
        settings = load_settings(
            overrides={
                "service": {"data_dir": folder},
                "policy": {"kind": "fixed"},
                "shadow": {"share": 0.0},
                "ranking": {"retrain_every": 1_000},
            }
        )
        # Each run is one client after the other: two of them side by side.
        with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as processes:
            wanted = [
                processes.submit(run, settings, judgments, clicker, rounds, seed)
                for clicker in clickers
                for seed in seeds
            ]
            runs = [each.result() for each in wanted]
    return {"figures": figures(runs), "runs": runs, "rounds": rounds, "stated": STATED}


def run(settings: Settings, judgments: Judgments, clicker: str, rounds: int, seed: int) -> dict[str, Any]:
    """One course of clicks: nDCG@10 of every system at the end, and of fusion and what serves at each checkpoint."""
    traffic, heldout = split(judgments, seed)
    watch = Watch(traffic, heldout)
    with tempfile.TemporaryDirectory() as state:
        told = simulate(
            settings,
            Path(state),
            traffic,
            heldout,
            rounds=rounds,
            seed=seed,
            clicks=clicks(clicker, judgments),
            watch=watch,
        )
        log = pages(settings, Path(state))
    systems = {"rrf": told["curve"][-1]["rrf"], "corrected": told["curve"][-1]["served"]}
    systems["naive"] = ndcg(ordered(watch.answers["heldout"], naive(log)), heldout)
    systems["ceiling"] = ndcg(ordered(watch.answers["heldout"], rated(watch.answers["traffic"], traffic)), heldout)
    print(f"{clicker}, seed {seed}: {systems}", file=sys.stderr, flush=True)
    curve = [{name: point[name] for name in ("round", "rrf", "served", "ranker")} for point in told["curve"]]
    return {"clicker": clicker, "seed": seed, "nDCG@10": systems, "curve": curve, "clicked": len(log)}


def split(judgments: Judgments, seed: int) -> tuple[Judgments, Judgments]:
    """(traffic, held out): three seeds in a row hold out every answerable query once."""
    queries = sorted(answerable(judgments))
    random.Random((seed - 1) // _FOLDS).shuffle(queries)
    held = set(queries[(seed - 1) % _FOLDS :: _FOLDS])
    return (
        {text: judgments[text] for text in queries if text not in held},
        {text: judgments[text] for text in queries if text in held},
    )


def clicks(clicker: str, judgments: Judgments) -> ClickModel:
    """The model of that name, for the best rating there is."""
    best = max(rating for ratings in judgments.values() for rating in ratings.values())
    return PositionBasedClicks(best) if clicker == "position-based" else CascadeClicks(best)


def pages(settings: Settings, state: Path) -> list[ClickedPage]:
    """The clicked pages of the log, with the examination that was estimated as it went."""
    store, bias, schema = open_store(settings, state), PositionBias(), feature_schema()
    try:
        log = every_closed(
            store, now=np.inf, window_s=settings.feedback.window_s, rule=RewardRule(settings.feedback.weights)
        )
        found = (clicked_page(episode, schema) for episode in bias.correct(list(log)))
        return [page for page in found if page is not None]
    finally:
        store.close()


def naive(log: Sequence[ClickedPage]) -> LambdaMart:
    """Trees that think that everybody looks at everything."""
    believing = [replace(page, examination=np.ones_like(page.examination)) for page in log]
    return fitted(believing, Parameters())


def rated(answers: Mapping[str, Candidates], judgments: Judgments) -> LambdaMart:
    """Trees on the ratings of whole answers: what no clicks can tell better."""
    known = []
    for text, found in answers.items():
        grades = np.array([float(judgments[text].get(item, 0)) for item in found.ids])
        ones, nothing = np.ones(len(grades)), found.features[:0]
        places = np.arange(1, len(grades) + 1)
        if grades.any():
            known.append(ClickedPage(text, found.features, grades, places, ones, nothing))
    return fitted(known, Parameters())


def fitted(known: Sequence[ClickedPage], parameters: Parameters) -> LambdaMart:
    """As the service trains, without stopping early."""
    schema = feature_schema()
    rows = matrix(known, schema, parameters)
    trees = boost(rows, schema.names, schema.directions, parameters)
    return LambdaMart(pack(schema, trees, anchor_of(trees, rows, schema.names, parameters)), schema)


def _answers(service: Service, judgments: Judgments) -> dict[str, Candidates]:
    """What the service has for every query as it serves now."""
    found = {}
    for text in answerable(judgments):
        answer = service.pipeline.answer(Query(QueryId(f"watch-{text}"), text, service.clock()), service.serving)
        found[text] = Candidates(
            tuple(candidate.item.id for candidate in answer.candidates),
            answer.features.values,
            _FUSION.score(list(answer.candidates), answer.features),
        )
    return found


def ordered(answers: Mapping[str, Candidates], model: LambdaMart | None) -> dict[str, list[str]]:
    """The ids of every answer by the model's scores, or fused without one."""
    run = {}
    for text, found in answers.items():
        scores = model.predict(found.features) if model else found.fused
        run[text] = [found.ids[row] for row in np.argsort(-scores, kind="stable")]
    return run


def ndcg(run: Mapping[str, Sequence[str]], judgments: Judgments) -> float:
    return metrics.measure(run, judgments)["nDCG@10"]


def figures(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Ratios of means over the runs; the worst checkpoint is that of any run."""
    mean = {system: statistics.mean(each["nDCG@10"][system] for each in runs) for system in SYSTEMS}
    checkpoints = [
        point["served"] / point["rrf"] for each in runs for point in each["curve"] if point["round"] > _SETTLED
    ]
    return {
        "heldout.rrf_ratio": mean["corrected"] / mean["rrf"],
        "heldout.ceiling_ratio": mean["corrected"] / mean["ceiling"],
        "heldout.worst_checkpoint_ratio": min(checkpoints, default=1.0),
        "heldout.naive_ratio": mean["naive"] / mean["rrf"],
    }


def section(found: Mapping[str, Any]) -> list[str]:
    """The part of the page in docs/ about held-out queries."""
    rows: list[list[Cell]] = [
        [each["clicker"], str(each["seed"]), *(float(each["nDCG@10"][system]) for system in SYSTEMS)]
        for each in found["runs"]
    ]
    mean = [statistics.mean(each["nDCG@10"][system] for each in found["runs"]) for system in SYSTEMS]
    return [
        "## Queries that nobody asked",
        "",
        f"After {found['rounds']:,} simulated searches: {found['stated']}.",
        "",
        *table(["people", "seed", *SYSTEMS], [*rows, ["mean", "", *mean]]),
        "",
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--clickers", nargs="+", default=list(CLICKERS), choices=CLICKERS)
    options = parser.parse_args()
    print(json.dumps(measure(rounds=options.rounds, seeds=options.seeds, clickers=options.clickers), indent=1))
