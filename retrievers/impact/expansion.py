"""Sparse expansion without a model: a query takes in the words that go with its own, in the catalogue and in clicks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from heapq import nlargest
from pathlib import Path
from threading import Thread

import numpy as np
from numpy.typing import NDArray

from core.pace import unhurried
from core.text import query_tokens, tokens
from core.types import Item
from retrievers.document import labels, prose_tokens
from retrievers.impact.associations import Associations
from retrievers.impact.bm25 import Bm25
from retrievers.impact.expansion_model import Expansions, load_expansions
from retrievers.impact.index import ImpactIndex
from retrievers.impact.term_weights import QueryTerms

# Attribute values are weak evidence beside prose: a word there counts as so much of a word.
LABEL_WEIGHT = 0.2
# Chosen on Cranfield and on known-item queries (words of a title, shown or hidden): more words or more weight find more
# within the first hundred and put the first ten out of order.
ADDED_TERMS = 5
CATALOGUE_WEIGHT = 0.2
# Company says too little of what one word means (`laptop` goes with bags): from so many words on it counts in full, and
# for a single one not at all.
_SURE_WORDS = 4
# Clicks are better evidence than company.
CLICK_WEIGHT = 0.5
_MAX_WEIGHT = 0.6
_MAX_TOKENS = 32
# The associations are prepared anew when this share of the catalogue has changed: the work for a growing catalogue is a
# small multiple of that for the whole.
_STALE_SHARE = 0.5
_BESIDE_FROM = 10_000  # items; below, nobody has to wait for long
_REST_S = 0.002  # beside searches, after every half millisecond of the work: a quarter of a minute for 100,000 items


class CatalogueTerms:
    """BM25's term frequencies; queries expanded as a whole: a word is added for all words that speak for it together.

    A word b gets the weight w x sum over the query's words a of idf(a) strength(a, b) / idf(b), so that it adds at most
    about w times what a matching a does (the whole-query expansion of Qiu and Frei 1993, "Concept based query
    expansion").
    """

    def __init__(
        self,
        *,
        catalogue_weight: float = CATALOGUE_WEIGHT,
        click_weight: float = CLICK_WEIGHT,
        beside_from: int = _BESIDE_FROM,
    ) -> None:
        self.bm25 = Bm25()
        self._catalogue_weight = catalogue_weight
        self._click_weight = click_weight
        self._index = ImpactIndex(self.bm25)
        self._associations = Associations.none()
        self._clicks: Expansions = {}
        self._prepared_at, self._prepared_size = 0, 0
        self._beside_from = beside_from
        self._preparing: Thread | None = None
        self.edition = 0

    def load(self, model: bytes | None) -> None:
        """Swap the expansions learned from clicks in; None forgets them."""
        self._clicks = load_expansions(model) if model else {}

    def refresh(self, index: ImpactIndex) -> None:
        """Prepare the associations anew when enough has changed; takes seconds at 100,000 items.

        At once while the catalogue grows or is small; else beside searches and further changes, which do not wait.
        """
        self._index = index
        if index.changes - self._prepared_at <= _STALE_SHARE * self._prepared_size:
            return
        if len(index) < self._beside_from or len(index) > (1 + _STALE_SHARE) * self._prepared_size:
            self.wait()
            self._prepare(*index.postings(), len(index), 0.0)
        elif self._preparing is None or not self._preparing.is_alive():
            arguments = (*index.postings(), len(index), _REST_S)
            self._preparing = Thread(target=self._prepare, args=arguments, name="associations", daemon=True)
            self._preparing.start()
        else:
            return
        self._prepared_at, self._prepared_size = index.changes, len(index)

    def wait(self) -> None:
        """Until associations that are being prepared are there."""
        if self._preparing is not None:
            self._preparing.join()

    def _prepare(
        self, words: list[str], terms: NDArray[np.int32], documents: NDArray[np.int64], total: int, rest_s: float
    ) -> None:
        self._associations = Associations.of(words, terms, documents, total, rest_s=rest_s)
        self.edition += 1

    def saving(self) -> Callable[[Path], None]:
        return self._associations.save

    def restore(self, folder: Path, index: ImpactIndex) -> None:
        self._associations = Associations.saved(folder, index.terms())
        self._index, self._prepared_at, self._prepared_size = index, index.changes, len(index)

    def documents(self, items: Sequence[Item]) -> list[Mapping[str, float]]:
        return [_frequencies(item) for item in unhurried(items)]

    def query(self, text: str) -> QueryTerms:
        own = query_tokens(text)[:_MAX_TOKENS]
        votes, _ = self._votes(own)
        return QueryTerms(dict.fromkeys(own, 1.0), self._weighed(votes))

    def signals(self, text: str) -> Mapping[str, float]:
        """Share of words known, how many are added and how heavily, and the clicks' share in that."""
        own = query_tokens(text)[:_MAX_TOKENS]
        votes, from_clicks = self._votes(own)
        added = self._weighed(votes)
        known = sum(self._index.frequency(word) > 0 for word in own)
        total = sum(votes[word] for word in added)
        return {
            "known": known / max(len(own), 1),
            "terms": len(added) / 10,
            "weight": sum(added.values()) / max(len(own), 1),
            "clicked": sum(from_clicks[word] for word in added) / total if total else 0.0,
        }

    def _votes(self, own: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
        """By word to add: idf x strength over the query's words, and how much of that is from clicks."""
        votes: defaultdict[str, float] = defaultdict(float)
        from_clicks: defaultdict[str, float] = defaultdict(float)
        clicks, associations = self._clicks, self._associations
        weight = self._catalogue_weight * min(1.0, (len(own) - 1) / (_SURE_WORDS - 1))
        for word in own:
            idf = self._idf(word)
            for other, strength in associations(word):
                votes[other] += weight * idf * strength
            for other, strength in clicks.get(word, ()):
                votes[other] += self._click_weight * idf * strength
                from_clicks[other] += self._click_weight * idf * strength
        for word in own:
            votes.pop(word, None)
        return votes, from_clicks

    def _weighed(self, votes: Mapping[str, float]) -> dict[str, float]:
        """The words with most votes, with their weights."""
        best = nlargest(ADDED_TERMS, ((vote, word) for word, vote in votes.items() if vote > 0))
        return {word: min(vote / self._idf(word), _MAX_WEIGHT) for vote, word in best}

    def _idf(self, word: str) -> float:
        return self.bm25.idf(len(self._index), self._index.frequency(word))


def _frequencies(item: Item) -> Mapping[str, float]:
    found: Counter[str] = Counter(prose_tokens(item, tokens))
    weights = {word: float(count) for word, count in found.items()}
    for word in tokens(labels(item)):
        weights[word] = weights.get(word, 0.0) + LABEL_WEIGHT
    return weights
