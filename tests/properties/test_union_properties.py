"""Laws of the union and of its fusion, whatever the arms answer."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from words import item

from core.types import Features, ItemId, Scored
from core.union import Ordered, by_arm, ids_of
from ranking.rrf import ReciprocalRankFusion
from retrievers.union import union

ITEMS = {ItemId(f"i{n}"): item(f"i{n}", f"Item {n}") for n in range(12)}
GONE = ItemId("gone")

ids = st.lists(st.sampled_from([*ITEMS, GONE]), unique=True, max_size=10)
answers = st.dictionaries(
    st.sampled_from(["lexical", "vector", "memory"]),
    ids.map(lambda found: [Scored(item_id, 1.0 / n, n % 2 == 0) for n, item_id in enumerate(found, start=1)]),
)


@given(answers)
def test_every_found_item_once_with_all_that_its_arms_said(found: dict[str, list[Scored]]) -> None:
    candidates = union(found, ITEMS)
    by_id = {candidate.item.id: candidate for candidate in candidates}
    assert len(by_id) == len(candidates)
    assert set(by_id) == {hit.item_id for hits in found.values() for hit in hits} - {GONE}
    for arm, hits in found.items():
        for rank, hit in enumerate(hits, start=1):
            if hit.item_id != GONE:
                candidate = by_id[hit.item_id]
                assert (candidate.ranks[arm], candidate.scores[arm]) == (rank, hit.score)
                assert (arm in candidate.predicted) == hit.predicted
    assert sum(len(candidate.ranks) for candidate in candidates) == sum(
        hit.item_id != GONE for hits in found.values() for hit in hits
    )


@given(answers)
def test_columns_and_candidates_say_the_same(found: dict[str, list[Scored]]) -> None:
    candidates = union(found, ITEMS)
    assert ids_of(candidates) == tuple(candidate.item.id for candidate in candidates)
    told, counted = by_arm(candidates), by_arm(list(candidates))
    for arm in found:
        for name in ("rows", "ranks", "scores", "predicted"):
            columns = [getattr(each[arm], name).tolist() if arm in each else [] for each in (told, counted)]
            assert columns[0] == columns[1]


@given(answers, st.randoms())
def test_another_order_is_of_the_same_candidates(found: dict[str, list[Scored]], chance: Random) -> None:
    candidates = union(found, ITEMS)
    rows = chance.sample(range(len(candidates)), len(candidates))
    ordered = Ordered(Ordered(candidates, rows), rows[: len(rows) // 2])
    wanted = [candidates[rows[row]] for row in rows[: len(rows) // 2]]
    assert [*ordered] == [*ordered[:]] == wanted
    assert ids_of(ordered) == tuple(candidate.item.id for candidate in wanted)


def test_of_an_item_that_an_arm_has_twice_the_first_counts() -> None:
    one, other = ItemId("i1"), ItemId("i2")
    hits = [Scored(one, 3.0), Scored(GONE, 2.5), Scored(one, 2.0, True), Scored(other, 1.0, True, "why")]
    first, second = union({"memory": hits}, ITEMS)
    assert (first.item.id, first.ranks, first.scores, first.predicted) == (one, {"memory": 1}, {"memory": 3.0}, set())
    assert (second.item.id, second.ranks, second.predicted) == (other, {"memory": 4}, {"memory"})
    assert second.why == {"memory": "why"}


@given(answers)
def test_the_order_in_which_arms_answer_changes_nothing(found: dict[str, list[Scored]]) -> None:
    assert union(found, ITEMS) == union(dict(reversed(found.items())), ITEMS)


@given(answers)
def test_fusion_puts_nothing_before_what_every_arm_prefers(found: dict[str, list[Scored]]) -> None:
    candidates = union(found, ITEMS)
    scores = ReciprocalRankFusion().score(candidates, Features((), np.empty((len(candidates), 0), dtype=np.float32)))
    for one, score in zip(candidates, scores, strict=True):
        for other, lower in zip(candidates, scores, strict=True):
            if set(one.ranks) >= set(other.ranks) and all(one.ranks[a] < other.ranks[a] for a in other.ranks):
                assert score > lower
