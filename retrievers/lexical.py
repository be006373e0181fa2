"""The lexical arm: BM25 over an inverted index (tantivy), with tolerance for words that the catalogue doesn't know."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock

import tantivy

from core.filters import facets
from core.text import query_tokens, tokens
from core.types import Item, ItemId, Query, Scored
from retrievers.document import labels, prose, voices
from retrievers.live_folder import LiveFolder, save_index
from retrievers.spelling import Spelling

_MAX_TOKENS = 32
# Equal scores come in the order of index segments, which differs from one index to the next: so many more are fetched
# to put ties in order of the item ids.
_TIES = 30
_HALF_POPULARITY = 0.5


@dataclass(frozen=True, slots=True)
class Weights:
    """What a match is worth, 1 being one in the prose.

    Attribute values repeat over thousands of items, and what customers write is about other things as well: each query
    word counts where it does best, in the prose or, at its weight, elsewhere. `proximity`: for two query words that
    stand side by side. `popularity`: by how much, at most, the score of a popular item is raised, as
    popularity / (popularity + 0.5), which saturates.
    """

    labels: float = 0.2
    voices: float = 0.1
    proximity: float = 0.1
    popularity: float = 0.1


class LexicalRetriever:
    """BM25 (k1 = 1.2, b = 0.75, tantivy's idf) on prose, labels and voices, disjunctive over the query's words."""

    name = "lexical"

    def __init__(
        self, weights: Weights = Weights(), *, heap_bytes: int = 64_000_000, folder: Path | None = None
    ) -> None:
        """The index lives in a folder of its own below `folder`: an index in memory is ten times slower to change."""
        self._weights = weights
        self._heap_bytes = heap_bytes
        self._live = LiveFolder(folder)
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw")
        builder.add_text_field("facet", tokenizer_name="raw")
        for name in ("prose", "labels", "voices"):
            builder.add_text_field(name, tokenizer_name="tokens")
        builder.add_float_field("popularity", fast=True)
        self._schema = builder.build()
        self._writing = Lock()
        self._popular = False
        self._open(self._live.new)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            for item_id in (*deletes, *(item.id for item in upserts)):
                self._writer.delete_documents_by_term("id", item_id)
            for item in upserts:
                self._popular |= item.numbers.get("popularity", 0.0) > 0
                self._writer.add_document(_document(item, self._weights.popularity))
            self._writer.commit()
            self._index.reload()
            self._state = _State(self._index.searcher())

    def save(self, folder: Path) -> None:
        (folder / "popular.json").write_text(json.dumps(self._popular))
        (folder / "index").mkdir()
        save_index(self._path, folder / "index")

    def restore(self, folder: Path) -> None:
        popular = bool(json.loads((folder / "popular.json").read_bytes()))
        self._open(self._live.restored(folder / "index"))
        self._popular = popular

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        index = self._state
        asked = query_tokens(query.text)[:_MAX_TOKENS]
        if not asked:
            return []
        wanted = self._filtered(self._any(index, asked), query.filters)
        weight = "popularity" if self._popular and self._weights.popularity else None
        hits = index.searcher.search(wanted, limit=depth + _TIES, count=False, weight_by_field=weight).hits
        found = [Scored(ItemId(index.searcher.doc(address)["id"][0]), score) for score, address in hits]
        return sorted(found, key=lambda hit: (-hit.score, hit.item_id))[:depth]

    def signals(self, query: Query) -> Mapping[str, float]:
        """Inverse document frequencies in 0..1 of the query's words, and the share of words the catalogue knows."""
        index = self._state
        total = max(index.searcher.num_docs, 1)
        asked = query_tokens(query.text)[:_MAX_TOKENS]
        found = [frequency for token in asked if (frequency := index.frequency(token))]
        idfs = [max(0.0, 1 - math.log(frequency) / math.log(total + 1)) for frequency in found]
        return {
            "known": len(idfs) / max(len(asked), 1),
            "idf_max": max(idfs, default=0.0),
            "idf_mean": sum(idfs) / len(idfs) if idfs else 0.0,
            "idf_min": min(idfs, default=0.0),
        }

    def _open(self, path: Path) -> None:
        index = tantivy.Index(self._schema, str(path))
        # Text comes analysed by core.text: every arm and the ranker agree on what a token is.
        whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        index.register_tokenizer("tokens", whitespace)
        self._writer = index.writer(self._heap_bytes, 1)
        self._index, self._path = index, path
        self._state = _State(index.searcher())

    def _any(self, index: _State, asked: Sequence[str]) -> tantivy.Query:
        """Items with any of the words, or of what was probably meant by those that nobody knows."""
        clauses = []
        for token in asked:
            if index.frequency(token):
                clauses.append(self._term(token))
                continue
            guesses = index.spelling.guesses(token, token == asked[-1])
            options = [_boosted(self._all(terms), weight) for terms, weight in guesses.items()]
            if options:
                clauses.append(tantivy.Query.disjunction_max_query(options))
        for first, second in pairwise(asked):
            if index.frequency(first + second):
                clauses.append(self._term(first + second))
            if self._weights.proximity and index.frequency(first) and index.frequency(second):
                together = tantivy.Query.phrase_query(self._schema, "prose", [first, second], slop=1)
                clauses.append(_boosted(together, self._weights.proximity))
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, clause) for clause in clauses])

    def _all(self, terms: Sequence[str]) -> tantivy.Query:
        if len(terms) == 1:
            return self._term(terms[0])
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, self._term(term)) for term in terms])

    def _term(self, token: str) -> tantivy.Query:
        def within(field: str) -> tantivy.Query:
            return tantivy.Query.term_query(self._schema, field, token, index_option="freq")

        weights = self._weights
        options = [
            within("prose"),
            _boosted(within("labels"), weights.labels),
            _boosted(within("voices"), weights.voices),
        ]
        return tantivy.Query.disjunction_max_query(options)

    def _filtered(self, query: tantivy.Query, filters: Mapping[str, tuple[str, ...]]) -> tantivy.Query:
        if not filters:
            return query
        clauses = [(tantivy.Occur.Must, query)]
        for name, wanted in filters.items():
            values = [_facet(name, value) for value in wanted]
            allowed = tantivy.Query.const_score_query(tantivy.Query.term_set_query(self._schema, "facet", values), 0.0)
            clauses.append((tantivy.Occur.Must, allowed))
        return tantivy.Query.boolean_query(clauses)


class _State:
    """One state of the index: what a request sees from beginning to end. It is the dictionary of its own spelling."""

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self.searcher = searcher
        self.spelling = Spelling(self)

    def frequency(self, term: str) -> int:
        return int(self.searcher.doc_freq("prose", term) or self.searcher.doc_freq("labels", term))

    def beginning(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = self.searcher.terms_with_prefix("prose", prefix, limit=limit)
        return found


def _document(item: Item, weight: float) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("id", item.id)
    document.add_text("prose", " ".join(tokens(prose(item))))
    document.add_text("labels", " ".join(tokens(labels(item))))
    if spoken := voices(item):
        document.add_text("voices", " ".join(tokens(spoken)))
    if popularity := max(0.0, item.numbers.get("popularity", 0.0)):
        # tantivy multiplies scores by log2(2 + value).
        document.add_float("popularity", 2 ** (1 + weight * popularity / (popularity + _HALF_POPULARITY)) - 2)
    for name, value in facets(item):
        document.add_text("facet", _facet(name, value))
    return document


def _facet(name: str, value: str) -> str:
    return f"{name}\x1f{value}"


def _boosted(query: tantivy.Query, weight: float) -> tantivy.Query:
    return tantivy.Query.boost_query(query, weight)
