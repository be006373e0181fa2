"""What chance does to a page: as often as it says, the same on a replay, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from words import item, query

from app.search.answer import Answer
from app.search.page_rules import PageRules
from app.search.ranked import Ranked
from benchmarks.bandit.exactness import chi2_survival
from core.episodes import Impression
from core.types import Candidate, Choice, Features, Plan
from ranking.rrf import ReciprocalRankFusion

RULES = PageRules(swap=0.4, sampled=3, seed=7)


def answer(number: int, candidates: int = 30) -> Answer:
    found = tuple(Candidate(item(f"i{n}", "x"), {"lexical": n + 1}, {"lexical": 1.0}) for n in range(candidates))
    values = np.arange(candidates, dtype=np.float32)[:, None]
    context = Features((), np.empty(0, dtype=np.float32))
    choice = Choice(Plan("p", {}), 0.5, "test")
    scores = -np.arange(candidates, dtype=float)
    return Answer(
        query=query(f"q{number}"),
        choice=choice,
        context=context,
        ranked=Ranked.of(ReciprocalRankFusion(), found, scores, Features(("row",), values, "s")),
        arms={},
        release=0,
    )


def asked(number: int, candidates: int = 30) -> Answer:
    made = answer(number, candidates)
    return replace(made, query=replace(made.query, id=f"q{number}"))


def test_every_pair_is_swapped_as_often_as_its_logged_probability_says() -> None:
    draws = 9_000
    swapped = [RULES.swapped(asked(n), start=0, size=10) for n in range(draws)]
    seen = Counter(each.swapped for each in swapped)
    expected = {0: 0.6 * draws, **dict.fromkeys(range(1, 10), 0.4 * draws / 9)}
    statistic = sum((seen[place] - wanted) ** 2 / wanted for place, wanted in expected.items())
    assert chi2_survival(statistic, 9) > 0.001
    for each in swapped[:200]:
        assert each.swap_propensity == pytest.approx(0.4 / 9 if each.swapped else 0.6)
        order = each.features.values[:, 0].astype(int).tolist()
        wanted = list(range(30))
        if each.swapped:
            place = each.swapped - 1
            wanted[place : place + 2] = place + 1, place
        assert order == wanted == [int(c.item.id[1:]) for c in each.candidates] == (-each.scores).astype(int).tolist()
        assert each.choice.propensity == 0.5


def test_a_replay_draws_the_same_and_later_pages_only_what_they_show() -> None:
    assert RULES.swapped(asked(5), start=0, size=10).swapped == RULES.swapped(asked(5), start=0, size=10).swapped
    later = Counter(RULES.swapped(asked(n), start=5, size=10).swapped for n in range(500))
    assert set(later) == {0, 6, 7, 8, 9}
    assert {RULES.swapped(asked(n), start=10, size=10).swapped for n in range(100)} == {0}
    alone = [RULES.swapped(asked(n, 1), start=0, size=10) for n in range(50)]
    assert {(each.swapped, each.swap_propensity) for each in alone} == {(0, 1.0)}
    assert PageRules().swapped(asked(1), start=0, size=10).swap_propensity == 1.0


def sampled(answer: Answer) -> Impression:
    return RULES.with_sampled(answer.impression(start=0, size=10, config=""), answer, end=10)


def test_samples_come_evenly_from_below_the_page_without_repeats() -> None:
    pages = [sampled(asked(n)) for n in range(2_000)]
    drawn = [page.sampled.values[:, 0].astype(int).tolist() for page in pages]
    assert {page.below for page in pages} == {20}
    assert all(len(set(each)) == 3 and min(each) >= 10 for each in drawn)
    counts = np.bincount(np.concatenate(drawn), minlength=30)[10:]
    assert chi2_survival(float(((counts - 300) ** 2 / 300).sum()), 19) > 0.001
    one = sampled(asked(1, 11))
    assert (one.sampled.values.tolist(), one.below) == ([[10.0]], 1)
    none = sampled(asked(1, 10))
    assert (none.sampled.values.size, none.below) == (0, 0)
