"""The sparse arm: items by the words of the query and by words that were added to it, weighted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from pathlib import Path
from threading import Lock

from core.filters import facets, ranges_of, values_of
from core.pace import unhurried
from core.types import Item, ItemId, Query, Scored
from retrievers.impact.index import Document, Hit, ImpactIndex
from retrievers.impact.term_weights import TermWeights


class SparseRetriever:
    """Dot product of term weights; what they are is for `weights` to say. `why` names the added words that matched."""

    name = "sparse"

    def __init__(self, weights: TermWeights) -> None:
        self._weights = weights
        self._index = ImpactIndex(weights.bm25)
        self._writing = Lock()
        self._editions = count(1)
        self._edition = 0  # of the index and of what was learned; the weights have their own

    @property
    def edition(self) -> tuple[int, int]:
        return self._edition, self._weights.edition

    def load(self, model: bytes | None) -> None:
        """Swap what was learned from clicks in; None forgets it."""
        self._weights.load(model)
        self._edition = next(self._editions)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            documents = [
                Document(item.id, weights, [_facet(name, value) for name, value in facets(item)], item.numbers)
                for item, weights in unhurried(zip(upserts, self._weights.documents(upserts), strict=True))
            ]
            self._index.apply(documents, deletes)
            self._weights.refresh(self._index)
            self._edition = next(self._editions)

    def reprice(self, items: Sequence[Item]) -> None:
        """Figures filter, and decide no answer without a filter: the edition stays."""
        with self._writing:
            self._index.renumber({item.id: item.numbers for item in items})

    def save(self, folder: Path) -> None:
        self.saving()(folder)

    def saving(self) -> Callable[[Path], None]:
        with self._writing:
            index, weights = self._index.saving(), self._weights.saving()

        def write(folder: Path) -> None:
            index(folder)
            weights(folder)

        return write

    def restore(self, folder: Path) -> None:
        self._index.restore(folder)
        self._weights.restore(folder, self._index)
        self._edition = next(self._editions)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        terms = self._weights.query(query.text)
        required = [[_facet(name, value) for value in wanted] for name, wanted in values_of(query.filters).items()]
        hits = self._index.search(
            {**terms.own, **terms.added}, depth, required=required, ranges=ranges_of(query.filters), ask=terms.added
        )
        return [Scored(hit.id, hit.score, why=_why(hit, terms.added)) for hit in hits]

    def signals(self, query: Query) -> Mapping[str, float]:
        return self._weights.signals(query.text)


def _facet(name: str, value: str) -> str:
    return f"{name}\x1f{value}"


def _why(hit: Hit, added: Mapping[str, float]) -> str:
    """`also: laptop 0.4, notebook 0.3`, heaviest first."""
    held = sorted(hit.holds, key=lambda word: (-added[word], word))
    return "also: " + ", ".join(f"{word} {added[word]:.1f}" for word in held) if held else ""
