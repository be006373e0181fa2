"""What one search of the inverted index sees: replaced as a whole by changes, and never changed itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import chain, compress, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import Floats, ItemId, Range
from retrievers.columns import NO_COLUMN
from retrievers.highest import highest, nth_highest
from retrievers.impact.bm25 import Bm25
from retrievers.impact.segment import Rows, Segment


class Found(NamedTuple):
    """Ordered as hits are: the highest score first, then by id."""

    negative_score: float
    id: ItemId
    holds: tuple[str, ...]


class _Part(NamedTuple):
    """What does best in a segment: rows, and their scores above 0."""

    segment: Segment
    rows: NDArray[np.intp]
    scores: Floats

    @classmethod
    def of(cls, segment: Segment, scores: Floats, depth: int) -> _Part:
        """`scores`: [segment.size], 0 for what does not match; the `depth` highest, and what ties with the last."""
        rows = highest(scores, depth, above=0)
        return cls(segment, rows, scores[rows])

    def at_least(self, threshold: float) -> _Part:
        """Those with no lower a score."""
        kept = self.scores >= threshold
        return self._replace(rows=self.rows[kept], scores=self.scores[kept])

    def found(self, asked: Mapping[str, int]) -> Iterator[Found]:
        """With the names of the `asked` terms that they hold."""
        ids = self.segment.ids[self.rows].tolist()
        return map(Found, (-self.scores).tolist(), ids, self._holds(asked) if asked else repeat(()))

    def _holds(self, asked: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
        """Row by row. Few combinations make up most rows, and are told once."""
        rows = self.rows.astype(np.int32)
        held = np.stack([self.segment.holding(term, rows) for term in asked.values()], axis=1)
        combinations: list[bytes] = held.view(f"V{len(asked)}").ravel().tolist()
        names = {each: tuple(compress(asked, each)) for each in set(combinations)}
        return map(names.__getitem__, combinations)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Segments, the norms of their documents (see Bm25), and how many documents live. Terms are numbers here."""

    bm25: Bm25 | None
    segments: tuple[Segment, ...] = ()
    norms: tuple[Floats, ...] = ()
    total: int = 0
    # Of terms that were asked for so far: no more than the postings themselves.
    _frequencies: dict[int, int] = field(default_factory=dict, compare=False, repr=False)
    _saturated: dict[tuple[int, int], Floats] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, segments: Sequence[Segment], bm25: Bm25 | None) -> Snapshot:
        total = sum(segment.size - segment.dead for segment in segments)
        mean = sum(float(segment.lengths[segment.alive].sum()) for segment in segments) / max(total, 1)
        norms = tuple(bm25.norms(segment.lengths, mean) if bm25 else segment.lengths for segment in segments)
        return cls(bm25, tuple(segments), norms, total)

    def frequency(self, term: int) -> int:
        """How many living documents hold the term."""
        known = self._frequencies.get(term)
        if known is None:
            known = self._frequencies[term] = sum(segment.frequency(term) for segment in self.segments)
        return known

    def best(
        self,
        query: Mapping[int, float],
        depth: int,
        required: Sequence[Sequence[int]],
        ranges: Mapping[str, Range],
        asked: Mapping[str, int],
    ) -> list[Found]:
        """The first `depth`; see ImpactIndex.search."""
        if not self.segments or depth < 1:
            return []
        weights = {term: np.float32(weight * self._idf(term)) for term, weight in query.items()}
        parts = [
            _Part.of(segment, _allowed(segment, self._scores(segment, norms, weights), required, ranges), depth)
            for segment, norms in zip(self.segments, self.norms, strict=True)
        ]
        scores = np.concatenate([part.scores for part in parts])
        # Whatever ties with the last place is wanted too, so that the ids decide between them.
        threshold = nth_highest(scores, depth) if len(scores) > depth else 0.0
        return nsmallest(depth, chain.from_iterable(part.at_least(threshold).found(asked) for part in parts))

    def _idf(self, term: int) -> float:
        return self.bm25.idf(self.total, self.frequency(term)) if self.bm25 else 1.0

    def _scores(self, segment: Segment, norms: Floats, query: Mapping[int, np.float32]) -> Floats:
        """[segment.size] dot products, 0 where nothing matches."""
        scores = np.zeros(segment.size, dtype=np.float32)
        for term, weight in query.items():
            column = segment.words.columns.get(term)
            if column is not None:
                scores += weight * self._impacts(segment, term, column, norms)
                continue
            rows, weights = segment.words.find(term)
            if len(rows):
                scores[rows] += weight * self._impacts(segment, term, weights, norms, rows)
        return scores

    def _impacts(
        self, segment: Segment, term: int, weights: Floats, norms: Floats, rows: Rows | slice = slice(None)
    ) -> Floats:
        """What the weights of these rows come to, but for the idf; worked out once for all who ask for the term."""
        if self.bm25 is None:
            return weights
        known = self._saturated.get((segment.serial, term))
        if known is None:
            known = self._saturated[segment.serial, term] = self.bm25.saturated(weights, norms[rows])
        return known


def _allowed(
    segment: Segment, scores: Floats, required: Sequence[Sequence[int]], ranges: Mapping[str, Range]
) -> Floats:
    """The scores, 0 for what is dead, has none of the facets of one of `required`, or has a number out of range."""
    if segment.dead:
        scores *= segment.alive
    for facets in required:
        allowed = np.zeros(segment.size, dtype=np.bool_)
        for facet in facets:
            rows, _ = segment.facets.find(facet)
            allowed[rows] = True
        scores *= allowed
    for name, wanted in ranges.items():
        allowed = np.zeros(segment.size, dtype=np.bool_)
        allowed[segment.numbers.get(name, NO_COLUMN).within(wanted)] = True
        scores *= allowed
    return scores
