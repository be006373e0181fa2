"""Does the query adapter help queries that nobody has asked yet? Simulated clicks on real ratings, several splits.

`python -m benchmarks.query_adapter --collection NAME --data-dir DIR` where DIR holds that catalogue, ingested. Of the
queries of chorus 25 are held out, by the seed; of scifact's the 300 validation claims are. The others are searched for
with Zipf's frequencies, shown the fusion of lexical and vector, and clicked by a position-based model on their ratings.
Reported is nDCG@10 of the vector arm alone on the held-out and on the taught queries: before, as the learner published
it (which may be the identity), and with its check left out.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean

import numpy as np

from app.settings import load_settings
from app.wiring.stores import open_catalogue, open_embeddings
from benchmarks.collections import COLLECTIONS, Rating
from core.episodes import Episode, Impression
from core.types import Choice, Features, Item, ItemId, Plan, Query, QueryId
from feedback.position_bias import PositionBias
from ranking.metrics import Judgments, answerable, ndcg_by_query
from retrievers.lexical import LexicalRetriever
from retrievers.vector import VectorRetriever
from retrievers.vectors import adapter_model as query_adapter_model
from retrievers.vectors.adapter_model import QueryAdapterLearner
from retrievers.vectors.embeddings import QueryVectors
from simulation.clicks import PositionBasedClicks
from simulation.traffic import zipf

_PAGE, _HELDOUT = 20, 25
_NOTHING = Features((), np.empty(0, dtype=np.float32))
Pages = Mapping[str, Sequence[ItemId]]


def episodes(pages: Pages, ratings: Judgments, queries: Sequence[str], *, searches: int, seed: int) -> list[Episode]:
    """Searches of one second each, by as many clients; `examination` is as the loop estimates it."""
    best = max(rating for found in ratings.values() for rating in found.values())
    draws, clicks = np.random.default_rng(seed), PositionBasedClicks(best=best)
    made = []
    for n, text in enumerate(islice(zipf(queries, seed=seed), searches)):
        shown = tuple(pages[text])
        clicked = clicks.clicked([ratings[text].get(item_id, 0) for item_id in shown], draws)
        gains = tuple(float(row in clicked) for row in range(len(shown)))
        asked = Query(QueryId(f"q{n}"), text, float(n), client_id=f"c{n}")
        impression = Impression(asked, Choice(Plan("fused", {}), 1.0, ""), _NOTHING, shown, _NOTHING, {}, {}, "", 0, "")
        looked = tuple(1 / np.log2(2 + row) for row in range(len(shown)))
        made.append(Episode(impression, (), gains, looked, max(gains)))
    return PositionBias().correct(made)


def fused(*answers: Sequence[ItemId]) -> list[ItemId]:
    """Reciprocal rank fusion."""
    scores: dict[ItemId, float] = {}
    for answer in answers:
        for rank, item_id in enumerate(answer, start=1):
            scores[item_id] = scores.get(item_id, 0.0) + 1 / (60 + rank)
    return sorted(scores, key=lambda item_id: (-scores[item_id], item_id))[:_PAGE]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collection", choices=("chorus", "scifact"), default="chorus")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--searches", type=int, nargs="+", default=[1_000, 5_000])
    options = parser.parse_args()
    settings = load_settings(overrides={"service": {"data_dir": str(Path(options.data_dir))}})
    catalogue, embeddings = open_catalogue(settings), open_embeddings(settings)
    items: dict[ItemId, Item] = {item.id: item for item in catalogue.changes(0).upserts}
    lexical, vector = LexicalRetriever(), VectorRetriever(embeddings, QueryVectors(embeddings.encoder), items)
    for arm in (lexical, vector):
        arm.apply(list(items.values()), [])
    collection = COLLECTIONS[options.collection]
    fixed, others = judged(collection.ratings()), judged(collection.other_ratings())
    ratings = {**others, **fixed}
    queries = answerable(ratings)
    pages = {text: fused(found(lexical, text), found(vector, text)) for text in queries}

    def quality(heldout: Sequence[str]) -> float:
        run = {text: found(vector, text) for text in heldout}
        return fmean(ndcg_by_query(run, {text: ratings[text] for text in heldout}).values())

    def learned(taught: Sequence[str], searches: int, seed: int) -> bytes | None:
        learner = QueryAdapterLearner(
            items.get, lambda: open_embeddings(settings), half_life_s=30 * 86_400, client_cap=5
        )
        learner.learn(episodes(pages, ratings, taught, searches=searches, seed=seed))
        return learner.snapshot()

    convincing = query_adapter_model.convincing
    for searches in options.searches:
        rows = []
        for seed in range(1, options.seeds + 1):
            heldout = answerable(fixed)
            if not others:
                heldout = random.Random(seed).sample(sorted(queries), _HELDOUT)
            taught = sorted(set(queries) - set(heldout))
            row = []
            for check in (None, convincing, lambda changes: True):
                if check is not None:
                    query_adapter_model.convincing = check
                vector.load(learned(taught, searches, seed) if check else None)
                row += [quality(heldout), quality(taught)]
            query_adapter_model.convincing = convincing
            rows.append(row)
            print(json.dumps({"searches": searches, "seed": seed, "figures": [round(x, 4) for x in row]}), flush=True)
        names = ("before", "published", "unchecked")
        means = np.mean(rows, axis=0).round(4).tolist()
        print({name: {"heldout": means[2 * n], "taught": means[2 * n + 1]} for n, name in enumerate(names)})


def judged(rows: Iterable[Rating]) -> dict[str, dict[str, int]]:
    made: dict[str, dict[str, int]] = {}
    for text, item_id, rating in rows:
        made.setdefault(text, {})[item_id] = rating
    return made


def found(arm: LexicalRetriever | VectorRetriever, text: str) -> list[ItemId]:
    return [hit.item_id for hit in arm.retrieve(Query(QueryId("measured"), text, 0.0), 100)]


if __name__ == "__main__":
    main()
