"""Where people look, recovered from clicks on pages whose curve we chose ourselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import episode

from core.episodes import Episode
from core.rates import examination
from feedback.position_bias import POSITIONS, PositionBias, assumed_curve, estimate

SIZE = 8


def browse(curve: np.ndarray, pages: int, seed: int, *, learning: bool, goes_on: float | None = None) -> list[Episode]:
    """Searches for 20 queries with 12 answers each, the more attractive ones mostly higher.

    `learning`: the page follows what was clicked so far, the way a real service makes its log. `goes_on`: people look
    from the top down, and after each click they do so with this probability.
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
        if goes_on is not None:
            stopped = np.cumsum(clicked & (random.random(SIZE) >= goes_on)) > 0
            clicked[1:] &= ~stopped[:-1]
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


@pytest.mark.parametrize("goes_on", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("seed", [1, 2])
def test_people_who_have_found_something_look_less_below(goes_on: float, seed: int) -> None:
    """The curve is that of people who have not."""
    curve = 0.85 ** np.arange(SIZE)
    bias = PositionBias()
    episodes = browse(curve, 6_000, seed, learning=True, goes_on=goes_on)
    corrected = bias.correct(episodes)
    assert bias.after_click == pytest.approx(goes_on, abs=0.1)
    assert np.abs(bias.curve[:SIZE] - curve).mean() < np.abs(assumed_curve()[:SIZE] - curve).mean()
    last = corrected[-1]
    late = np.cumsum(last.gains) - last.gains > 0
    now = bias.curve[:SIZE] * np.where(late, bias.after_click, 1.0)
    assert last.examination == pytest.approx(now, rel=0.2)


@pytest.mark.parametrize("seed", [1, 2])
def test_where_clicks_are_independent_a_click_changes_little(seed: int) -> None:
    bias = PositionBias()
    bias.correct(browse(np.arange(1, SIZE + 1) ** -1.0, 6_000, seed, learning=True))
    assert bias.after_click > 0.85


def test_whoever_clicks_much_is_not_taken_to_look_twice() -> None:
    """Below a click there are more clicks, not fewer: examination stays what it is without one."""
    random = np.random.default_rng(1)
    made = []
    for n in range(3_000):
        eager = 0.9 if n % 2 else 0.1
        gains = (random.random(SIZE) < eager).astype(float).tolist()
        made.append(episode(query_id=str(n), text="one", shown=[f"i{i}" for i in range(SIZE)], gains=gains))
    bias = PositionBias()
    bias.correct(made)
    assert bias.after_click == 1.0


def test_without_evidence_the_assumed_curve_holds() -> None:
    bias = PositionBias()
    (corrected,) = bias.correct([episode(gains=(1.0, 0.0, 0.0))])
    assert corrected.examination == pytest.approx([examination(position) for position in (1, 2, 3)])
    np.testing.assert_allclose(estimate({("q", "i", 1): [100, 40, 0, 0]}).curve, assumed_curve())
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


def swapping(curve: np.ndarray, pages: int, seed: int, *, swap: float) -> list[Episode]:
    """Every page of a release of its own, and each item at home at one position: only swaps tell."""
    random = np.random.default_rng(seed)
    attraction = np.linspace(0.8, 0.3, SIZE)
    made = []
    for n in range(pages):
        order = np.arange(SIZE)
        swapped = int(random.integers(1, SIZE)) if random.random() < swap else 0
        if swapped:
            order[[swapped - 1, swapped]] = order[[swapped, swapped - 1]]
        clicked = random.random(SIZE) < attraction[order] * curve
        one = episode(query_id=str(n), shown=[f"i{i}" for i in order], gains=clicked.astype(float).tolist(), ranks={})
        chance = swap / (SIZE - 1) if swapped else 1 - swap
        told = replace(one.impression, release=n, swapped=swapped, swap_propensity=chance)
        made.append(replace(one, impression=told))
    return made


@pytest.mark.parametrize("seed", [1, 2])
def test_swaps_tell_the_curve_where_every_search_has_a_release_of_its_own(seed: int) -> None:
    curve = np.arange(1, SIZE + 1) ** -1.0
    with_swaps, without = PositionBias(), PositionBias()
    with_swaps.correct(swapping(curve, 8_000, seed, swap=0.5))
    without.correct(swapping(curve, 2_000, seed, swap=0.0))
    found = with_swaps.estimated()
    assert (
        np.abs(np.log(found.curve / found.curve[0])[1:SIZE] - np.log(curve[1:])) < 3 * found.log_error[1:SIZE]
    ).all()
    assert found.curve[SIZE - 1] < 0.6 * assumed_curve()[SIZE - 1]
    np.testing.assert_allclose(without.curve, assumed_curve())


def test_what_moved_up_by_luck_between_releases_is_not_taken_for_position() -> None:
    """All alike; each click brings its item to the top of the next release, where it does as all do."""
    curve, random = np.arange(1, SIZE + 1) ** -1.0, np.random.default_rng(3)
    bias, order = PositionBias(), np.arange(SIZE)
    for n in range(3_000):
        clicked = random.random(SIZE) < 0.3 * curve
        one = episode(
            query_id=str(n), text=f"query {n % 3}", shown=[f"i{i}" for i in order],
            gains=clicked.astype(float).tolist(), ranks={},
        )  # fmt: skip
        bias.correct([replace(one, impression=replace(one.impression, release=n))])
        order = np.concatenate([order[clicked], order[~clicked]])
    np.testing.assert_allclose(bias.curve, assumed_curve())
