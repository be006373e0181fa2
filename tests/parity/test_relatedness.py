"""The expected co-engagement against its formula spelt out, and against worlds in which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retrievers.engagements.relatedness import CoEngagement, relate, significance

Pairs = list[tuple[int, int]]
ITEMS = 9
pairs_lists = st.lists(st.tuples(st.integers(0, 7), st.integers(0, ITEMS - 1)), max_size=60)


def prepared(pairs: Pairs, item_count: int = ITEMS) -> CoEngagement:
    array = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return CoEngagement(array[:, 0], array[:, 1], item_count=item_count)


def spelt_out(pairs: Pairs, x: int, y: int) -> tuple[int, float]:
    """N(x, y) and E(x, y), one customer at a time."""
    distinct = set(pairs)
    share = sum(item == y for _, item in distinct) / len(distinct)
    observed, expected = 0, 0.0
    for customer in {customer for customer, item in distinct if item == x}:
        observed += (customer, y) in distinct
        others = sum(1 for c, item in distinct if c == customer and item != x)
        expected += 1 - (1 - share) ** others
    return observed, expected


def naive(pairs: Pairs, item_count: int) -> NDArray[np.float64]:
    """[items, items] customers of x, times the share of y: as if every customer took one other item."""
    taken = np.bincount([item for _, item in set(pairs)], minlength=item_count)
    return np.outer(taken, taken) / taken.sum()


@settings(max_examples=60, deadline=None)
@given(pairs_lists.filter(bool))
def test_counts_are_those_of_the_formula(pairs: Pairs) -> None:
    engagements = prepared(pairs)
    for x in range(ITEMS):
        observed, expected = engagements.observed(x), engagements.expected(x)
        for y in range(ITEMS):
            if x != y:
                truth = spelt_out(pairs, x, y)
                assert observed[y] == truth[0]
                assert expected[y] == pytest.approx(truth[1], rel=1e-9, abs=1e-9)
        assert observed[x] == expected[x] == 0


@settings(max_examples=60, deadline=None)
@given(pairs_lists, st.integers(1, 5), st.integers(1, 3))
def test_relations_are_the_strongest_above_expectation(pairs: Pairs, most: int, least: int) -> None:
    found = relate(prepared(pairs), most=most, least=least)
    for x in range(ITEMS):
        scored = []
        for y in range(ITEMS):
            n, e = spelt_out(pairs, x, y) if pairs and x != y else (0, 0.0)
            if n >= least and n > e:
                scored.append(((n - e) / (e + 1) ** 0.5, y, n))
        span = slice(found.starts[x], found.starts[x + 1])
        got = set(zip(found.related[span].tolist(), found.observed[span].tolist(), strict=True))
        best = sorted((score for score, _, _ in scored), reverse=True)[:most]
        assert found.scores[span].tolist() == pytest.approx(best, abs=1e-5)
        assert got <= {(y, n) for _, y, n in scored}


def test_the_order_of_engagements_and_repeats_change_nothing() -> None:
    rng = np.random.default_rng(1)
    pairs = list(zip(rng.integers(0, 30, 300).tolist(), rng.integers(0, ITEMS, 300).tolist(), strict=True))
    once, again = relate(prepared(pairs)), relate(prepared([*reversed(pairs), *pairs]))
    for name in ("starts", "related", "observed", "expected", "scores"):
        assert getattr(once, name).tolist() == getattr(again, name).tolist()


def test_equal_scores_go_to_the_lower_number() -> None:
    found = relate(prepared([(c, item) for c in range(3) for item in (4, 2, 7)] + [(9, 0)]))
    assert found.related[found.starts[4] : found.starts[5]].tolist() == [2, 7]


def test_customers_who_choose_independently_give_what_is_expected() -> None:
    """Few heavy and many light customers draw from one popularity: observed - expected is 0 in the mean."""
    rng = np.random.default_rng(2)
    item_count = 1_500
    popularity = rng.gamma(2.0, size=item_count)
    popularity /= popularity.sum()
    sizes = np.minimum(2 + rng.pareto(1.2, size=3_000) * 2, 60).astype(int)
    pairs = [
        (customer, int(item))
        for customer, size in enumerate(sizes)
        for item in rng.choice(item_count, size, replace=False, p=popularity)
    ]
    engagements = prepared(pairs, item_count)
    observed = sum(engagements.observed(x).sum() for x in range(item_count))
    expected = sum(engagements.expected(x).sum() for x in range(item_count))
    uncorrected = naive(pairs, item_count).sum()
    assert observed == pytest.approx(expected, rel=0.03)
    assert observed > 5 * uncorrected
    scores = np.concatenate([significance(engagements.observed(x), engagements.expected(x)) for x in range(item_count)])
    assert abs(scores.mean()) < 0.01


def test_heavy_buyers_do_not_make_a_relation() -> None:
    """Heavy buyers all have the tool and the bestseller, among much else; the spare part goes with the tool."""
    rng = np.random.default_rng(3)
    tool, bestseller, part, first_other, other_count = 0, 1, 2, 3, 400
    baskets = [[tool, bestseller, *rng.choice(other_count, 48, replace=False) + first_other] for _ in range(40)]
    baskets += [[tool, part]] * 20
    baskets += [[bestseller, rng.integers(other_count) + first_other] for _ in range(160)]
    baskets += [[*rng.choice(other_count, 2, replace=False) + first_other] for _ in range(2_000)]
    pairs = [(customer, int(item)) for customer, basket in enumerate(baskets) for item in basket]
    engagements = prepared(pairs, first_other + other_count)

    observed = engagements.observed(tool)
    assert observed.argmax() == bestseller
    assert significance(observed, naive(pairs, len(engagements))[tool]).argmax() == bestseller

    corrected = significance(observed, engagements.expected(tool))
    assert corrected.argmax() == part
    assert corrected[bestseller] < 2 < 4 < corrected[part]
    relations = relate(engagements)
    assert relations.related[relations.starts[tool]] == part


def test_nothing_is_related_to_nothing() -> None:
    assert relate(prepared([], 0)).starts.tolist() == [0]
    assert relate(prepared([], 3)).starts.tolist() == [0, 0, 0, 0]
    assert len(relate(prepared([(0, 1), (1, 1), (2, 1)], 3)).related) == 0
    assert len(relate(prepared([(0, 1), (0, 2)], 3)).related) == 0  # one customer alone


def test_fewer_than_expected_is_no_relation() -> None:
    """Half of all engagements are with item 1, and only two of ten heavy buyers of item 0 took it."""
    heavy = [(c, item) for c in range(10) for item in (0, *range(10 + 20 * c, 30 + 20 * c))]
    engagements = prepared([*heavy, (0, 1), (1, 1), *((c, 1) for c in range(10, 210))], 210)
    assert (engagements.observed(0)[1], round(engagements.expected(0)[1])) == (2, 10)
    relations = relate(engagements)
    assert relations.starts[1] == relations.starts[0] == 0
