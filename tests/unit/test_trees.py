"""Trees evaluated in numpy give what LightGBM gives."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from ranking.trees import Trees, Unsupported


def rows(random: np.random.Generator, count: int, features: int = 12) -> NDArray[np.float32]:
    """With missing values, zeros, few distinct values in some columns, and figures next to nothing."""
    values = random.normal(size=(count, features)).astype(np.float32)
    values[random.random(values.shape) < 0.15] = np.nan
    values[random.random(values.shape) < 0.15] = 0.0
    values[:, ::3] = np.round(values[:, ::3])
    values[random.random(values.shape) < 0.02] = 1e-36
    values[:, 1] = np.abs(values[:, 1])  # no value below 0
    values[:, 2] = np.nan_to_num(values[:, 2])  # never missing in training
    return values


def trained(seed: int, **parameters: object) -> lightgbm.Booster:
    random = np.random.default_rng(seed)
    values = rows(random, 1_000)
    labels = np.clip(np.nan_to_num(values[:, :5]).sum(axis=1) + random.normal(size=1_000), 0, 4).astype(int)
    data = lightgbm.Dataset(values, label=labels, group=[10] * 100)
    wanted = {"objective": "lambdarank", "verbosity": -1, "num_threads": 1, "seed": seed, "min_data_in_leaf": 5}
    return lightgbm.train({**wanted, **parameters}, data, num_boost_round=20)


def assert_equal(model: lightgbm.Booster, seed: int) -> None:
    asked = rows(np.random.default_rng(1_000 + seed), 700)
    asked[0], asked[1], asked[2], asked[3] = np.nan, 0.0, np.inf, -np.inf
    trees = Trees(model.model_to_string())
    for values in (asked, asked.astype(np.float64), asked[:1], asked[:, ::-1][:, ::-1]):
        np.testing.assert_allclose(trees.predict(values), model.predict(values, num_threads=1), rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_as_lightgbm(seed: int) -> None:
    leaves = (2, 7, 15, 16, 31, 64)[seed]
    assert_equal(trained(seed, num_leaves=leaves), seed)


@pytest.mark.parametrize("parameters", [{"zero_as_missing": True}, {"use_missing": False}], ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_as_lightgbm_however_values_are_missing(seed: int, parameters: dict[str, object]) -> None:
    assert_equal(trained(seed, num_leaves=15, **parameters), seed)


def test_values_at_the_thresholds() -> None:
    model = trained(1, num_leaves=15)
    trees = Trees(model.model_to_string())
    splits = [
        (split["split_feature"], split["threshold"])
        for tree in model.dump_model()["tree_info"]
        for split in _splits(tree["tree_structure"])
    ]
    asked = np.zeros((len(splits), 12))
    for row, (feature, threshold) in enumerate(splits):
        asked[row, feature] = threshold
    np.testing.assert_allclose(trees.predict(asked), model.predict(asked), rtol=0, atol=1e-9)


def _splits(node: dict) -> list[dict]:
    if "split_feature" not in node:
        return []
    return [node, *_splits(node["left_child"]), *_splits(node["right_child"])]


def test_trees_that_are_a_leaf_and_no_rows() -> None:
    random = np.random.default_rng(1)
    data = lightgbm.Dataset(random.random((100, 3)), label=np.ones(100), group=[10] * 10)
    model = lightgbm.train({"objective": "lambdarank", "verbosity": -1}, data, num_boost_round=3)
    trees = Trees(model.model_to_string())
    assert trees.predict(np.zeros((4, 3))).tolist() == model.predict(np.zeros((4, 3))).tolist()
    assert trees.predict(np.zeros((0, 3))).shape == (0,)


def test_what_they_cannot_do_is_refused() -> None:
    with pytest.raises(Unsupported, match="65 leaves"):
        Trees(trained(1, num_leaves=65).model_to_string())
    random = np.random.default_rng(1)
    values, labels = random.integers(0, 9, size=(500, 2)), random.integers(0, 2, size=500)
    data = lightgbm.Dataset(values, label=labels, group=[10] * 50, categorical_feature=[0])
    small = {"objective": "lambdarank", "verbosity": -1, "min_data_in_leaf": 2, "min_data_per_group": 2}
    with pytest.raises(Unsupported, match="categorical"):
        Trees(lightgbm.train({**small, "cat_smooth": 0}, data, num_boost_round=5).model_to_string())
    binary = lightgbm.train({"objective": "binary", "verbosity": -1}, lightgbm.Dataset(values, label=labels), 3)
    with pytest.raises(Unsupported, match="binary"):
        Trees(binary.model_to_string())
