"""What is near and unknown gets its chance, with its reason."""

from __future__ import annotations

from words import item, query

from core.rates import encode_rates
from core.types import Item, ItemId
from retrievers.explore import ExploreRetriever
from retrievers.vector import VectorRetriever
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings


def explore(embeddings: StoredEmbeddings, query_vector: QueryVectors, *items: Item) -> ExploreRetriever:
    table = {each.id: each for each in items}
    vector = VectorRetriever(embeddings, query_vector, table)
    vector.apply(items, [])
    return ExploreRetriever(vector.index, query_vector, table)


def test_of_equally_near_items_the_unknown_come_first(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
    arm = explore(embeddings, query_vector, *(item(f"lamp-{n}", "Desk lamp", brand=f"b{n}") for n in range(4)))
    rates = [("lamp-0", 500.0, 1000.0), ("lamp-1", 0.0, 1000.0), ("lamp-2", 5.0, 10.0)]
    arm.load(encode_rates((ItemId(each), gain, examined) for each, gain, examined in rates))
    hits = arm.retrieve(query("desk lamp"), 10)
    assert [hit.item_id for hit in hits] == ["lamp-3", "lamp-2", "lamp-0", "lamp-1"]
    assert hits[0].why == "never shown"
    assert hits[1].why == "looked at 10 times, gain 5: still uncertain"


def test_nearness_still_decides_what_it_is_about(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
    saws = [item(f"saw-{n}", "Circular saw", brand=f"s{n}") for n in range(12)]
    arm = explore(embeddings, query_vector, item("lamp", "Desk lamp"), *saws)
    arm.load(encode_rates([(ItemId("lamp"), 1.0, 4.0)]))
    assert arm.retrieve(query("desk lamp"), 2)[0].item_id == "lamp"


def test_categories_take_turns(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
    same = [item(f"acme-{n}", "Desk lamp", brand="Acme") for n in range(6)]
    arm = explore(embeddings, query_vector, *same, item("bolt", "Desk lamp", brand="Bolt"))
    assert "bolt" in [hit.item_id for hit in arm.retrieve(query("desk lamp"), 2)]
