"""What a plan earns beside what its arms say, by the query."""

from __future__ import annotations

import numpy as np
import pytest

from bandit.coverage.corrections import PlanCorrections
from bandit.coverage.union import sigmoid


@pytest.mark.parametrize("truth", [0.2, 0.5, 0.7])
def test_a_correction_closes_the_gap_between_what_is_predicted_and_what_is_earned(truth: float) -> None:
    random, corrections = np.random.default_rng(1), PlanCorrections(2, 1)
    for _ in range(5_000):
        values = np.zeros(1)
        predicted = sigmoid(corrections(values))
        corrections.learn(values, np.array([True, False]), predicted, np.array([float(random.random() < truth), 1.0]))
    known, untold = sigmoid(corrections(np.zeros(1)))
    assert known == pytest.approx(truth, abs=0.04)
    assert untold == 0.5


def test_kinds_of_queries_are_told_apart_and_change_is_followed() -> None:
    random, corrections = np.random.default_rng(2), PlanCorrections(1, 1)

    def learn(chances: tuple[float, float]) -> list[float]:
        for _ in range(12_000):
            kind = int(random.integers(2))
            values = np.array([float(kind)])
            earned = np.array([float(random.random() < chances[kind])])
            corrections.learn(values, np.array([True]), sigmoid(corrections(values)), earned)
        return [float(sigmoid(corrections(np.array([float(kind)])))[0]) for kind in (0, 1)]

    assert learn((0.3, 0.8)) == pytest.approx([0.3, 0.8], abs=0.08)
    assert learn((0.7, 0.4)) == pytest.approx([0.7, 0.4], abs=0.08)
