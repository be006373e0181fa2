"""The lexical arm: BM25 over an inverted index (tantivy), with tolerance for words that the catalogue doesn't know."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from threading import Lock

import tantivy

from core.filters import facets
from core.text import query_tokens, tokens
from core.types import Item, ItemId, Query, Scored
from retrievers.document import labels, prose

# Attribute values are weak evidence beside prose (they repeat over thousands of items): each query word counts where it
# does best, in the prose or, at this weight, in the labels.
LABEL_WEIGHT = 0.2
MISSPELT_WEIGHT = 0.5
_MAX_TOKENS = 32
# Equal scores come in the order of index segments, which differs from one index to the next: so many more are fetched
# to put ties in order of the item ids.
_TIES = 30


class LexicalRetriever:
    """BM25 (k1 = 1.2, b = 0.75, tantivy's idf) on prose and labels, disjunctive over the query's words."""

    name = "lexical"

    def __init__(self, *, heap_bytes: int = 64_000_000) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw")
        builder.add_text_field("facet", tokenizer_name="raw")
        builder.add_text_field("prose", tokenizer_name="tokens")
        builder.add_text_field("labels", tokenizer_name="tokens")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        # Text comes analysed by core.text: every arm and the ranker agree on what a token is.
        whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer("tokens", whitespace)
        self._writer = self._index.writer(heap_bytes, 1)
        self._writing = Lock()
        self._searcher = self._index.searcher()

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            for item_id in (*deletes, *(item.id for item in upserts)):
                self._writer.delete_documents_by_term("id", item_id)
            for item in upserts:
                self._writer.add_document(_document(item))
            self._writer.commit()
            self._index.reload()
            self._searcher = self._index.searcher()

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        searcher = self._searcher
        terms = [self._term(searcher, token) for token in query_tokens(query.text)[:_MAX_TOKENS]]
        if not terms:
            return []
        either = tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])
        wanted = self._filtered(either, query.filters)
        hits = searcher.search(wanted, limit=depth + _TIES, count=False).hits
        found = [Scored(ItemId(searcher.doc(address)["id"][0]), score) for score, address in hits]
        return sorted(found, key=lambda hit: (-hit.score, hit.item_id))[:depth]

    def signals(self, query: Query) -> Mapping[str, float]:
        """Inverse document frequencies in 0..1 of the query's words, and the share of words the catalogue knows."""
        searcher = self._searcher
        total = max(searcher.num_docs, 1)
        idfs = []
        for token in query_tokens(query.text)[:_MAX_TOKENS]:
            frequency = searcher.doc_freq("prose", token) + searcher.doc_freq("labels", token)
            if frequency:
                idfs.append(max(0.0, 1 - math.log(frequency) / math.log(total + 1)))
        asked = max(len(query_tokens(query.text)[:_MAX_TOKENS]), 1)
        return {
            "known": len(idfs) / asked,
            "idf_max": max(idfs, default=0.0),
            "idf_mean": sum(idfs) / len(idfs) if idfs else 0.0,
            "idf_min": min(idfs, default=0.0),
        }

    def _term(self, searcher: tantivy.Searcher, token: str) -> tantivy.Query:
        options = [
            tantivy.Query.term_query(self._schema, "prose", token, index_option="freq"),
            _boosted(tantivy.Query.term_query(self._schema, "labels", token, index_option="freq"), LABEL_WEIGHT),
        ]
        distance = _edit_distance(token)
        if distance and not searcher.doc_freq("prose", token) and not searcher.doc_freq("labels", token):
            near = tantivy.Query.fuzzy_term_query(self._schema, "prose", token, distance=distance)
            options.append(_boosted(near, MISSPELT_WEIGHT))
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


def _document(item: Item) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("id", item.id)
    document.add_text("prose", " ".join(tokens(prose(item))))
    document.add_text("labels", " ".join(tokens(labels(item))))
    for name, value in facets(item):
        document.add_text("facet", _facet(name, value))
    return document


def _facet(name: str, value: str) -> str:
    return f"{name}\x1f{value}"


def _boosted(query: tantivy.Query, weight: float) -> tantivy.Query:
    return tantivy.Query.boost_query(query, weight)


def _edit_distance(token: str) -> int:
    """How many typos to forgive: none in short words and model numbers, where they would change the meaning."""
    if len(token) < 4 or not token.isalpha():
        return 0
    return 1 if len(token) < 8 else 2
