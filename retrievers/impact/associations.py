"""Which words go together in the catalogue: normalised pointwise mutual information of words within items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from core.pace import unhurried
from core.text import STOP_WORDS
from core.types import Floats

# A word is known well enough to be associated from this many items on, and a pair from this many common ones.
_MIN_ITEMS = 3
# What is in more items than this share tells them apart too little to be worth adding.
_MAX_SHARE = 0.1
# Pairs less than twice as frequent as by chance are chance.
_MIN_PMI = 0.7
_PER_WORD = 16
# Bounds on the time to prepare: words (the most frequent ones) and items looked at per word.
_MAX_WORDS = 20_000
_SAMPLE = 256


@dataclass(frozen=True, slots=True)
class Associations:
    """For each word its strongest associates, best first: `targets` numbers `words`, `strengths` are 0..1."""

    words: Sequence[str]
    rows: Mapping[str, int]
    targets: NDArray[np.int32]
    strengths: Floats

    @classmethod
    def none(cls) -> Associations:
        return cls((), {}, np.empty((0, _PER_WORD), np.int32), np.empty((0, _PER_WORD), np.float32))

    @classmethod
    def of(
        cls,
        words: Sequence[str],
        terms: NDArray[np.int32],
        documents: NDArray[np.int64],
        total: int,
        *,
        rest_s: float = 0.0,
    ) -> Associations:
        """From the words of all documents: pairs of `terms` (numbers of `words`) and `documents`, each once. `rest_s`:
        see core.pace.

        npmi(a, b) = ln(p(a, b) / p(a) p(b)) / -ln p(a, b), p = share of the `total` documents; Bouma 2009,
        "Normalized (pointwise) mutual information in collocation extraction".
        """
        frequencies = np.bincount(terms, minlength=len(words))
        plain = np.array([word not in STOP_WORDS for word in words], dtype=np.bool_)
        sources = np.flatnonzero(plain & (frequencies >= _MIN_ITEMS))
        sources = sources[np.argsort(-frequencies[sources], kind="stable")][:_MAX_WORDS]
        wordy = np.array([len(word) > 1 and not word.isdigit() for word in words], dtype=np.bool_)
        telling = plain & wordy & (frequencies >= _MIN_ITEMS) & (frequencies <= max(_MAX_SHARE * total, _MIN_ITEMS))
        counted = _Cooccurrence.of(terms, documents, telling, frequencies)
        targets = np.zeros((len(sources), _PER_WORD), dtype=np.int32)
        strengths = np.zeros((len(sources), _PER_WORD), dtype=np.float32)
        for row, source in enumerate(unhurried(sources.tolist(), rest_s=rest_s)):
            others, together = counted.with_word(source)
            found = _npmi(together, frequencies[source], frequencies[others], total)
            best = np.argsort(-found, kind="stable")[:_PER_WORD]
            targets[row, : len(best)] = others[best]
            strengths[row, : len(best)] = found[best]
        return cls(words, {words[source]: row for row, source in enumerate(sources.tolist())}, targets, strengths)

    def save(self, folder: Path) -> None:
        """Write all but `words` to files in this folder."""
        (folder / "associated.json").write_bytes(orjson.dumps(list(self.rows)))
        np.savez(folder / "associations.npz", targets=self.targets, strengths=self.strengths)

    @classmethod
    def saved(cls, folder: Path, words: Sequence[str]) -> Associations:
        """As they were saved there; `words` begins as it did then."""
        rows = {word: row for row, word in enumerate(orjson.loads((folder / "associated.json").read_bytes()))}
        with np.load(folder / "associations.npz") as arrays:
            return cls(words, rows, arrays["targets"], arrays["strengths"])

    def __call__(self, word: str) -> Iterator[tuple[str, float]]:
        """Associates and strengths above 0, best first."""
        row = self.rows.get(word)
        if row is None:
            return iter(())
        pairs = zip(self.targets[row].tolist(), self.strengths[row].tolist(), strict=True)
        return ((self.words[target], strength) for target, strength in takewhile(lambda pair: pair[1] > 0, pairs))


@dataclass(frozen=True, slots=True)
class _Cooccurrence:
    """Documents by word, and telling words by document (compressed sparse rows both)."""

    by_word: NDArray[np.int64]
    word_starts: NDArray[np.int64]
    by_document: NDArray[np.int64]
    document_starts: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        terms: NDArray[np.int32],
        documents: NDArray[np.int64],
        telling: NDArray[np.bool_],
        frequencies: NDArray[np.int64],
    ) -> _Cooccurrence:
        kept = telling[terms]
        order = np.argsort(documents[kept], kind="stable")
        sizes = np.bincount(documents[kept], minlength=int(documents.max(initial=-1)) + 1)
        return cls(
            by_word=documents[np.argsort(terms, kind="stable")],
            word_starts=np.append(0, np.cumsum(frequencies)),
            by_document=terms[kept][order].astype(np.int64),
            document_starts=np.append(0, np.cumsum(sizes)),
        )

    def with_word(self, word: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Other words that share enough documents with it, and in how many (estimated from a sample of them)."""
        documents = self.by_word[self.word_starts[word] : self.word_starts[word + 1]]
        everywhere = len(documents)
        if everywhere > _SAMPLE:
            documents = documents[np.linspace(0, everywhere - 1, _SAMPLE).astype(np.int64)]
        starts, ends = self.document_starts[documents], self.document_starts[documents + 1]
        spans = [self.by_document[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        others, counts = np.unique(np.concatenate(spans), return_counts=True)
        kept = (counts >= _MIN_ITEMS) & (others != word)
        return others[kept], counts[kept] * (everywhere / len(documents))


def _npmi(together: NDArray[np.float64], source: int, others: NDArray[np.int64], total: int) -> NDArray[np.float64]:
    """0 where the words are not associated."""
    # An estimate from a sample may be more than there can be.
    together = np.minimum(together, np.minimum(source, others))
    pmi = np.log(together * total / (source * others.astype(np.float64)))
    found = pmi / np.maximum(-np.log(together / total), 1e-9)
    return np.where(pmi >= _MIN_PMI, np.clip(found, 0.0, 1.0), 0.0)
