"""How the words of the query and of the item agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.text import query_tokens, tokens
from core.types import Candidate, Floats, Item, ItemId, Query


@dataclass(frozen=True, slots=True)
class _Words:
    """An item's words, prepared when the catalogue changes."""

    title: tuple[str, ...]
    first: dict[str, int]
    prose: frozenset[str]
    labels: frozenset[str]
    trigrams: frozenset[str]


class TextFeatures:
    """Shares are weighted by inverse document frequency: a rare word that matches counts more than a common one."""

    names = (
        "text.title_share",  # of the query's words, those in the title
        "text.prose_share",  # ..., those in any text field
        "text.label_share",  # ..., those in type or attribute values
        "text.title_filled",  # of the title's words, those in the query
        "text.title_exact",  # 1 when query and title are the same
        "text.title_first",  # 1 / (1 + position in the title of the first query word found there)
        "text.title_last",  # the same for the last word of the query, in English mostly its head noun
        "text.title_trigrams",  # of the query's letter trigrams, those in the title: forgives misspelling
        "text.title_words",  # log(1 + words of the title)
        "query.words",  # of the query; only of use together with the others
    )

    def __init__(self) -> None:
        self._words: dict[ItemId, _Words] = {}
        self._frequency: Counter[str] = Counter()

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        for item_id in (*deletes, *(item.id for item in upserts)):
            if old := self._words.pop(item_id, None):
                self._frequency.subtract(old.prose | old.labels)
        for item in upserts:
            new = self._words[item.id] = _prepare(item)
            self._frequency.update(new.prose | new.labels)

    def compute(self, query: Query, candidates: Sequence[Candidate]) -> Floats:
        asked = query_tokens(query.text)
        weights = {token: self._idf(token) for token in asked}
        total = sum(weights.values()) or 1.0
        trigrams = _trigrams(asked)
        rows = [self._row(asked, weights, total, trigrams, candidate.item) for candidate in candidates]
        return np.array(rows, dtype=np.float32)

    def _row(
        self, asked: list[str], weights: dict[str, float], total: float, trigrams: frozenset[str], item: Item
    ) -> list[float]:
        words = self._words.get(item.id) or _prepare(item)
        in_title = [token for token in asked if token in words.first]
        length = len(words.title)
        return [
            sum(weights[token] for token in in_title) / total,
            sum(weight for token, weight in weights.items() if token in words.prose) / total,
            sum(weight for token, weight in weights.items() if token in words.labels) / total,
            len(in_title) / length if length else 0.0,
            float(words.title == tuple(asked)),
            1 / (1 + min(words.first[token] for token in in_title)) if in_title else 0.0,
            1 / (1 + words.first[asked[-1]]) if asked and asked[-1] in words.first else 0.0,
            len(trigrams & words.trigrams) / len(trigrams) if trigrams else 0.0,
            math.log1p(length),
            float(len(asked)),
        ]

    def _idf(self, token: str) -> float:
        return math.log(1 + (len(self._words) + 1) / (self._frequency[token] + 0.5))


def _prepare(item: Item) -> _Words:
    title = tuple(tokens(item.fields.get("title", "")))
    first: dict[str, int] = {}
    for position, token in enumerate(title):
        first.setdefault(token, position)
    labels = (value for name, values in item.attributes.items() if not name.endswith("_id") for value in values)
    return _Words(
        title=title,
        first=first,
        prose=frozenset(tokens(" ".join(item.fields.values()))),
        labels=frozenset(tokens(" ".join([item.type, *labels]))),
        trigrams=_trigrams(title),
    )


def _trigrams(words: Sequence[str]) -> frozenset[str]:
    text = f" {' '.join(words)} "
    return frozenset(text[n : n + 3] for n in range(len(text) - 2)) if words else frozenset()
