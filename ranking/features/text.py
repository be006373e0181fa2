"""How the words of the query and of the item agree."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.table import Table
from core.text import query_tokens, tokens
from core.types import Candidate, Floats, Item, ItemId, Query


class _Words(NamedTuple):
    """An item's words, in order and with a blank on either side: ` a b c `, prepared when the catalogue changes.

    Looking for ` b ` in so short a text is as quick as in a set, and it takes a tenth of the memory.
    """

    title: str
    prose: str
    labels: str

    @property
    def distinct(self) -> set[str]:
        """Words anywhere but in the title, which is part of the prose."""
        return {*self.prose.split(), *self.labels.split()}


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
        self._words = Table[_Words](_encode, lambda _, data: _decode(data))
        self._frequency: Counter[str] = Counter()

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        new = {item.id: _prepare(item) for item in upserts}
        for item_id in {*deletes, *new}:
            if old := self._words.get(item_id):
                self._frequency.subtract(old.distinct)
        for words in new.values():
            self._frequency.update(words.distinct)
        self._words.change(new, deletes)

    def save(self, folder: Path) -> None:
        self._words.save(folder)
        (folder / "frequency.json").write_text(json.dumps(+self._frequency), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        frequency = json.loads((folder / "frequency.json").read_bytes())
        self._words.restore(folder)
        self._frequency = Counter(frequency)

    def compute(self, query: Query, candidates: Sequence[Candidate]) -> Floats:
        asked = query_tokens(query.text)
        weights = {f" {token} ": self._idf(token) for token in asked}
        trigrams = _trigrams(asked)
        rows = [self._row(asked, weights, trigrams, candidate.item) for candidate in candidates]
        return np.array(rows, dtype=np.float32)

    def _row(self, asked: list[str], weights: dict[str, float], trigrams: frozenset[str], item: Item) -> list[float]:
        words = self._words.get(item.id) or _prepare(item)
        title, total = words.title, sum(weights.values()) or 1.0
        in_title = [word for word in weights if word in title]
        length = len(title.split())
        places = [title.count(" ", 0, title.index(word)) for word in in_title]
        last = bool(asked) and f" {asked[-1]} " in title
        return [
            sum(weights[word] for word in in_title) / total,
            sum(weight for word, weight in weights.items() if word in words.prose) / total,
            sum(weight for word, weight in weights.items() if word in words.labels) / total,
            len(in_title) / length if length else 0.0,
            float(title == _padded(asked)),
            1 / (1 + min(places)) if places else 0.0,
            1 / (1 + places[-1]) if last else 0.0,
            sum(trigram in title for trigram in trigrams) / len(trigrams) if trigrams else 0.0,
            math.log1p(length),
            float(len(asked)),
        ]

    def _idf(self, token: str) -> float:
        return math.log(1 + (len(self._words) + 1) / (self._frequency[token] + 0.5))


def _prepare(item: Item) -> _Words:
    labels = (value for name, values in item.attributes.items() if not name.endswith("_id") for value in values)
    return _Words(
        title=_padded(tokens(item.fields.get("title", ""))),
        prose=_padded(dict.fromkeys(tokens(" ".join(item.fields.values())))),
        labels=_padded(dict.fromkeys(tokens(" ".join([item.type, *labels])))),
    )


def _padded(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


def _encode(words: _Words) -> bytes:
    return "\n".join(words).encode()


def _decode(data: bytes) -> _Words:
    return _Words(*data.decode().split("\n"))


def _trigrams(words: Sequence[str]) -> frozenset[str]:
    text = _padded(words)
    return frozenset(text[n : n + 3] for n in range(len(text) - 2)) if words else frozenset()
