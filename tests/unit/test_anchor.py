"""What rank fusion says beside the trees: weights that clicks tell, scaled to what the trees say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from builders import schema

from core.errors import CorruptModel
from ranking.anchor import ANCHOR_K, Anchor
from ranking.ltr import LambdaMart, pack
from ranking.training.anchor import anchor_scale, fusion_weights
from ranking.training.child import Training
from ranking.training.parameters import Parameters
from ranking.training.rows import ClickedPage

NAMES = ("arms.rrf", "lexical.rank", "vector.rank", "memory.rank", "good")
SCHEMA = schema(*NAMES)
TRUTH = np.array([3.0, 1.0])


def pages(count: int) -> list[ClickedPage]:
    """Clicks go to what the lexical arm has near the top, and a little to the vector arm's."""
    random = np.random.default_rng(3)
    made = []
    for n in range(count):
        features = random.random((10, len(NAMES))).astype(np.float32)
        features[:, 1:4] = random.integers(1, 60, (10, 3))
        features[random.random(10) < 0.2, 2] = np.nan
        best = np.nan_to_num(3 / (ANCHOR_K + features[:, 1]) + 1 / (ANCHOR_K + features[:, 2])).argmax()
        gains = (np.arange(10) == best).astype(float)
        made.append(ClickedPage(f"q{n}", features, gains, np.arange(1, 11), np.ones(10), features[:0]))
    return made


def test_who_is_chosen_tells_the_weights() -> None:
    random = np.random.default_rng(1)
    places = 1 / (ANCHOR_K + random.integers(1, 100, (4_000, 8, 2)))
    scores = places / places.max() @ TRUTH * 4
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    gains = np.array([random.multinomial(1, each) for each in chances], dtype=float)
    found = fusion_weights(places.reshape(-1, 2), gains.ravel(), np.full(4_000, 8), np.ones(32_000))
    assert found[0] / found[1] == pytest.approx(3, rel=0.15)


def test_an_arm_whose_first_places_are_passed_by_has_little_say() -> None:
    places = np.array([[0.05, 0.01], [0.01, 0.05], [0.04, 0.02], [0.02, 0.04]])
    found = fusion_weights(places, np.array([1.0, 0.0, 1.0, 0.0]), np.array([2, 2]), np.ones(4))
    assert found[0] > 1
    assert 0 < found[1] < found[0] / 10


def test_what_is_below_the_page_tells_the_weights_too() -> None:
    random = np.random.default_rng(1)
    found = 1 / (ANCHOR_K + random.integers(1, 100, (3_000, 40, 2)))
    order = np.argsort(-(found @ TRUTH), axis=1)
    found = np.take_along_axis(found, order[:, :, None], axis=1)  # ten are shown, and those below sampled
    scores = found / found.max() @ TRUTH * 4
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    chosen = np.array([random.choice(40, p=each) for each in chances])
    seen = np.hstack([np.arange(10)[None].repeat(3_000, axis=0), random.integers(10, 40, (3_000, 2))])
    kept = np.flatnonzero(chosen < 10)
    rows = np.take_along_axis(found, seen[:, :, None], axis=1)[kept].reshape(-1, 2)
    gains = (seen == chosen[:, None])[kept].astype(float).ravel()
    stands = np.tile([1.0] * 10 + [15.0] * 2, len(kept))
    weights = fusion_weights(rows, gains, np.full(len(kept), 12), stands)
    assert weights[0] / weights[1] == pytest.approx(3, rel=0.15)


def test_where_clicks_say_nothing_the_arms_count_alike_and_little() -> None:
    random = np.random.default_rng(1)
    places = 1 / (ANCHOR_K + random.integers(1, 100, (500, 8, 2)))
    last = places.sum(axis=2).argmin(axis=1)  # the log of a model that knows better shows worse what both arms like
    gains = (np.arange(8) == last[:, None]).astype(float)
    found = fusion_weights(places.reshape(-1, 2), gains.ravel(), np.full(500, 8), np.ones(4_000))
    assert found.min() > 0
    assert found[0] == pytest.approx(found[1], rel=0.2)
    assert (places @ found).std(axis=1).mean() < 0.1


def test_fusion_sets_items_apart_by_the_wanted_share_of_what_trees_do() -> None:
    random = np.random.default_rng(1)
    groups, fused = np.array([3, 50, 10]), random.random(63) * 7
    scores = np.concatenate([page * 7 for page in np.split(random.random(63), [3, 53])]) + 100
    scale = anchor_scale(scores, fused, groups, 0.5)
    apart, fusion_apart = (
        np.mean([page.std() for page in np.split(values, [3, 53])]) for values in (scores, scale * fused)
    )
    assert fusion_apart == pytest.approx(apart / 2)
    assert anchor_scale(scores, np.zeros(63), groups, 0.5) == 0
    assert anchor_scale(scores, fused / 100, groups, 0.5) == 1  # says little, and is not made to say more


def test_the_anchor_by_hand() -> None:
    values = np.array([[0, 1, np.nan, 3, 0], [0, 5, 2, 1, 0]], dtype=np.float32)
    anchor = Anchor({"vector.rank": 2.0, "lexical.rank": 3.0}, NAMES)
    np.testing.assert_allclose(anchor.score(values), [3 / 21, 2 / 22 + 3 / 25])
    np.testing.assert_allclose(anchor.amounts(values), [[0, 3 / 21], [2 / 22, 3 / 25]])


def test_a_trained_model_is_its_trees_and_the_anchor() -> None:
    shown = pages(300)
    model = Training(shown, [], SCHEMA, Parameters(), memory_mib=2_048).model()
    head, _, trees = model.decode().partition("\n")
    weights = json.loads(head.partition(" anchor ")[2])
    assert [*weights] == ["lexical.rank", "vector.rank"]  # the memory knows what was asked before
    assert weights["lexical.rank"] > 2 * weights["vector.rank"] > 0
    values = shown[0].features
    alone = LambdaMart(pack(SCHEMA, trees), SCHEMA).predict(values)
    np.testing.assert_allclose(LambdaMart(model, SCHEMA).predict(values), alone + Anchor(weights, NAMES).score(values))


def test_without_an_anchor_there_are_only_trees() -> None:
    model = Training(pages(100), [], SCHEMA, Parameters(anchor=0.0), memory_mib=2_048).model()
    assert model.decode().partition("\n")[0].endswith(" anchor {}")


@pytest.mark.parametrize("anchor", ["0.5", "{broken"])
def test_a_model_without_a_weight_for_each_arm_is_refused(anchor: str) -> None:
    trees = Training(pages(100), [], SCHEMA, Parameters(), memory_mib=2_048).model().decode().partition("\n")[2]
    with pytest.raises(CorruptModel, match=f"no weight for each arm, but '{anchor}'"):
        LambdaMart(f"schema {SCHEMA.version} anchor {anchor}\n{trees}".encode(), SCHEMA)
