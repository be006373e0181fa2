"""What every arm must do. An arm joins by one line in ARMS."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import related_world
import vector_world
from words import item, query

from core.protocols import Retriever
from retrievers.embeddings import QueryVectors, StoredEmbeddings
from retrievers.impact.expansion import CatalogueTerms
from retrievers.lexical import LexicalRetriever
from retrievers.memory import MemoryRetriever
from retrievers.okapi import OkapiRetriever
from retrievers.popular import PopularRetriever
from retrievers.sparse import SparseRetriever
from retrievers.structured import StructuredRetriever

Build = Callable[[StoredEmbeddings, QueryVectors], Retriever]
ARMS: dict[str, Build] = {
    "tantivy": lambda embeddings, vector: LexicalRetriever(),
    "okapi": lambda embeddings, vector: OkapiRetriever(),
    "vector": vector_world.vector,
    "memory": MemoryRetriever,
    "personal": vector_world.personal,
    "explore": vector_world.explore,
    "popular": lambda embeddings, vector: PopularRetriever(),
    # Relations know nothing of words: whatever the query, its seeds are lamps, and the lamps relate to each other.
    "related": lambda embeddings, vector: related_world.arm(PopularRetriever(), {("red", "blue", "green", "new"): 3}),
    "sparse": lambda embeddings, vector: SparseRetriever(CatalogueTerms()),
    "structured": lambda embeddings, vector: StructuredRetriever(),
}
# More items without the words than with them: Okapi's idf is negative for words in most of the documents.
ITEMS = [
    item("red", "Red lamp", brand="Acme"),
    item("blue", "Blue lamp", brand="Bolt"),
    item("green", "Green lamp", brand="Acme"),
    *(item(f"other-{n}", f"Wooden chair number {n}", brand="Bolt") for n in range(8)),
]


@pytest.fixture(params=ARMS)
def arm(request: pytest.FixtureRequest, embeddings: StoredEmbeddings, query_vector: QueryVectors) -> Retriever:
    retriever = ARMS[request.param](embeddings, query_vector)
    retriever.apply(ITEMS, [])
    return retriever


def ids(arm: Retriever, text: str, depth: int = 20, **filters: str) -> list[str]:
    return [hit.item_id for hit in arm.retrieve(query(text, **filters), depth)]


def test_finds_what_matches(arm: Retriever) -> None:
    assert {"red", "blue", "green"} <= set(ids(arm, "lamp"))


def test_best_first_distinct_and_at_most_depth(arm: Retriever) -> None:
    for depth in (1, 2, 20):
        hits = arm.retrieve(query("lamp"), depth)
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)
        assert len({hit.item_id for hit in hits}) == len(hits) <= depth
        assert all(math.isfinite(score) for score in scores)


def test_a_shallow_answer_is_the_start_of_a_deep_one(arm: Retriever) -> None:
    assert ids(arm, "lamp", 2) == ids(arm, "lamp", 20)[:2]


def test_equal_input_gives_equal_output(arm: Retriever) -> None:
    assert arm.retrieve(query("lamp"), 20) == arm.retrieve(query("lamp"), 20)


def test_filters(arm: Retriever) -> None:
    assert set(ids(arm, "lamp", brand="Acme")) & {"red", "blue", "green"} == {"red", "green"}
    assert "blue" not in ids(arm, "lamp", brand="Acme")
    assert ids(arm, "lamp", brand="Nobody") == []
    assert ids(arm, "lamp", colour="none has this attribute") == []
    assert set(ids(arm, "lamp", type="product")) >= {"red", "blue", "green"}
    assert ids(arm, "lamp", type="song") == []


@pytest.mark.parametrize("text", ["", "   ", "?!", "xyzzy plugh", "lamp " * 200, "'\"():*^~[]{}\\/+-", "💡", "\x00"])
def test_odd_queries_are_no_errors(arm: Retriever, text: str) -> None:
    assert len(ids(arm, text)) <= 20


def test_upserts_replace_and_deletes_remove(arm: Retriever) -> None:
    arm.apply([item("red", "Crimson table", brand="Acme"), item("new", "Yellow lamp", brand="Bolt")], ["blue"])
    assert "new" in ids(arm, "lamp")
    assert "blue" not in ids(arm, "lamp")
    assert "red" in ids(arm, "crimson table")


def test_changes_are_idempotent(arm: Retriever) -> None:
    before = ids(arm, "lamp")
    arm.apply(ITEMS, ["never-there"])
    assert ids(arm, "lamp") == before


def test_an_emptied_index_finds_nothing(arm: Retriever) -> None:
    arm.apply([], [each.id for each in ITEMS])
    assert ids(arm, "lamp") == []
    arm.signals(query("lamp"))


def test_signals_are_finite_and_their_names_fixed(arm: Retriever) -> None:
    names = set(arm.signals(query("lamp")))
    for text in ("", "red lamp", "xyzzy", "a b c d e f"):
        signals = arm.signals(query(text))
        assert set(signals) == names
        assert all(math.isfinite(value) for value in signals.values())
