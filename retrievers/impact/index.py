"""An inverted index of weighted terms: the score of a document is the dot product of its weights and the query's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import ne
from pathlib import Path
from threading import Lock

import numpy as np
import orjson
from numpy.typing import NDArray

from core.types import ItemId, Range
from retrievers.columns import columns
from retrievers.impact.bm25 import Bm25
from retrievers.impact.segment import Postings, Segment, merged
from retrievers.impact.snapshot import Snapshot

# A segment is joined with the one before unless that is so many times larger: there are few segments to search, and a
# document is moved only a few times as the index grows.
_TIER = 4
_DEAD_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Document:
    """An item as the index takes it: term -> weight (above 0), and the facets and numbers it can be filtered by."""

    id: ItemId
    weights: Mapping[str, float]
    facets: Collection[str] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """A document, its score, and which of the terms that were asked about it holds."""

    id: ItemId
    score: float
    holds: tuple[str, ...] = ()


class ImpactIndex:
    """Exact top-k over immutable segments. With `bm25`, weights are term frequencies and saturate as it says.

    Words that have left the catalogue keep their number in the vocabulary until the index is built anew.
    """

    def __init__(self, bm25: Bm25 | None = None) -> None:
        self._bm25 = bm25
        self._writing = Lock()
        self._vocabulary: dict[str, int] = {}
        self._where: dict[ItemId, tuple[int, int]] = {}
        self._serial = 0
        self._snapshot = Snapshot(bm25)
        self.changes = 0  # documents that came, went, or got other words since the start

    def __len__(self) -> int:
        return self._snapshot.total

    def apply(self, upserts: Sequence[Document], deletes: Collection[ItemId]) -> None:
        """Afterwards the last upsert of every id is found and no deleted id is. One thread at a time changes."""
        with self._writing:
            latest = {document.id: document for document in upserts}
            before = self._marks(latest)
            segments = self._without({*deletes, *latest})
            self.changes += len(deletes)
            if latest:
                new = self._segment(list(latest.values()))
                self.changes += sum(map(ne, new.marks.tolist(), map(before.get, latest)))
                segments.append(new)
            self._snapshot = Snapshot.of(self._tidied(segments), self._bm25)

    def renumber(self, numbers: Mapping[ItemId, Mapping[str, float]]) -> None:
        """Give these documents, all of which are there, other numbers."""
        with self._writing:
            rows: dict[int, dict[int, Mapping[str, float]]] = {}
            for item_id, figures in numbers.items():
                serial, row = self._where[item_id]
                rows.setdefault(serial, {})[row] = figures
            segments = [s.renumbered(rows[s.serial]) if s.serial in rows else s for s in self._snapshot.segments]
            self._snapshot = replace(self._snapshot, segments=tuple(segments))

    def saving(self) -> Callable[[Path], None]:
        """Writes, when called, everything that there is now to files in a folder. Segments never change."""
        vocabulary, segments = self.terms(), self._snapshot.segments

        def write(folder: Path) -> None:
            state = {"vocabulary": vocabulary, "segments": len(segments)}
            (folder / "index.json").write_bytes(orjson.dumps(state))
            for n, segment in enumerate(segments):
                segment.save(folder / f"segment-{n}")

        return write

    def restore(self, folder: Path) -> None:
        """Hold what was saved there; `changes` count from the start again."""
        state = orjson.loads((folder / "index.json").read_bytes())
        segments = [Segment.saved(folder / f"segment-{n}", serial=n) for n in range(state["segments"])]
        self._vocabulary = {term: number for number, term in enumerate(state["vocabulary"])}
        self._serial = len(segments)
        self._where = {item_id: place for segment in segments for item_id, place in segment.places()}
        self._snapshot = Snapshot.of(segments, self._bm25)

    def frequency(self, term: str) -> int:
        """How many documents hold the term."""
        number = self._vocabulary.get(term)
        return 0 if number is None else self._snapshot.frequency(number)

    def search(
        self,
        query: Mapping[str, float],
        depth: int,
        *,
        required: Sequence[Collection[str]] = (),
        ranges: Mapping[str, Range] | None = None,
        ask: Collection[str] = (),
    ) -> list[Hit]:
        """The `depth` best documents that hold a term of `query`, whose weights are above 0; ties in order of ids.

        Each of `required` names facets of which a document must have one; its numbers must be in the `ranges`. `ask`:
        terms to be told of in `Hit.holds`.
        """
        vocabulary = self._vocabulary
        found = self._snapshot.best(
            {vocabulary[term]: weight for term, weight in query.items() if term in vocabulary},
            depth,
            [[vocabulary[facet] for facet in facets if facet in vocabulary] for facets in required],
            ranges or {},
            {term: vocabulary[term] for term in ask if term in vocabulary},
        )
        return [Hit(each.id, -each.negative_score, each.holds) for each in found]

    def terms(self) -> list[str]:
        """The vocabulary, in order of its numbers."""
        return list(self._vocabulary)

    def postings(self) -> tuple[list[str], NDArray[np.int32], NDArray[np.int64]]:
        """The vocabulary, and for every (document, term) of the living documents the term and a document number."""
        terms, documents, base = [np.empty(0, np.int32)], [np.empty(0, np.int64)], 0
        for segment in self._snapshot.segments:
            found, rows, _ = segment.words.triples()
            kept = segment.alive[rows]
            terms.append(found[kept])
            documents.append(rows[kept].astype(np.int64) + base)
            base += segment.size
        return self.terms(), np.concatenate(terms), np.concatenate(documents)

    def _segment(self, documents: Sequence[Document]) -> Segment:
        ids = np.empty(len(documents), dtype=object)
        ids[:] = [document.id for document in documents]
        words = self._postings([document.weights for document in documents])
        lengths = np.bincount(words.rows, weights=words.weights, minlength=len(documents)).astype(np.float32)
        segment = Segment(
            serial=self._serial,
            ids=ids,
            lengths=lengths,
            marks=words.marks(len(documents)),
            alive=np.ones(len(documents), dtype=np.bool_),
            dead=0,
            words=words.with_columns(len(documents)),
            facets=self._postings([dict.fromkeys(document.facets, 1.0) for document in documents]),
            numbers=columns(enumerate(document.numbers.items() for document in documents)),
        )
        return self._placed(segment)

    def _postings(self, documents: Sequence[Mapping[str, float]]) -> Postings:
        number = self._vocabulary
        terms = [number.setdefault(term, len(number)) for weights in documents for term in weights]
        rows = np.repeat(np.arange(len(documents), dtype=np.int32), list(map(len, documents)))
        weights = np.fromiter(chain.from_iterable(found.values() for found in documents), np.float32, len(terms))
        return Postings.of(np.array(terms, dtype=np.int32), rows, weights)

    def _marks(self, ids: Collection[ItemId]) -> dict[ItemId, float]:
        """Of those that are there."""
        marks = {segment.serial: segment.marks for segment in self._snapshot.segments}
        places = ((item_id, self._where[item_id]) for item_id in ids if item_id in self._where)
        return {item_id: float(marks[serial][row]) for item_id, (serial, row) in places}

    def _without(self, ids: Collection[ItemId]) -> list[Segment]:
        rows: dict[int, list[int]] = {}
        for item_id in ids:
            if item_id in self._where:
                serial, row = self._where.pop(item_id)
                rows.setdefault(serial, []).append(row)
        return [s.without(rows[s.serial]) if s.serial in rows else s for s in self._snapshot.segments]

    def _tidied(self, segments: list[Segment]) -> list[Segment]:
        """Segments of growing age and size, with few dead in each."""
        tidy: list[Segment] = []
        for segment in segments:
            found = [segment]
            while tidy and tidy[-1].size < _TIER * sum(each.size for each in found):
                found.insert(0, tidy.pop())
            if len(found) > 1 or segment.dead > _DEAD_SHARE * segment.size:
                segment = self._placed(merged(found, self._serial))
            if segment.size:
                tidy.append(segment)
        return tidy

    def _placed(self, segment: Segment) -> Segment:
        self._serial += 1
        self._where.update(segment.places())
        return segment
