"""Where people look, recovered from clicks on pages whose curve we chose ourselves."""

from __future__ import annotations

import numpy as np
import pytest
from builders import episode

from core.rates import examination
from core.types import Episode
from feedback.position_bias import POSITIONS, PositionBias, assumed_curve, estimate

SIZE = 8


def browse(curve: np.ndarray, pages: int, seed: int, *, learning: bool) -> list[Episode]:
    """Searches for 20 queries with 12 answers each, the more attractive ones mostly higher.

    `learning`: the page follows what was clicked so far, the way a real service makes its log.
    """
    random = np.random.default_rng(seed)
    attraction = np.where(random.random((20, 12)) < 0.3, 0.8, 0.1)
    gain, shown = np.zeros((20, 12)), np.ones((20, 12))
    made = []
    for n in range(pages):
        row = int(random.integers(20))
        known = gain[row] / shown[row] if learning else 0.5 * attraction[row]
        page = np.argsort(-(known + random.normal(0, 0.3, 12)))[:SIZE]
        clicked = random.random(SIZE) < attraction[row, page] * curve[:SIZE]
        gain[row, page] += clicked
        shown[row, page] += 1
        made.append(
            episode(
                query_id=str(n),
                text=f"query {row}",
                shown=[f"i{i}" for i in page],
                gains=clicked.astype(float).tolist(),
            )
        )
    return made


@pytest.mark.parametrize("learning", [False, True])
@pytest.mark.parametrize("severity", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_curve_is_recovered_whatever_ordered_the_pages(severity: float, learning: bool, seed: int) -> None:
    curve = np.arange(1, SIZE + 1, dtype=float) ** -severity
    bias = PositionBias()
    bias.correct(browse(curve, 6_000, seed, learning=learning))
    assert np.abs(bias.curve[:SIZE] - curve).max() < 0.12
    assert np.abs(bias.curve[:SIZE] - curve).mean() < np.abs(assumed_curve()[:SIZE] - curve).mean()


def test_without_evidence_the_assumed_curve_holds() -> None:
    bias = PositionBias()
    (corrected,) = bias.correct([episode(gains=(1.0, 0.0, 0.0))])
    assert corrected.examination == pytest.approx([examination(position) for position in (1, 2, 3)])
    np.testing.assert_allclose(estimate({("q", "i", 1): [100, 40]}), assumed_curve())
    beyond = [bias.examined(position) for position in (POSITIONS, POSITIONS + 1, 1_000)]
    assert beyond == pytest.approx([examination(position) for position in (POSITIONS, POSITIONS + 1, 1_000)])


def test_an_episode_is_corrected_by_earlier_ones_only_however_they_come_in_batches() -> None:
    episodes = browse(np.linspace(1, 0.1, SIZE), 1_200, 3, learning=True)
    whole, parts = PositionBias(), PositionBias()
    at_once = whole.correct(episodes)
    in_parts = [corrected for n in range(0, 1_200, 7) for corrected in parts.correct(episodes[n : n + 7])]
    assert at_once == in_parts
    assert at_once[499].examination == pytest.approx(episodes[499].examination)
    assert at_once[501].examination != pytest.approx(episodes[501].examination)
