"""tantivy scores what rank-bm25 scores on one field.

The variant: Okapi's BM25 with k1 = 1.2, b = 0.75 and Lucene's idf, ln(1 + (N - n + 0.5) / (n + 0.5)), which rank-bm25
has not by itself (its own is below 0 for common words and replaced there). tantivy rounds lengths above 40.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from rank_bm25 import BM25Okapi
from words import query

from core.types import Item, ItemId
from retrievers.lexical import LexicalRetriever, Weights


class LuceneOkapi(BM25Okapi):  # type: ignore[misc]
    def _calc_idf(self, nd: Mapping[str, int]) -> None:
        self.idf = {word: math.log(1 + (self.corpus_size - n + 0.5) / (n + 0.5)) for word, n in nd.items()}


def texts(count: int) -> dict[str, list[str]]:
    """Texts of 1 to 39 Zipfian words: the commonest are in nearly all, most are in one or two."""
    zipf = np.random.default_rng(1)
    return {
        f"i{n:04d}": [f"w{w}" for w in zipf.zipf(1.3, int(zipf.integers(1, 40))).tolist() if w < 1_000] or ["w1"]
        for n in range(count)
    }


def test_the_score_of_the_prose_is_bm25() -> None:
    catalogue = texts(1_000)
    arm = LexicalRetriever(Weights(labels=0, voices=0, proximity=0, popularity=0))
    items = [Item(ItemId(key), "item", {"description": " ".join(words)}) for key, words in catalogue.items()]
    for start in range(0, 1_000, 300):  # several segments
        arm.apply(items[start : start + 300], [])
    reference = LuceneOkapi(list(catalogue.values()), k1=1.2, b=0.75)
    for words in (["w1"], ["w2", "w3"], ["w1", "w40", "w7"], ["w5", "w11", "w13", "w17", "w90"]):
        found = {hit.item_id: hit.score for hit in arm.retrieve(query(" ".join(words)), 1_000)}
        scores = zip(catalogue, reference.get_scores(words), strict=True)
        assert found == pytest.approx({key: float(score) for key, score in scores if score > 0}, abs=1e-4)
