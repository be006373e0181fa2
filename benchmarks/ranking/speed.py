"""How long the features and the model take for 200 candidates, in one thread, every family with a model loaded.

`python -m benchmarks.ranking.speed` prints.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.catalogue import ItemsById, SyntheticItems, title_queries
from benchmarks.tables import Cell, table
from benchmarks.timing import percentiles, resident_bytes, timed
from core.rates import encode_rates
from core.seeds import generator
from core.types import Candidate, Floats, Item, ItemId, Query, QueryId, Scored
from ranking.behaviour_model import BehaviourModel
from ranking.features.extractor import FeatureExtractor
from ranking.ltr import LambdaMart, pack
from ranking.profiles import ProfilesModel
from retrievers.engagements.related_model import RelatedModel
from retrievers.okapi import OkapiRetriever
from retrievers.related import RelatedRetriever
from retrievers.union import union
from retrievers.vectors.index import VectorIndex

_ARMS = ("lexical", "vector", "memory", "popular")
_CANDIDATES, _QUERIES, _USERS, _DIMENSION = 200, 60, 1_000, 384
_TRAINED_ON = 10_000  # rows, in pages of ten
_PARAMETERS = {
    "objective": "lambdarank", "num_leaves": 15, "learning_rate": 0.05, "feature_fraction": 0.7,
    "min_data_in_leaf": 20, "num_threads": 1, "seed": 1, "verbosity": -1,
}  # fmt: skip
_TREES = 300


class Search(NamedTuple):
    """A query, what every arm answers, and the items of these answers."""

    query: Query
    answers: Mapping[str, Sequence[Scored]]
    items: Mapping[ItemId, Item]

    @property
    def asked(self) -> tuple[Query, Sequence[Candidate]]:
        """With new candidates, as every search has them."""
        return self.query, union(self.answers, self.items)


class _World:
    """An extractor with all models, and searches with a session and a customer who is known."""

    def __init__(self, count: int, seed: int) -> None:
        self._random = generator(seed, "ranking speed")
        self.items = SyntheticItems(count, seed)
        self._ids = [ItemId(f"s{n}") for n in range(count)]
        by_id = ItemsById(self.items)
        index = VectorIndex(_DIMENSION, by_id, compress_from=count + 1)
        vectors = self._random.normal(size=(count, _DIMENSION)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        index.change(dict(zip(self._ids, vectors, strict=True)), [])
        related = RelatedRetriever(OkapiRetriever(by_id), by_id)
        related.load(self._related())
        self.extractor = FeatureExtractor(_ARMS, vectors=index.now, related=related.relatedness)
        self.queries = title_queries(self.items, _QUERIES, seed)
        before, started = resident_bytes(), time.process_time()
        for start in range(0, count, 2_000):
            self.extractor.apply(self.items[start : start + 2_000], [])
        self.apply_us = (time.process_time() - started) / count * 1e6
        self.bytes_per_item = (resident_bytes() - before) / count
        for component, model in (
            ("popularity", self._popularity()), ("behaviour", self._behaviour()), ("profiles", self._profiles()),
        ):  # fmt: skip
            self.extractor.loads[component](model)

    def search(self, n: int) -> Search:
        """Each candidate found by one or two arms; the session took five items."""
        random, text = self._random, self.queries[n % len(self.queries)]
        rows = random.choice(len(self._ids), size=_CANDIDATES, replace=False).tolist()
        answers: dict[str, list[Scored]] = {arm: [] for arm in _ARMS}
        for row in rows:
            for arm in random.choice(_ARMS, size=1 + row % 2, replace=False).tolist():
                answers[arm].append(Scored(self._ids[row], 1.0 / (1 + len(answers[arm]))))
        found = {self._ids[row]: self.items[row] for row in rows}
        history = tuple(self._ids[row] for row in random.integers(1_000, size=5).tolist())
        query = Query(QueryId(str(n)), text, 1.7e9, user_id=f"u{n % _USERS}", history=history)
        return Search(query, answers, found)

    def _popularity(self) -> bytes:
        return encode_rates((item_id, 1.0, 1.0 + n % 50) for n, item_id in enumerate(self._ids))

    def _related(self) -> bytes:
        baskets = self._random.integers(2_000, size=(3_000, 8)).tolist()
        return RelatedModel.of([{self._ids[row] for row in basket} for basket in baskets]).dump()

    def _behaviour(self) -> bytes:
        pairs = self._random.integers(len(self._ids), size=(_QUERIES, 50))
        counts = self._random.random((len(self._ids), 4)) * [9, 1, 0.2, 0.1]
        return BehaviourModel(
            tuple(self._ids),
            counts.astype(np.float32),
            {text: n for n, text in enumerate(self.queries)},
            np.arange(_QUERIES + 1) * 50,
            pairs.reshape(-1).astype(np.int32),
            np.ones((pairs.size, 2), dtype=np.float32),
        ).dump()

    def _profiles(self) -> bytes:
        brands = [("brand", brand) for item in self.items[:300] for brand in item.attributes["brand"]]
        traits = tuple(dict.fromkeys([*brands, ("price", "low"), ("price", "high")]))
        of = np.concatenate([self._random.choice(len(traits), size=20, replace=False) for _ in range(_USERS)])
        return ProfilesModel(
            {f"u{n}": n for n in range(_USERS)},
            traits,
            np.full((_USERS, 2), (5.0, 30.0), dtype=np.float32),
            np.arange(_USERS + 1) * 20,
            of.astype(np.int32),
            self._random.random((len(of), 2)).astype(np.float32),
            np.full((len(traits) + 1, 2), (200.0, 1_000.0), dtype=np.float32),
        ).dump()


def measure(count: int = 100_000, seed: int = 1) -> dict[str, Any]:
    """Milliseconds for 200 candidates, p50; the model beside LightGBM, in turns, and how far they are apart."""
    import lightgbm

    world = _World(count, seed)
    extractor = world.extractor
    searches = [world.search(n) for n in range(_QUERIES)]
    together = [
        _milliseconds(partial(extractor.extract, *searches[n % len(searches)].asked)) for n in range(11 * len(searches))
    ]
    features = percentiles(together[len(searches) :])
    families = {
        name: percentiles([_milliseconds(extractor.timed(*search.asked)[name]) for search in searches * 3])["p50_ms"]
        for name in extractor.timed(*searches[0].asked)
    }
    rows = np.vstack([extractor.extract(*search.asked).values for search in searches])
    booster = _train(rows, list(extractor.schema.names), generator(seed, "labels"))
    model = LambdaMart(pack(extractor.schema, booster.model_to_string()), extractor.schema)
    pages = [rows[start : start + _CANDIDATES] for start in range(0, len(rows), _CANDIDATES)]
    ours = timed(lambda n: model.predict(pages[n % len(pages)]), 200)
    theirs = timed(lambda n: booster.predict(pages[n % len(pages)], num_threads=1), 50)
    apart = max(float(np.abs(model.predict(page) - booster.predict(page, num_threads=1)).max()) for page in pages)
    return {
        "figures": {
            "speed.features_ms": features["p50_ms"],
            "speed.model_ms": ours["p50_ms"],
            "speed.max_diff": apart,
        },
        "features": features,
        "model": ours,
        "lightgbm": {**theirs, "version": lightgbm.__version__},
        "families": families,
        "columns": len(extractor.schema.names),
        "items": count,
        "bytes_per_item": world.bytes_per_item,
        "apply_us": world.apply_us,
    }


def _milliseconds(compute: Callable[[], object]) -> float:
    started = time.perf_counter()
    compute()
    return (time.perf_counter() - started) * 1000


def _train(rows: Floats, names: list[str], random: np.random.Generator) -> Any:
    """LambdaMART on what a random, noisy sum of the features calls good."""
    import lightgbm

    rows = random.permutation(rows)[:_TRAINED_ON]
    ranks = np.nan_to_num(np.argsort(np.argsort(rows, axis=0), axis=0) / len(rows))
    good = ranks @ random.normal(size=rows.shape[1]) + random.normal(size=len(rows))
    labels = np.digitize(good, np.quantile(good, [0.6, 0.8, 0.9, 0.97]))
    data = lightgbm.Dataset(rows, label=labels, group=[10] * (len(rows) // 10), feature_name=names)
    return lightgbm.train(_PARAMETERS, data, num_boost_round=_TREES)


def section(found: Mapping[str, Any]) -> list[str]:
    """The part of a page in docs/."""
    figures = found["figures"]
    families: Sequence[Sequence[Cell]] = [[name, value] for name, value in found["families"].items()]
    return [
        "## Speed of features and model",
        "",
        f"{_CANDIDATES} candidates of {found['items']:,} synthetic items, one thread, milliseconds, p50: all"
        f" {found['columns']} features {figures['speed.features_ms']:.3f}, a model of {_TREES} trees with 15 leaves"
        f" {figures['speed.model_ms']:.3f} (LightGBM {found['lightgbm']['version']}: {found['lightgbm']['p50_ms']:.3f};"
        f" greatest difference {figures['speed.max_diff']:.1e}). Memory: {found['bytes_per_item']:.0f} bytes an item.",
        "",
        *table(["family", "ms"], families),
        "",
    ]


if __name__ == "__main__":
    result = measure()
    print("\n".join(section(result)))
    print(json.dumps(result["figures"], indent=1))
