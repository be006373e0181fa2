"""How the words of the query and of the item agree."""

from __future__ import annotations

import math
from collections.abc import Sequence, Sized

import numpy as np
from numpy.typing import NDArray

from core.text import query_tokens
from core.types import Floats
from ranking.features.asked import Asked
from ranking.features.feature import Feature
from ranking.features.said import (
    LABELS,
    LAST_POSITION,
    POSITION,
    PROSE,
    TITLE,
    TRIGRAM_CODES,
    VOICES,
    title_hash,
    trigrams,
)
from ranking.features.words import Words

_PLACES = np.array([TITLE, PROSE, LABELS, VOICES], dtype=np.uint16)[:, None, None]
_NEARNESS = 1 / np.arange(1.0, LAST_POSITION + 2)  # by position in the title
_SOURCE, _BY_IDF = "words of query and item", "share, by inverse document frequency"


class TextFeatures:
    """Shares are weighted by inverse document frequency: a rare word that matches counts more than a common one."""

    features = (
        Feature("text.title_share", "of the query's words, those in the title", _SOURCE, _BY_IDF, "0..1", "", 1),
        Feature("text.prose_share", "of the query's words, those in any text field", _SOURCE, _BY_IDF, "0..1", "", 1),
        Feature("text.label_share", "..., those in type or attribute values", _SOURCE, _BY_IDF, "0..1", "", 1),
        Feature(
            "text.voice_share", "..., those in reviews, questions and answers", _SOURCE, _BY_IDF, "0..1",
            "nobody wrote anything", 1,
        ),
        Feature("text.title_filled", "of the title's words, those in the query", _SOURCE, "share", "0..1"),
        Feature("text.title_exact", "1 when query and title are the same", _SOURCE, "flag", "0..1", "", 1),
        Feature(
            "text.title_first", "1 / (1 + position in the title of the first query word found there)", _SOURCE, "",
            "0..1", "", 1,
        ),
        Feature(
            "text.title_last", "the same for the last word of the query, in English mostly its head noun", _SOURCE, "",
            "0..1", "", 1,
        ),
        Feature(
            "text.title_trigrams", "of the query's letter trigrams, those in the title: forgives misspelling", _SOURCE,
            "share", "0..1", "", 1,
        ),
        Feature("text.title_words", "length of the title", _SOURCE, "log(1 + words)", "0.."),
    )  # fmt: skip

    def __init__(self, words: Words, catalogue: Sized) -> None:
        """Both are kept up to date by somebody else; `catalogue` is as long as there are items."""
        self._words = words
        self._catalogue = catalogue

    def compute(self, asked: Asked, out: Floats) -> None:
        words, of = query_tokens(asked.query.text), self._words
        found = self._found(asked, words)
        weights = np.array([self.idf(word) for word in words])
        weights /= weights.sum() or 1.0
        there = (found & _PLACES) > 0
        in_title = there[0]
        lengths = of.lengths.take(asked.slots)
        out[0:4] = weights @ there
        out[3, ~of.voiced.take(asked.slots)] = np.nan
        out[4] = np.add.reduce(in_title, axis=0, dtype=np.int32) / np.maximum(lengths, 1)
        out[5] = of.titles.take(asked.slots) == np.uint64(title_hash(words))
        nearness = _NEARNESS.take(found >> POSITION) * in_title
        out[6] = nearness.max(axis=0, initial=0.0)
        out[7] = nearness[-1] if words else 0.0
        out[8] = self._trigram_share(asked, words)
        out[9] = np.log1p(lengths)

    def idf(self, word: str) -> float:
        return math.log(1 + (len(self._catalogue) + 1) / (self._words.frequency(self._words.number(word)) + 0.5))

    def _found(self, asked: Asked, words: Sequence[str]) -> NDArray[np.uint16]:
        """[words, candidates] where each has each word, 0 for nowhere."""
        flat = self._words.words.flat(asked.slots)
        numbers, places = flat.parts
        wanted = np.array([self._words.number(word) for word in words], dtype=np.int32)
        hits = np.flatnonzero(numbers.take(flat.at) == wanted[:, None])
        word, entry = np.divmod(hits, max(len(flat.at), 1))
        found = np.zeros((len(words), len(asked.slots)), dtype=np.uint16)
        found[word, flat.rows(entry)] = places.take(flat.at.take(entry))
        return found

    def _trigram_share(self, asked: Asked, words: Sequence[str]) -> NDArray[np.float64]:
        marked = np.zeros(TRIGRAM_CODES, dtype=bool)
        marked[trigrams(words)] = True
        flat = self._words.trigrams.flat(asked.slots)
        counts = flat.sums(marked.take(flat.parts[0].take(flat.at)))
        share: NDArray[np.float64] = counts / max(int(np.count_nonzero(marked)), 1)
        return share
