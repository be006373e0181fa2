"""The lexical arm: BM25 over an inverted index (tantivy), with tolerance for words that the catalogue doesn't know."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from threading import Lock

import numpy as np
import tantivy

from core.facets import Facet
from core.filters import Filters, ranges_of, values_of
from core.pace import unhurried
from core.types import Item, ItemId, Query, Range, Scored
from retrievers.words.analyser import ENGLISH, Analyser
from retrievers.words.documents import document, schema
from retrievers.words.facets import count_indexed, groups, path
from retrievers.words.live_folder import LiveFolder, save_index
from retrievers.words.spelling import Spelling

_MAX_TOKENS = 32
# Equal scores come in the order of index segments, which differs from one index to the next: so many more are fetched
# to put ties in order of the item ids.
_TIES = 30
# Two words that more items than these have are not looked for side by side: it takes longer than all else, and says
# little of words as common as that.
_MOST_TOGETHER = 50_000
_Hit = tuple[float, tantivy.DocAddress]  # with its score


@dataclass(frozen=True, slots=True)
class Weights:
    """What a match is worth, 1 being one in the prose.

    Attribute values repeat over thousands of items, and what customers write is about other things as well: a word that
    an item has in the prose counts there alone, one of its labels at their weight, and one of its voices at theirs if
    it is nowhere else. `proximity`: for two query words that stand side by side in the prose. `popularity`: by how
    much, at most, the score of a popular item is raised, as popularity / (popularity + 0.5), which saturates.
    """

    labels: float = 0.2
    voices: float = 0.1
    proximity: float = 0.1
    popularity: float = 0.1


class LexicalRetriever:
    """BM25 (k1 = 1.2, b = 0.75, tantivy's idf) on prose, labels and voices, disjunctive over the query's words: see
    docs/decisions/024-lexical-queries.md for how it is asked."""

    name = "lexical"

    def __init__(
        self,
        weights: Weights = Weights(),
        analyser: Analyser = ENGLISH,
        *,
        heap_bytes: int = 64_000_000,
        folder: Path | None = None,
    ) -> None:
        """The index lives in a folder of its own below `folder`: an index in memory is ten times slower to change."""
        self._weights = weights
        self._analyser = analyser
        self._heap_bytes = heap_bytes
        self._live = LiveFolder(folder)
        self._schema = schema()
        self._writing = Lock()
        self._editions = count()
        self._open(self._live.new)

    @property
    def edition(self) -> int:
        return self._state.edition

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            for item_id in (*deletes, *(item.id for item in upserts)):
                self._writer.delete_documents_by_term("id", item_id)
            for item in unhurried(upserts):
                self._writer.add_document(document(item, self._analyser, self._weights.popularity))
            self._writer.commit()
            self._index.reload()
            self._state = _State(self._index.searcher(), next(self._editions))

    def save(self, folder: Path) -> None:
        save_index(self._path, folder)

    def restore(self, folder: Path) -> None:
        self._open(self._live.restored(folder))

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        index = self._state
        asked = self._asked(query)
        if not asked:
            return []
        words, most = self._any(index, asked), depth + _TIES
        hits = self._best(index, self._filtered(words, query.filters), most)
        if together := self._together(index, asked):
            # Words alone are found in half the time; items that have them side by side are few, and come once more.
            clauses = [(tantivy.Occur.Must, together), (tantivy.Occur.Should, words)]
            wanted = self._filtered(tantivy.Query.boolean_query(clauses), query.filters)
            hits = _merged(self._best(index, wanted, most), hits)[:most]
        found = [Scored(ItemId(index.searcher.doc(address)["id"][0]), score) for score, address in hits]
        return sorted(found, key=lambda hit: (-hit.score, hit.item_id))[:depth]

    def facets(self, query: Query, names: Sequence[str]) -> dict[str, Facet]:
        """Counts over all items that hold any of the words, or over all when none are asked.

        Filters hold, but a facet's own not for itself, so that further values can be chosen. What is a number of any
        item is counted in ranges, the rest by values: the 20 most frequent, exactly up to 65,000 different ones.
        """
        index = self._state
        asked = self._asked(query)
        matching = self._any(index, asked) if asked else tantivy.Query.all_query()
        counted: dict[str, Facet] = {}
        for group, filters in groups(names, query.filters):
            numbers = [name for name in group if index.numbered(name)]
            attributes = [name for name in group if name not in numbers]
            passing = self._filtered(matching, filters)
            counted |= count_indexed(index.searcher, passing, attributes=attributes, numbers=numbers)
        return {name: counted[name] for name in names}

    def signals(self, query: Query) -> Mapping[str, float]:
        """Inverse document frequencies in 0..1 of the query's words, and the share of words the catalogue knows."""
        index = self._state
        total = max(index.searcher.num_docs, 1)
        asked = self._asked(query)
        found = [frequency for token in asked if (frequency := index.frequency(token))]
        idfs = [max(0.0, 1 - math.log(frequency) / math.log(total + 1)) for frequency in found]
        return {
            "known": len(idfs) / max(len(asked), 1),
            "idf_max": max(idfs, default=0.0),
            "idf_mean": sum(idfs) / len(idfs) if idfs else 0.0,
            "idf_min": min(idfs, default=0.0),
        }

    def _asked(self, query: Query) -> list[str]:
        return self._analyser.query_tokens(query.text)[:_MAX_TOKENS]

    def _open(self, path: Path) -> None:
        index = tantivy.Index(self._schema, str(path))
        # Text comes analysed: what counts as the same word is for the analyser to say.
        whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        index.register_tokenizer("tokens", whitespace)
        self._writer = index.writer(self._heap_bytes, 1)
        self._index, self._path = index, path
        self._state = _State(index.searcher(), next(self._editions))

    def _best(self, index: _State, wanted: tantivy.Query, most: int) -> list[_Hit]:
        weight = "popularity" if self._weights.popularity and index.popular else None
        hits: list[_Hit] = index.searcher.search(wanted, limit=most, count=False, weight_by_field=weight).hits
        return hits

    def _any(self, index: _State, asked: Sequence[str]) -> tantivy.Query:
        """Items with any of the words, or of what was probably meant by those that nobody knows."""
        clauses = []
        for token in asked:
            if index.frequency(token):
                clauses += self._places(token)
                continue
            guesses = index.spelling.guesses(token, token == asked[-1])
            options = [_boosted(self._all(terms), weight) for terms, weight in guesses.items()]
            if options:
                clauses.append(tantivy.Query.disjunction_max_query(options))
        for first, second in pairwise(asked):
            if index.frequency(first + second):
                clauses += self._places(first + second)
        return _either(clauses)

    def _together(self, index: _State, asked: Sequence[str]) -> tantivy.Query | None:
        """Items with two of the words side by side; None where there is nothing to look for."""
        if not self._weights.proximity:
            return None
        pairs = [pair for pair in pairwise(asked) if 0 < min(map(index.in_prose, pair)) <= _MOST_TOGETHER]
        phrases = [tantivy.Query.phrase_query(self._schema, "prose", [*pair], slop=1) for pair in pairs]
        return _either([_boosted(phrase, self._weights.proximity) for phrase in phrases]) if phrases else None

    def _all(self, terms: Sequence[str]) -> tantivy.Query:
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, _either(self._places(term))) for term in terms])

    def _places(self, token: str) -> list[tantivy.Query]:
        """An item has the word in one of them: they are added up, which takes half as long as to find the highest."""
        within = partial(tantivy.Query.term_query, self._schema, field_value=token, index_option="freq")
        weights = self._weights
        return [
            within("prose"),
            _boosted(within("labels"), weights.labels),
            _boosted(within("voices"), weights.voices),
        ]

    def _filtered(self, query: tantivy.Query, filters: Filters) -> tantivy.Query:
        if not filters:
            return query
        allowed = [
            tantivy.Query.term_set_query(self._schema, path("values", name), list(wanted))
            for name, wanted in values_of(filters).items()
        ]
        for name, span in ranges_of(filters).items():
            allowed += self._within(path("numbers", name), span)
        clauses = [(tantivy.Occur.Must, tantivy.Query.const_score_query(each, 0.0)) for each in allowed]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), *clauses])

    def _within(self, place: str, span: Range) -> list[tantivy.Query]:
        """One query per bound: tantivy fails where one bound of a JSON range is whole and the other is not."""
        bounds = ["*"] if span == Range() else []
        if math.isfinite(span.low):
            bounds.append(f"[{_figure(span.low)} TO *]")
        if math.isfinite(span.high):
            bounds.append(f"[* TO {_figure(span.high)}]")
        return [self._index.parse_query(f"{place}:{bound}") for bound in bounds]


class _State:
    """One state of the index: what a request sees from beginning to end. It is the dictionary of its own spelling."""

    def __init__(self, searcher: tantivy.Searcher, edition: int) -> None:
        self.searcher = searcher
        self.edition = edition
        self.popular = self.numbered("popularity")
        self.spelling = Spelling(self)

    def numbered(self, name: str) -> bool:
        """Whether any item has a number of that name."""
        return bool(self.searcher.doc_freq("number", name))

    def frequency(self, term: str) -> int:
        return self.in_prose(term) or int(self.searcher.doc_freq("labels", term))

    def in_prose(self, term: str) -> int:
        return int(self.searcher.doc_freq("prose", term))

    def beginning(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = self.searcher.terms_with_prefix("prose", prefix, limit=limit)
        return found


def _figure(bound: float) -> str:
    """Exactly, without an exponent, which tantivy's query syntax doesn't know in negative figures."""
    return np.format_float_positional(bound + 0.0, trim="0")


def _merged(whole: list[_Hit], partly: list[_Hit]) -> list[_Hit]:
    """Best first. Of what both have, the score of the first counts."""
    if not whole:
        return partly
    known = {(address.segment_ord, address.doc) for _, address in whole}
    rest = [hit for hit in partly if (hit[1].segment_ord, hit[1].doc) not in known]
    return sorted([*whole, *rest], key=lambda hit: -hit[0])


def _either(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def _boosted(query: tantivy.Query, weight: float) -> tantivy.Query:
    return tantivy.Query.boost_query(query, weight)
