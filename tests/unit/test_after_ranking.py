"""What the pipeline does after the ranker: the neural stage in time, late or broken, diversity, and what is logged."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from arms_with_items import Okapi, Popular
from tiny_cross_encoder import save_tiny_cross_encoder
from words import item, query

from app.degradation.guarded_arm import ArmLimits
from app.indexing.indexer import ItemTable
from app.search.answer import Answer
from app.search.explanation import explain
from app.search.fanout import FanOut
from app.search.interleave import interleave
from app.search.neural import NeuralStage, Reader
from app.search.pipeline import Pipeline
from app.search.serving import Serving
from bandit.context import context_features
from bandit.fixed import FixedPolicy
from bandit.plans import PlanLibrary
from core.protocols import Ranker
from core.types import ArmStatus, Candidate, ItemId, Plan, Query
from feedback.encoding import decode_impression, encode_impression
from ranking.cross_encoder import CrossEncoderModel
from ranking.diversity import Diversity
from ranking.features.extractor import FeatureExtractor
from ranking.ltr import LambdaMart, pack
from ranking.rrf import ReciprocalRankFusion
from retrievers.document import title
from retrievers.memory import Entry, Recollection

METALS = ("gold", "silver")
ITEMS = [
    item(f"{metal}-{n}", f"Small {metal} ring moon", popularity=1 - n / 10, metal=metal)
    for metal in METALS for n in range(6)
]  # fmt: skip
LIBRARY = PlanLibrary((Plan("all", {"lexical": 20, "popular": 20}),), default="all", arms=("lexical", "popular"))
SCHEMA = FeatureExtractor(("lexical", "popular")).schema
MOON = query("moon")


class Late(CrossEncoderModel):
    """Reads only when it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, title)
        self.go = threading.Event()

    def score(self, query: Query, candidates: list[Candidate]) -> np.ndarray:
        self.go.wait(30)
        return super().score(query, candidates)


class Broken:
    version = "broken"

    def score(self, query: Query, candidates: list[Candidate]) -> np.ndarray:
        raise RuntimeError("no weights")


class Boundless:
    version = "boundless"

    def score(self, query: Query, candidates: list[Candidate]) -> np.ndarray:
        return np.full(len(candidates), np.nan)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def reader(folder: Path) -> Reader:
    return CrossEncoderModel(folder, title)


def stage(reader: Reader, *, top: int = 20, weight: float = 1.0, deadline_ms: float = 30_000.0) -> NeuralStage:
    return NeuralStage(reader, ThreadPoolExecutor(1), top=top, weight=weight, deadline_ms=deadline_ms)


def pipeline(*, neural: NeuralStage | None = None, diversity: Diversity | None = None) -> Pipeline:
    arms = {arm.name: arm for arm in (Okapi(), Popular())}
    items, extractor = ItemTable(), FeatureExtractor(tuple(arms))
    for follower in (items, extractor, *arms.values()):
        follower.apply(ITEMS, [])
    return Pipeline(
        arms=arms, items=items, extractor=extractor, context=context_features, fallback=FixedPolicy(LIBRARY, "all"),
        fan_out=FanOut(arms, ArmLimits(deadline_ms=5_000.0)), neural=neural, diversity=diversity,
    )  # fmt: skip


def serving(ranker: Ranker | None = None) -> Serving:
    return Serving(1, FixedPolicy(LIBRARY, "all"), ranker or ReciprocalRankFusion())


def ids(answer: Answer) -> list[str]:
    return [candidate.item.id for candidate in answer.candidates]


def trees() -> LambdaMart:
    """A model that was trained with neural scores, and without."""
    random = np.random.default_rng(1)
    values = random.normal(size=(500, len(SCHEMA.names)))
    values[::2, SCHEMA.names.index("neural.score")] = np.nan
    label = np.nan_to_num(values[:, SCHEMA.names.index("neural.score")]) + 0.1 * values[:, 0]
    data = lightgbm.Dataset(values, label=label, feature_name=list(SCHEMA.names))
    model = lightgbm.train({"verbosity": -1, "num_threads": 1}, data, num_boost_round=30)
    return LambdaMart(pack(SCHEMA, model.model_to_string()), SCHEMA)


def column(answer: Answer) -> np.ndarray:
    return answer.features.values[:, answer.features.names.index("neural.score")]


def test_what_was_read_orders_the_first_and_leaves_the_others(reader: Reader) -> None:
    plain = pipeline().answer(MOON, serving())
    read = pipeline(neural=stage(reader, top=8)).answer(MOON, serving())
    silver = [name for name in ids(plain)[:8] if name.startswith("silver")]
    assert 0 < len(silver) < 8
    assert sorted(ids(read)[: len(silver)]) == sorted(silver)
    assert sorted(ids(read)[:8]) == sorted(ids(plain)[:8])
    assert ids(read)[8:] == ids(plain)[8:]
    assert read.ranked.neural is not None
    assert (read.ranked.neural.status, read.ranked.neural.depth, read.ranked.neural.found) == (ArmStatus.OK, 8, 8)
    assert read.ranked.version == f"rrf > {reader.version}"


def test_features_and_scores_go_along_and_only_the_first_have_a_neural_score(reader: Reader) -> None:
    read = pipeline(neural=stage(reader, top=5)).answer(MOON, serving())
    np.testing.assert_allclose(column(read)[:5], reader.score(MOON, read.candidates[:5]), atol=1e-4)
    assert np.isnan(column(read)[5:]).all()
    np.testing.assert_allclose(read.scores, ReciprocalRankFusion().score(read.candidates, read.features))
    plain = pipeline().answer(MOON, serving())
    assert [ids(plain)[rank - 1] for rank in read.ranked.places] == ids(read)
    assert np.isnan(column(plain)).all()


def test_logged_features_are_those_that_the_scores_were_made_of(reader: Reader) -> None:
    model = trees()
    read = pipeline(neural=stage(reader, weight=0.0)).answer(MOON, serving(model))
    np.testing.assert_array_equal(read.scores, model.predict(read.features.values))
    assert (np.diff(read.scores) <= 0).all()  # at weight 0 the trees alone decide, with the neural score before them
    assert ids(read)[0].startswith("silver")
    for row, made in enumerate(explain(read, range(len(read.candidates)), nothing, unwritten)):
        total = made.base + sum(part.contribution for part in made.features.values())
        assert total == pytest.approx(read.scores[row], abs=1e-6)
    first = next(iter(explain(read, [0], nothing, unwritten)[0].features))
    assert first == "neural.score"


def test_a_late_model_changes_nothing_and_the_row_says_so(folder: Path) -> None:
    late = Late(folder)
    slow = pipeline(neural=stage(late, deadline_ms=30.0))
    answer, again = slow.answer(MOON, serving()), slow.answer(MOON, serving())
    late.go.set()
    plain = pipeline().answer(MOON, serving())
    for one in (answer, again):
        assert ids(one) == ids(plain)
        assert one.ranked.version == "rrf"
        assert one.ranked.neural is not None
        assert (one.ranked.neural.status, one.ranked.neural.found) == (ArmStatus.TIMEOUT, 0)
        row = one.impression(start=0, size=5, config="c")
        assert row.neural == one.ranked.neural
        assert row.ranked == ()
        assert not row.degraded


@pytest.mark.parametrize("reader", [Broken(), Boundless()], ids=["raises", "not finite"])
def test_a_failing_model_changes_nothing(reader: Reader) -> None:
    answer = pipeline(neural=stage(reader)).answer(MOON, serving())
    assert ids(answer) == ids(pipeline().answer(MOON, serving()))
    assert answer.ranked.neural is not None
    assert answer.ranked.neural.status is ArmStatus.ERROR
    assert np.isnan(column(answer)).all()


def test_without_words_or_with_a_given_ranker_nothing_is_read(reader: Reader) -> None:
    whole = pipeline(neural=stage(reader), diversity=Diversity(4, {"metal": 2}, 0.0, {}))
    assert whole.answer(query(""), serving()).ranked.neural is None
    given = whole.answer(MOON, serving(), ranker=ReciprocalRankFusion())
    assert given.ranked.neural is None
    assert ids(given) == ids(pipeline().answer(MOON, serving()))


def test_pages_continue_and_rows_hold_the_ranks() -> None:
    answer = pipeline(diversity=Diversity(4, {"metal": 2}, 0.0, {})).answer(MOON, serving())
    plain = ids(pipeline().answer(MOON, serving()))
    rows = [answer.impression(start=start, size=3, config="c") for start in range(0, 12, 3)]
    assert [shown for row in rows for shown in row.shown] == ids(answer)
    assert sorted(ids(answer)) == sorted(plain)
    for start in range(0, 12, 4):
        metals = [name.split("-")[0] for name in ids(answer)[start : start + 4]]
        assert sorted(metals) == ["gold", "gold", "silver", "silver"]
    ranks = [answer.ranked.places[place] for place in range(12)]
    assert [plain[rank - 1] for rank in ranks] == ids(answer)
    assert [rank for row in rows if row.ranked for rank in row.ranked]
    for row in rows:
        places = tuple(range(row.first_position, row.first_position + 3))
        assert (row.ranked or places) == tuple(ranks[row.first_position - 1 : row.first_position + 2])


def test_a_row_of_what_was_moved_and_read_survives_the_log(reader: Reader) -> None:
    whole = pipeline(neural=stage(reader), diversity=Diversity(4, {"metal": 2}, 0.0, {}))
    row = whole.answer(MOON, serving()).impression(start=0, size=8, config="c")
    assert row.ranked
    body, context, features = encode_impression(row)
    names = (row.context.names, context), (row.features.names, features)
    back = decode_impression(row.query.id, row.query.time, body, *names)
    assert (back.ranked, back.neural) == (row.ranked, row.neural)
    plain = pipeline().answer(MOON, serving()).impression(start=0, size=8, config="c")
    assert b'"ranked"' not in encode_impression(plain)[0]
    assert b'"neural"' not in encode_impression(plain)[0]


def unwritten(item_id: ItemId) -> None:
    """Nobody has written about anything."""


def nothing(text: str, most: int) -> Recollection:
    return Recollection([], {})


def test_fusion_is_explained_by_its_arms_and_other_features_add_nothing() -> None:
    answer = pipeline().answer(MOON, serving())
    for row, made in enumerate(explain(answer, range(5), nothing, unwritten)):
        ranks = answer.candidates[row].ranks
        assert {name: part.contribution for name, part in made.features.items() if part.contribution} == {
            f"{arm}.rank": pytest.approx(1 / (60 + rank)) for arm, rank in ranks.items()
        }
        assert made.features["text.title_words"].value == pytest.approx(np.log1p(4))
        assert (made.base, made.ranked, made.held_back, made.memory) == (0.0, row + 1, "", None)
        adds = [abs(part.contribution) for part in made.features.values()]
        assert adds == sorted(adds, reverse=True)


def test_an_explanation_tells_who_moved_it_and_what_is_remembered() -> None:
    answer = pipeline(diversity=Diversity(4, {"metal": 2}, 0.0, {})).answer(MOON, serving())
    held = next(row for row, rank in enumerate(answer.ranked.places) if rank <= row)
    entry = Entry(ItemId(ids(answer)[held]), 0.5, 2.0, 6.0, 0.26)
    made = explain(answer, [held], lambda text, most: Recollection([entry], {}), unwritten)[0]
    assert made.held_back.startswith("metal = ")
    assert made.held_back.endswith(": 2 on the page")
    assert made.ranked == answer.ranked.places[held] <= held
    assert made.memory == entry


def test_of_two_interleaved_answers_each_row_is_explained_by_its_own_ranker() -> None:
    both = pipeline()
    first, second = both.answer(MOON, serving()), both.answer(MOON, serving(trees()))
    mixed = replace(interleave(first, second, seed=1), experiment="try:both")
    assert {type(ranker) for ranker in mixed.ranked.rankers} == {ReciprocalRankFusion, LambdaMart}
    for row, made in enumerate(explain(mixed, range(len(mixed.candidates)), nothing, unwritten)):
        total = made.base + sum(part.contribution for part in made.features.values())
        assert total == pytest.approx(mixed.scores[row], abs=1e-6)
