"""What serves in numpy is what Vowpal Wabbit learned."""

import numpy as np
import pytest

from bandit.coverage.heads import LinearHeads


def test_exported_weights_predict_what_vw_predicts() -> None:
    random = np.random.default_rng(1)
    heads = LinearHeads([0, 0, 1, 1, 2], 12, seed=1)
    truth = random.normal(size=(5, 12))
    for _ in range(2_000):
        values, head = random.normal(size=12), int(random.integers(5))
        heads.learn(head, values, target=float(truth[head] @ values > 0), weight=float(random.uniform(0.5, 3)))
    weights = heads.export()
    for _ in range(200):
        values, head = random.normal(size=12), int(random.integers(5))
        ours = 1 / (1 + np.exp(-(weights[head, :-1] @ values + weights[head, -1])))
        assert abs(ours - heads.predict(head, values)) < 1e-5
    agreed = [
        (weights[head, :-1] @ v > 0) == (truth[head] @ v > 0) for head in range(5) for v in random.normal(size=(50, 12))
    ]
    assert np.mean(agreed) > 0.9  # it did learn
    heads.close()


@pytest.mark.parametrize("target", [0.1, 0.5, 0.9])
def test_a_target_between_no_and_yes_is_what_is_learned(target: float) -> None:
    heads = LinearHeads([0, 1], 1, seed=1)
    for _ in range(1_000):
        heads.learn(1, np.ones(1), target)
    assert heads.predict(1, np.ones(1)) == pytest.approx(target, abs=0.03)
    assert heads.predict(0, np.ones(1)) == pytest.approx(0.5)
    heads.close()
