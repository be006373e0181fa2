"""The impact index scores what rank-bm25 scores, whatever its segments have been through."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from core.types import ItemId
from retrievers.impact.bm25 import Bm25
from retrievers.impact.index import Document, ImpactIndex


class LuceneOkapi(BM25Okapi):  # type: ignore[misc]
    """rank-bm25 with Lucene's idf, as in retrievers/okapi.py."""

    def _calc_idf(self, nd: Mapping[str, int]) -> None:
        self.idf = {word: math.log(1 + (self.corpus_size - n + 0.5) / (n + 0.5)) for word, n in nd.items()}


def document(item_id: str, words: list[str]) -> Document:
    return Document(ItemId(item_id), {word: float(words.count(word)) for word in words})


def texts(count: int, seed: int) -> dict[str, list[str]]:
    """Texts of Zipfian words: the commonest are in nearly all, most are in one or two."""
    zipf = np.random.default_rng(seed)
    return {
        f"i{n:05d}": [f"w{w}" for w in zipf.zipf(1.3, int(zipf.integers(1, 40))).tolist()] or ["w1"]
        for n in range(count)
    }


def scores(index: ImpactIndex, words: list[str]) -> dict[str, float]:
    return {hit.id: hit.score for hit in index.search(dict.fromkeys(words, 1.0), len(index))}


def expected(catalogue: dict[str, list[str]], words: list[str]) -> dict[str, float]:
    reference = LuceneOkapi(list(catalogue.values()), k1=1.2, b=0.75)
    found = reference.get_scores(list(dict.fromkeys(words)))
    return {key: float(score) for key, score in zip(catalogue, found, strict=True) if score > 0}


def test_bm25_of_many_segments_with_replaced_and_deleted_documents() -> None:
    # More documents than _COLUMN_FLOOR, so that common words are scored by columns too.
    catalogue = texts(2_500, seed=1)
    index = ImpactIndex(Bm25())
    keys = list(catalogue)
    for start in range(0, 2_500, 170):
        index.apply([document(key, catalogue[key]) for key in keys[start : start + 170]], [])
    replaced = dict(zip(keys[::7], texts(400, seed=2).values(), strict=False))
    index.apply([document(key, words) for key, words in replaced.items()], [ItemId(key) for key in keys[1::9]])
    catalogue = {
        key: words for key, words in (catalogue | replaced).items() if key in replaced or key not in keys[1::9]
    }
    assert len(index) == len(catalogue)
    for words in (["w1"], ["w1", "w2", "w3"], ["w1", "w40", "w500", "nowhere"], ["w7", "w11", "w13", "w17", "w900"]):
        assert scores(index, words) == pytest.approx(expected(catalogue, words), abs=1e-4)


def test_changes_count_what_came_went_or_got_other_words() -> None:
    index, catalogue = ImpactIndex(Bm25()), texts(300, seed=4)
    documents = {key: document(key, words) for key, words in catalogue.items()}
    index.apply(list(documents.values()), [])
    assert index.changes == 300
    keys = list(documents)
    priced = [replace(documents[key], numbers={"price": 1.0}, facets=("new",)) for key in keys[:100]]
    again = [document(key, catalogue[key][::-1]) for key in keys[100:200]]
    index.apply([*priced, *again], [])
    assert index.changes == 300
    more = {key: {**documents[key].weights, "w1": 99.0} for key in keys[:10]}
    other = {key: dict(zip("abc", documents[key].weights.values(), strict=False)) for key in keys[10:30]}
    index.apply([replace(documents[key], weights=weights) for key, weights in (more | other).items()], [])
    assert index.changes == 330
    index.apply([document("new", ["w1"])], [ItemId(keys[0])])
    assert index.changes == 332


def test_top_k_is_the_start_of_the_whole_order_with_ties_by_id() -> None:
    catalogue = texts(1_200, seed=3)
    index = ImpactIndex(Bm25())
    shuffled = random.Random(1).sample(sorted(catalogue), len(catalogue))
    index.apply([document(key, catalogue[key]) for key in shuffled], [])
    whole = index.search({"w1": 1.0, "w3": 0.4}, 1_200)
    assert [(hit.score, hit.id) for hit in whole] == sorted(
        ((hit.score, hit.id) for hit in whole), key=lambda hit: (-hit[0], hit[1])
    )
    assert len({hit.score for hit in whole}) < len(whole)  # there are ties
    for depth in (1, 7, 100):
        assert index.search({"w1": 1.0, "w3": 0.4}, depth) == whole[:depth]


words = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([0.25, 0.5, 1.0, 2.0]), max_size=6)
changes = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("uvwxyz"), words, max_size=4), st.sets(st.sampled_from("uvwxyz"))),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(changes, words)
def test_without_bm25_the_score_is_the_dot_product_after_any_changes(
    history: list[tuple[dict[str, dict[str, float]], set[str]]], query: dict[str, float]
) -> None:
    index, held = ImpactIndex(), dict[str, dict[str, float]]()
    for upserts, deletes in history:
        index.apply([Document(ItemId(key), found) for key, found in upserts.items()], [ItemId(k) for k in deletes])
        held = {key: found for key, found in held.items() if key not in deletes} | upserts
    dots = {key: sum(query[t] * found[t] for t in query.keys() & found.keys()) for key, found in held.items()}
    hits = index.search(query, 10, ask=query)
    assert {hit.id: hit.score for hit in hits} == {key: dot for key, dot in dots.items() if dot > 0}
    assert all(set(hit.holds) == query.keys() & held[hit.id].keys() for hit in hits)
    assert [index.frequency(t) for t in "abcdef"] == [sum(t in found for found in held.values()) for t in "abcdef"]
    assert len(index) == len(held)
