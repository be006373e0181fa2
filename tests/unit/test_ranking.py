"""Features, fusion, and learning to rank on a world whose right order is obvious."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from builders import episode, schema
from words import item, query

from core.errors import CorruptModel
from core.types import Candidate, Features, ItemId, Scored
from ranking.features.extractor import FeatureExtractor
from ranking.features.feature import Schema
from ranking.learner import RankerLearner
from ranking.ltr import LambdaMart
from ranking.rrf import ReciprocalRankFusion
from ranking.training.parameters import Parameters
from retrievers.union import union
from simulation.clicks import PositionBasedClicks

ARMS = ("lexical", "vector")


def candidate(item_id: str, title: str, *, lexical: int = 0, vector: int = 0, **numbers: float) -> Candidate:
    ranks = {arm: rank for arm, rank in (("lexical", lexical), ("vector", vector)) if rank}
    made = item(item_id, title, **numbers)  # type: ignore[arg-type]
    return Candidate(made, ranks, {arm: 1.0 / rank for arm, rank in ranks.items()})


def extract(text: str, candidates: list[Candidate]) -> list[dict[str, float]]:
    extractor = FeatureExtractor(ARMS)
    extractor.apply([each.item for each in candidates], [])
    features = extractor.extract(query(text), candidates)
    assert features.values.shape == (len(candidates), len(features.names))
    assert features.values.dtype == np.float32
    return [dict(zip(features.names, row.tolist(), strict=True)) for row in features.values]


def test_what_the_arms_said() -> None:
    both, one = extract("lamp", [candidate("a", "Lamp", lexical=1, vector=3), candidate("b", "Chair", vector=1)])
    assert (both["lexical.rank"], both["vector.rank"], both["arms.found"]) == (1, 3, 2)
    assert np.isnan(one["lexical.rank"])
    assert np.isnan(one["lexical.score_share"])
    assert both["vector.score_share"] == pytest.approx(1 / 3)
    assert both["arms.rrf"] == pytest.approx(1 / 61 + 1 / 63)


def test_what_an_arm_only_predicts_is_not_ranked_as_if_it_were_seen() -> None:
    hits = [Scored(ItemId("a"), 0.9), Scored(ItemId("b"), 0.3, predicted=True)]
    items = {ItemId(key): item(key, "Lamp") for key in "ab"}
    seen, guessed = union({"vector": hits}, items)
    rows = FeatureExtractor(ARMS).extract(query("lamp"), [seen, guessed])
    rank = rows.values[:, rows.names.index("vector.rank")]
    assert rank[0] == 1
    assert np.isnan(rank[1])
    assert rows.values[:, rows.names.index("arms.found")].tolist() == [1, 0]
    assert rows.values[1, rows.names.index("arms.rrf")] == 0


def test_how_the_words_agree() -> None:
    exact, part, none = extract(
        "desk lamp", [candidate("a", "Desk Lamps"), candidate("b", "Lamp oil"), candidate("c", "Sofa")]
    )
    assert (exact["text.title_exact"], exact["text.title_share"], exact["text.title_filled"]) == (1, 1, 1)
    assert 0 < part["text.title_share"] < 1
    assert part["text.title_last"] == 1
    assert none["text.title_share"] == none["text.title_trigrams"] == 0
    misspelt = extract("desk lmap", [candidate("a", "Desk Lamp")])[0]
    assert misspelt["text.title_trigrams"] > 0.4


def test_missing_numbers_are_nan_and_no_candidates_are_no_rows() -> None:
    assert np.isnan(extract("x", [candidate("a", "x")])[0]["item.price"])
    assert FeatureExtractor(ARMS).extract(query("x"), []).values.shape[0] == 0


def test_fusion_by_hand() -> None:
    candidates = [candidate("a", "x", lexical=2), candidate("b", "x", lexical=3, vector=1)]
    scores = ReciprocalRankFusion().score(candidates, Features((), np.empty((2, 0), dtype=np.float32)))
    np.testing.assert_allclose(scores, [1 / 62, 1 / 63 + 1 / 61])


def test_a_schema_tells_directions_recall_and_any_other_declaration() -> None:
    declared = FeatureExtractor(ARMS).schema
    wanted = dict(zip(declared.names, declared.directions, strict=True))
    assert [wanted[name] for name in ("lexical.score", "lexical.rank", "item.price")] == [1, -1, 0]
    past = {declared.names[column] for column in declared.recalling}
    assert past == {
        "arms.found",
        "arms.rrf",
        "neural.score",
        *(name for name in declared.names if name.startswith(("behaviour.", "popularity.", "item."))),
    }
    other = Schema([replace(declared.features[0], unit="another"), *declared.features[1:]])
    assert other.names == declared.names
    assert other.version != declared.version
    with pytest.raises(ValueError, match=r"twice: lexical\.rank"):
        Schema([*declared.features, declared.features[0]])


NAMES = ("arms.rrf", "good", "noise", "memory.score")
SCHEMA = schema(*NAMES)


def learner(**parameters: float) -> RankerLearner:
    wanted = Parameters.of(parameters)
    return RankerLearner(SCHEMA, min_clicked=100, retrain_every=100, max_episodes=10_000, parameters=wanted)


def good(features: np.ndarray) -> np.ndarray:
    pleasing: np.ndarray = features[:, 1] > 0.7
    return pleasing


def teach(
    ranker: RankerLearner,
    shown: Callable[[np.random.Generator], np.ndarray],
    pages: int,
    seed: int = 1,
    pleases: Callable[[np.ndarray], np.ndarray] = good,
) -> None:
    """Pages of ten, looked at from the top, clicked where they please."""
    random = np.random.default_rng(seed)
    model = PositionBasedClicks(best=1, noise=0.05)
    for n in range(pages):
        features = shown(random)
        grades = pleases(features).astype(int).tolist()
        clicked = model.clicked(grades, random)
        gains = [float(row in clicked) for row in range(len(grades))]
        ranker.learn(
            [
                episode(
                    query_id=str(n), text=f"query {n % 50}", gains=gains, feature_names=NAMES, features=features,
                    schema=SCHEMA.version,
                    shown=[f"i{k}" for k in range(10)], ranks={"lexical": range(1, 11)},
                )
            ]
        )  # fmt: skip


def pages_by(column: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Random items in order of a column, so that position says nothing about `good` unless that is the column."""

    def page(random: np.random.Generator) -> np.ndarray:
        features = random.random((10, len(NAMES)))
        return features[np.argsort(-features[:, column])]

    return page


def shuffled(random: np.random.Generator) -> np.ndarray:
    """Items in no order."""
    return random.random((10, len(NAMES)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_trees_learn_what_pleases_and_not_where_it_stood(seed: int) -> None:
    ranker = learner(anchor=0)
    teach(ranker, pages_by(0), 600, seed)
    model = ranker.snapshot()
    assert model is not None
    test = np.random.default_rng(9).random((300, len(NAMES))).astype(np.float32)
    scores = LambdaMart(model, SCHEMA).predict(test)
    pleasing = test[:, 1] > 0.7
    better = np.mean(scores[pleasing][:, None] > scores[~pleasing][None, :])
    # A band: near-perfect separation would mean that the truth leaks in.
    assert 0.8 < better <= 1.0
    assert abs(np.corrcoef(scores, test[:, 0])[0, 1]) < 0.5


def test_waits_for_enough_clicks_and_for_new_ones() -> None:
    ranker = learner()
    teach(ranker, pages_by(0), 20)
    assert ranker.snapshot() is None
    teach(ranker, pages_by(0), 300)
    assert ranker.snapshot() is not None
    assert ranker.snapshot() is None


def test_a_model_that_orders_worse_is_not_published() -> None:
    ranker = learner()
    # For long, people like what the current order (arms.rrf) puts last; lately, in the held-out part, the contrary.
    teach(ranker, shuffled, 400, pleases=lambda features: features[:, 0] < 0.3)
    teach(ranker, shuffled, 100, pleases=lambda features: features[:, 0] > 0.7)
    assert ranker.snapshot() is None


def test_a_model_for_other_features_is_refused_in_words() -> None:
    ranker = learner()
    teach(ranker, pages_by(0), 300)
    model = ranker.snapshot()
    assert model is not None
    with pytest.raises(CorruptModel, match=r"gone: \['noise'\], new: \['other'\]"):
        LambdaMart(model, schema("arms.rrf", "good", "other", "memory.score"))
    redefined = Schema([replace(feature, meaning="another") for feature in SCHEMA.features])
    with pytest.raises(CorruptModel, match=redefined.version):
        LambdaMart(model, redefined)


def test_to_serve_a_model_needs_no_lightgbm_and_to_explain_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    ranker = learner()
    teach(ranker, pages_by(0), 300)
    model = ranker.snapshot()
    assert model is not None
    values = np.random.default_rng(1).random((20, len(NAMES))).astype(np.float32)
    expected = LambdaMart(model, SCHEMA).predict(values)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    served = LambdaMart(model, SCHEMA)
    assert served.predict(values).tolist() == expected.tolist()
    with pytest.raises(ImportError):
        served.contributions([], Features(SCHEMA.names, values, SCHEMA.version))


def test_rows_of_another_schema_do_not_train() -> None:
    ranker = RankerLearner(schema(*NAMES, "another"), min_clicked=100, retrain_every=100, max_episodes=10_000)
    teach(ranker, pages_by(0), 300)
    assert ranker.snapshot() is None
