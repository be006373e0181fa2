"""How much of what people really ask the memory foresees from the catalogue alone, before any click."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.indexing.indexer import ItemTable
from app.settings import load_settings
from app.wiring.stores import open_catalogue, open_embeddings
from core.text import query_tokens, tokens
from core.types import Item, ItemId, Query, QueryId
from ranking.metrics import Judgments, answerable
from retrievers.document import labels, prose
from retrievers.memory import MemoryRetriever
from retrievers.vectors.embeddings import QueryVectors

_DEPTH = 100


def hit_rates(folder: Path, judgments: Judgments) -> dict[str, float]:
    """Of the catalogue in this data directory, over the rated queries with a relevant item.

    `whole_query`: all words are predicted for one relevant item. `answer`: a relevant item is in the memory's answer.
    `new_terms`: of the words that a relevant item doesn't say itself, those that are predicted for it.
    """
    settings = load_settings(overrides={"service": {"data_dir": str(folder)}})
    catalogue, embeddings = open_catalogue(settings), open_embeddings(settings)
    table = ItemTable()
    memory = MemoryRetriever(embeddings, QueryVectors(embeddings.encoder), table)
    for follower in (table, memory):
        follower.apply(catalogue.changes(0).upserts, [])
    try:
        return _measured(memory, table, judgments)
    finally:
        embeddings.close()
        catalogue.close()


def _measured(memory: MemoryRetriever, items: Mapping[ItemId, Item], judgments: Judgments) -> dict[str, float]:
    queries = answerable(judgments)
    relevant = {text: {ItemId(item) for item, rating in judgments[text].items() if rating > 0} for text in queries}
    said = {
        item: {*tokens(f"{prose(items[item])} {labels(items[item])}")} for found in relevant.values() for item in found
    }
    new = [
        memory.predicted(word, [item])
        for text, found in relevant.items()
        for item in sorted(found)
        for word in query_tokens(text)
        if word not in said[item]
    ]
    return {
        "whole_query": sum(memory.predicted(text, relevant[text]) for text in queries) / len(queries),
        "answer": sum(not relevant[text].isdisjoint(_answer(memory, text)) for text in queries) / len(queries),
        "new_terms": sum(new) / max(len(new), 1),
    }


def _answer(memory: MemoryRetriever, text: str) -> set[ItemId]:
    return {hit.item_id for hit in memory.retrieve(Query(QueryId("predicted"), text, 0.0), _DEPTH)}
