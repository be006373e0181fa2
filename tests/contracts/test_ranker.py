"""What every ranker does."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from words import item

from core.protocols import Ranker
from core.types import Candidate, Features
from ranking.features.extractor import FeatureExtractor
from ranking.ltr import LambdaMart, pack
from ranking.rrf import ReciprocalRankFusion

ARMS = ("lexical", "vector", "memory")
SCHEMA = FeatureExtractor(ARMS).schema


def trees(seed: int) -> LambdaMart:
    """Deep enough to use most features together, with missing values."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(600, len(SCHEMA.names)))
    values[random.random(values.shape) < 0.2] = np.nan
    label = np.nan_to_num(values[:, 0] * values[:, 1]) + np.nan_to_num(values[:, 2:]).sum(axis=1)
    data = lightgbm.Dataset(values, label=label, feature_name=list(SCHEMA.names))
    model = lightgbm.train({"verbosity": -1, "num_threads": 1, "num_leaves": 15}, data, num_boost_round=60)
    return LambdaMart(pack(SCHEMA, model.model_to_string(), anchor={"lexical.rank": 30.0, "vector.rank": 20.0}), SCHEMA)


def answers(seed: int) -> tuple[list[Candidate], Features]:
    """Some candidates with what the arms and anybody may have said of them."""
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 30))
    found = [{arm: int(random.integers(1, 100)) for arm in ARMS if random.random() < 0.6} for _ in range(count)]
    candidates = [
        Candidate(item(f"i{n}", f"Item {n}"), ranks, dict.fromkeys(ranks, 1.0)) for n, ranks in enumerate(found)
    ]
    values = random.normal(size=(count, len(SCHEMA.names))).astype(np.float32)
    values[random.random(values.shape) < 0.3] = np.nan
    return candidates, Features(SCHEMA.names, values, SCHEMA.version)


@pytest.fixture(scope="module", params=["rrf", "trees"])
def ranker(request: pytest.FixtureRequest) -> Ranker:
    return ReciprocalRankFusion() if request.param == "rrf" else trees(1)


@pytest.mark.parametrize("seed", range(20))
def test_base_and_contributions_sum_to_the_score(ranker: Ranker, seed: int) -> None:
    candidates, features = answers(seed)
    scores = ranker.score(candidates, features)
    made = ranker.contributions(candidates, features)
    assert made.amounts.shape == made.values.shape == (len(candidates), len(made.names))
    np.testing.assert_allclose(made.base + made.amounts.sum(axis=1), scores, atol=1e-6)
    assert np.isfinite(made.amounts).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_score_depends_on_the_candidates_own_row_alone(ranker: Ranker, seed: int) -> None:
    candidates, features = answers(seed)
    scores = ranker.score(candidates, features)
    for row, candidate in enumerate(candidates):
        alone = Features(features.names, features.values[row : row + 1], features.schema)
        assert ranker.score([candidate], alone)[0] == pytest.approx(scores[row], abs=1e-12)
        assert ranker.contributions([candidate], alone).base == ranker.contributions(candidates, features).base


def test_no_candidates(ranker: Ranker) -> None:
    features = Features(SCHEMA.names, np.empty((0, len(SCHEMA.names)), dtype=np.float32), SCHEMA.version)
    assert ranker.score([], features).shape == (0,)
    assert len(ranker.contributions([], features).amounts) == 0
