"""What every arm must do. An arm joins by one line in ARMS."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import related_world
import vector_world
from arms_with_items import Memory, Okapi, Popular, Structured
from faulty_arm import FaultyArm
from words import item, query

from core.protocols import Retriever
from core.types import Range
from retrievers.impact.expansion import CatalogueTerms
from retrievers.lexical import LexicalRetriever
from retrievers.sparse import SparseRetriever
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings

Build = Callable[[StoredEmbeddings, QueryVectors], Retriever]
ARMS: dict[str, Build] = {
    "tantivy": lambda embeddings, vector: LexicalRetriever(),
    "okapi": lambda embeddings, vector: Okapi(),
    "vector": vector_world.vector,
    "memory": Memory,
    "personal": vector_world.personal,
    "explore": vector_world.explore,
    "popular": lambda embeddings, vector: Popular(),
    # Relations know nothing of words: whatever the query, its seeds are lamps, and the lamps relate to each other.
    "related": lambda embeddings, vector: related_world.arm(Popular(), {("red", "blue", "green", "new"): 3}),
    "sparse": lambda embeddings, vector: SparseRetriever(CatalogueTerms()),
    "structured": lambda embeddings, vector: Structured(),
    # What tests break on purpose does nothing of its own until it is told to.
    "unbroken": lambda embeddings, vector: FaultyArm(Okapi()),
}
# More items without the words than with them: Okapi's idf is negative for words in most of the documents.
ITEMS = [
    item("red", "Red lamp", brand="Acme", numbers={"price": 100, "in.stock": 0}),
    item("blue", "Blue lamp", brand="Bolt", numbers={"price": 249.99, "in.stock": -0.0}),
    item("green", "Green lamp", brand="Acme", numbers={"price": 180.5}, weight="2 kg"),
    *(item(f"other-{n}", f"Wooden chair number {n}", brand="Bolt") for n in range(8)),
]


@pytest.fixture(params=ARMS)
def arm(request: pytest.FixtureRequest, embeddings: StoredEmbeddings, query_vector: QueryVectors) -> Retriever:
    retriever = ARMS[request.param](embeddings, query_vector)
    retriever.apply(ITEMS, [])
    return retriever


def ids(arm: Retriever, text: str, depth: int = 20, **filters: str | Range) -> list[str]:
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


def test_ranges_include_their_bounds_and_leave_out_what_has_no_such_number(arm: Retriever) -> None:
    def within(low: float, high: float, name: str = "price", **filters: str) -> set[str]:
        return set(ids(arm, "lamp", **{name: Range(low, high)}, **filters))

    assert within(100, 249.99) == within(-1e300, 1e300) == within(-math.inf, math.inf) == {"red", "green", "blue"}
    assert within(100, 180.5) == within(99.5, 249) == within(-math.inf, 249.98) == {"red", "green"}
    assert within(100.01, 250) == within(180.5, math.inf) == {"green", "blue"}
    assert within(0, 0, "in.stock") == within(-math.inf, math.inf, "in.stock") == {"red", "blue"}
    assert within(100, 249.99, brand="Acme") == {"red", "green"}
    assert within(101, 180) == within(1, 9, "in.stock") == within(250, math.inf) == set()
    # Neither is the figure in a value a number of the item.
    assert within(0, 1e9, "weight") == within(0, 1e9, "nobody has it") == set()


def test_ranges_follow_changes(arm: Retriever) -> None:
    arm.apply([item(name, f"{name.title()} lamp", numbers={"price": 400}) for name in ("red", "new")], ["blue"])
    assert set(ids(arm, "lamp", price=Range(0, 300))) <= {"green"}
    assert set(ids(arm, "lamp", price=Range(300))) == {"red", "new"}


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
