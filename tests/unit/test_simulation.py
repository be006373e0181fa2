"""Who clicks on what, and who asks what."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from simulation.clicks import CascadeClicks, PositionBasedClicks
from simulation.traffic import zipf


def test_click_probabilities_by_hand() -> None:
    clicks = PositionBasedClicks(best=3, severity=1.0, noise=0.1)
    expected = [0.1 + 0.9 * 3 / 7, (0.1 + 0.9) / 2, 0.1 / 3]
    assert clicks.probabilities([2, 3, 0]).tolist() == pytest.approx(expected)


def test_clicks_come_as_often_as_they_should() -> None:
    clicks = PositionBasedClicks(best=2, severity=0.5, noise=0.2)
    random = np.random.default_rng(3)
    pages = 20_000
    counted = Counter(row for _ in range(pages) for row in clicks.clicked([0, 2, 1], random))
    found = np.array([counted[row] / pages for row in range(3)])
    expected = clicks.probabilities([0, 2, 1])
    assert np.abs(found - expected).max() < 4 * np.sqrt(0.25 / pages)


def test_a_cascade_stops_at_the_first_click_and_whoever_goes_on_is_told_by_the_chances() -> None:
    random, pages = np.random.default_rng(4), 20_000
    strict = CascadeClicks(best=1, goes_on=0.0, tires=0.0, noise=0.5)
    firsts = [strict.clicked([0, 0, 1], random) for _ in range(pages)]
    assert {len(clicked) for clicked in firsts} == {1}
    found = np.bincount([clicked[0] for clicked in firsts], minlength=3) / pages
    assert np.abs(found - [0.5, 0.25, 0.25]).max() < 4 * np.sqrt(0.25 / pages)
    tiring = CascadeClicks(best=1, goes_on=0.4, tires=0.2, noise=0.0)
    second = np.mean([1 in tiring.clicked([1, 1], random) for _ in range(pages)])
    assert abs(second - 0.4) < 4 * np.sqrt(0.25 / pages)
    second = np.mean([1 in tiring.clicked([0, 1], random) for _ in range(pages)])
    assert abs(second - 0.8) < 4 * np.sqrt(0.25 / pages)


def test_zipf_shares_and_seeds() -> None:
    queries = [f"q{n}" for n in range(20)]
    asked = list(islice(zipf(queries, seed=5), 40_000))
    shares = np.array([count for _, count in Counter(asked).most_common()]) / len(asked)
    expected = 1 / np.arange(1, 21)
    assert shares == pytest.approx(expected / expected.sum(), abs=0.01)
    assert asked[:100] == list(islice(zipf(queries, seed=5), 100))
    assert asked[:100] != list(islice(zipf(queries, seed=6), 100))
