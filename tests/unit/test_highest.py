"""The highest scores are those of sorting them all."""

from __future__ import annotations

import math

import numpy as np
import pytest

from retrievers.highest import highest


@pytest.mark.parametrize("count", [0, 1, 15, 400, 5_000])
@pytest.mark.parametrize("depth", [1, 10, 300])
@pytest.mark.parametrize("above", [-math.inf, 0.0, 0.9])
@pytest.mark.parametrize("ties", [False, True])
def test_highest_are_those_of_sorting(count: int, depth: int, above: float, ties: bool) -> None:
    scores = np.random.default_rng(count + depth).normal(size=count)
    if ties:
        scores = np.round(scores, 1)
    kept = sorted((score for score in scores.tolist() if score > above), reverse=True)
    least = kept[:depth][-1] if kept else math.inf
    assert highest(scores, depth, above=above).tolist() == [n for n, score in enumerate(scores) if score >= least]


def test_a_part_that_is_not_like_the_whole_hides_nothing() -> None:
    scores = np.concatenate([np.full(1_000, 9.0), np.zeros(20_000), np.arange(10.0, 15.0)])
    assert highest(scores, 5).tolist() == [21_000, 21_001, 21_002, 21_003, 21_004]
    assert len(highest(scores[::-1], 6)) == 1_005
