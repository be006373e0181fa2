"""Whose taste leads where."""

from __future__ import annotations

from dataclasses import replace

from builders import episode
from vector_world import personal
from words import item, query

from core.types import Item, ItemId
from retrievers.engagements.customers import MAX_ITEMS, CustomersLearner, CustomersModel
from retrievers.personal import PersonalRetriever
from retrievers.vector import VectorRetriever
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings

MUSIC = [item(f"jazz-{n}", title) for n, title in enumerate(["Jazz trumpet", "Jazz piano trio", "Swing jazz band"])]
TOOLS = [item(f"tool-{n}", title) for n, title in enumerate(["Cordless drill", "Hammer drill", "Circular saw"])]
CATALOGUE: list[Item] = [*MUSIC, *TOOLS]


def test_nobody_gets_nothing(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
    vector = VectorRetriever(embeddings, query_vector, {each.id: each for each in CATALOGUE})
    vector.apply(CATALOGUE, [])
    arm = PersonalRetriever(vector.index, query_vector)
    for each in (query("drill"), query(""), replace(query("drill"), client_id="stranger", session_id="new")):
        assert arm.retrieve(each, 5) == []
    assert arm.retrieve(replace(query(""), history=(ItemId("gone"),)), 5) == []


def test_a_session_and_a_customer_lead_to_their_kind(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
    arm = personal(embeddings, query_vector, {"jazz-0": 0.2})
    arm.apply(CATALOGUE, [])
    assert {hit.item_id for hit in arm.retrieve(query(""), 3)} == {"jazz-0", "jazz-1", "jazz-2"}
    # What the session does now outweighs what the customer did once.
    now = replace(query(""), history=(ItemId("tool-0"), ItemId("tool-1")))
    assert {hit.item_id for hit in arm.retrieve(now, 3)} == {"tool-0", "tool-1", "tool-2"}


def test_a_query_decides_and_taste_orders(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
    arm = personal(embeddings, query_vector, {"jazz-1": 1.0})
    arm.apply([*CATALOGUE, item("jazz-drill", "Drill of jazz piano scales")], [])
    hits = [hit.item_id for hit in arm.retrieve(query("drill"), 7)]
    assert hits.index("jazz-drill") < hits.index("tool-0")
    plain = personal(embeddings, query_vector, {"tool-2": 1.0})
    plain.apply([*CATALOGUE, item("jazz-drill", "Drill of jazz piano scales")], [])
    other = [hit.item_id for hit in plain.retrieve(query("drill"), 7)]
    assert other.index("tool-0") < other.index("jazz-drill")


def test_the_learner_keeps_the_newest_and_lets_old_ones_fade() -> None:
    learner = CustomersLearner(half_life_s=100.0)
    assert learner.snapshot() is None
    for n in range(MAX_ITEMS + 5):
        learner.learn([episode(shown=(f"i{n}", "x"), gains=(2.0, 0.0), client_id="me", time=float(n))])
    learner.learn([episode(shown=("y",), gains=(1.0,), client_id=None)])
    learner.learn([episode(shown=("z",), gains=(-1.0,), client_id="hater")])
    data = learner.snapshot()
    assert data is not None
    model = CustomersModel.load(data)
    taste = dict(model.taste("me"))
    assert list(taste) == [f"i{n}" for n in range(5, MAX_ITEMS + 5)]
    assert taste["i24"] == 2.0
    assert abs(taste["i5"] / 2.0 - 0.5 ** (19 / 100)) < 1e-6
    assert model.taste("hater") == model.taste(None) == []
    assert learner.snapshot() is None
