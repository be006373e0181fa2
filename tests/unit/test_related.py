"""The related arm and its learner: from who took what to what else to offer."""

from __future__ import annotations

import dataclasses
import random

import pytest
from builders import episode
from related_world import WithSeeds, arm, learned, together, took
from words import item, query

from core.types import ItemId, Query
from retrievers.engagements.related_model import RelatedLearner, RelatedModel
from retrievers.lexical import LexicalRetriever
from retrievers.related import RelatedRetriever

ITEMS = [
    item("lamp", "Desk lamp", brand="Acme"),
    item("bulb", "Warm bulb", brand="Acme"),
    item("shade", "Paper shade", brand="Bolt"),
    item("table", "Oak table", brand="Bolt"),
    item("chair", "Oak chair", brand="Acme"),
]
# Lamps go with bulbs more than with shades; tables with chairs.
BASKETS = {("lamp", "bulb"): 8, ("lamp", "shade"): 3, ("table", "chair"): 6}


@pytest.fixture
def related() -> WithSeeds:
    built = arm(LexicalRetriever(), BASKETS)
    built.apply(ITEMS, [])
    return built


def asked(*history: str, text: str = "", **filters: str) -> Query:
    return dataclasses.replace(query(text, **filters), history=tuple(map(ItemId, history)))


def ids(related: RelatedRetriever, wanted: Query, depth: int = 10) -> list[str]:
    return [hit.item_id for hit in related.retrieve(wanted, depth)]


def test_a_session_gets_what_goes_with_its_items_and_not_these(related: WithSeeds) -> None:
    assert ids(related, asked("lamp")) == ["bulb", "shade"]
    assert ids(related, asked("lamp", "bulb")) == ["shade"]


def test_the_newest_item_counts_most(related: WithSeeds) -> None:
    related.load(together({("lamp", "bulb"): 6, ("table", "chair"): 6}))
    assert ids(related, asked("table", "lamp")) == ["bulb", "chair"]
    assert ids(related, asked("lamp", "table")) == ["chair", "bulb"]


def test_relations_to_several_seeds_add_up(related: WithSeeds) -> None:
    alone = {hit.item_id: hit.score for hit in related.retrieve(asked("bulb"), 10)}
    both = {hit.item_id: hit.score for hit in related.retrieve(asked("shade", "bulb"), 10)}
    assert both["lamp"] > alone["lamp"]


def test_without_history_the_seeds_are_what_the_query_finds(related: WithSeeds) -> None:
    assert ids(related, query("lamp")) == ["bulb", "shade"]
    # Both are found, and are related to each other.
    assert set(ids(related, query("oak"))) == {"table", "chair"}
    assert ids(related, query("sofa")) == ids(related, query("")) == []


def test_a_history_without_relations_is_as_none(related: WithSeeds) -> None:
    assert ids(related, asked("never-heard-of", text="lamp")) == ["bulb", "shade"]


def test_the_reason_names_the_seed_that_says_most(related: WithSeeds) -> None:
    bulb, chair = related.retrieve(asked("table", "lamp"), 2)
    assert (bulb.item_id, chair.item_id) == ("bulb", "chair")
    # 11 customers of the lamp with one other item each, and bulbs are 8 of the 234 engagements: 11 * 8 / 234 = 0.38.
    assert bulb.why == "taken together with 'Desk lamp' (8 customers, 0.4 expected)"
    assert chair.why.startswith("taken together with 'Oak table' (6 customers, ")
    # Lamps relate to both; the shade is newer, and the bulb still says more.
    assert related.retrieve(asked("bulb", "shade"), 1)[0].why.startswith("taken together with 'Warm bulb' (8 ")
    related.apply([], [ItemId("lamp")])
    assert related.retrieve(asked("lamp"), 1)[0].why.startswith("taken together with 'lamp' (8 customers")


def test_filters_hold_for_answers_and_not_for_the_session(related: WithSeeds) -> None:
    assert ids(related, asked("lamp", brand="Bolt")) == ["shade"]
    assert ids(related, asked("lamp", brand="Nobody")) == []


def test_only_items_of_the_catalogue_are_returned(related: WithSeeds) -> None:
    related.apply([], [ItemId("bulb")])
    assert ids(related, asked("lamp")) == ["shade"]
    related.apply(ITEMS, [])
    assert ids(related, asked("lamp")) == ["bulb", "shade"]


def test_nothing_learned_is_an_empty_answer(related: WithSeeds) -> None:
    related.load(None)
    assert ids(related, asked("lamp")) == ids(related, query("lamp")) == []
    assert set(related.signals(asked("lamp")).values()) == {0.1, 0.0}


def test_signals_tell_a_session_with_relations_from_one_without(related: WithSeeds) -> None:
    known, unknown, none = (related.signals(asked(*each)) for each in (["x", "lamp"], ["x", "y"], []))
    assert (known["known"], unknown["known"], none["known"]) == (0.5, 0.0, 0.0)
    assert known["relations"] > unknown["relations"] == 0.0
    assert 0 < known["strongest"] < 1
    assert (known["history"], none["history"]) == (0.2, 0.0)
    assert none["coverage"] == 1.0


def test_a_model_comes_back_as_it_was() -> None:
    data = together({("lämp", "bulb"): 3})
    model = RelatedModel.load(data)
    assert model.dump() == data
    assert {"lämp", "bulb"} == set(model.rows)
    assert RelatedModel.load(RelatedModel.empty().dump()).rows == {}


def test_only_gain_of_somebody_is_an_engagement() -> None:
    learner = RelatedLearner(horizon_s=1e9)
    learner.learn([episode(shown=("a", "b"), gains=(1.0, 1.0), query_id=str(n)) for n in range(9)])
    learner.learn([episode(shown=("a", "b"), gains=(0.0, -0.5), client_id=f"c{n}") for n in range(9)])
    assert learner.snapshot() is None
    learner.learn([took(f"c{n}", "a", "b") for n in range(9)])
    data = learner.snapshot()
    assert data is not None
    assert set(RelatedModel.load(data).item_ids) == {"a", "b"}


def test_the_order_of_arrival_changes_nothing() -> None:
    rng = random.Random(4)
    episodes = [took(f"c{rng.randrange(12)}", f"i{rng.randrange(9)}", time=float(n)) for n in range(150)]
    shuffled = rng.sample(episodes, len(episodes))
    # Three items per customer: the bound bites, and keeps the newest whatever came first.
    models = []
    for each in (episodes, shuffled):
        learner = RelatedLearner(horizon_s=100.0, max_items_per_customer=3)
        learner.learn(each)
        models.append(learner.snapshot())
    assert models[0] == models[1] is not None
    assert learned(episodes) == learned(shuffled) != models[0]


def kept(learner: RelatedLearner) -> set[str]:
    data = learner.snapshot()
    assert data is not None
    return set(RelatedModel.load(data).item_ids)


def test_what_is_kept_is_bounded_by_age_items_and_customers() -> None:
    learner = RelatedLearner(horizon_s=10.0, max_customers=2, max_items_per_customer=2)
    learner.learn([took("x", "a", time=1.0), took("x", "b", time=2.0), took("x", "a", time=3.0)])
    learner.learn([took("x", "c", time=4.0)])
    assert kept(learner) == {"a", "c"}  # "b" is the oldest: "a" was taken again
    learner.learn([took("y", "d", time=5.0), took("x", "c", time=6.0), took("z", "e", time=7.0)])
    assert kept(learner) == {"a", "c", "e"}  # "y" was not heard of for longest
    learner.learn([took("y", "d", time=8.0)])
    assert kept(learner) == {"d", "e"}
    learner.learn([took("z", "f", time=17.5)])
    assert kept(learner) == {"d", "f"}


def test_a_new_model_only_when_enough_is_new() -> None:
    learner = RelatedLearner(horizon_s=1e9)
    assert learner.snapshot() is None
    learner.learn([took(f"c{n}", "a", "b") for n in range(50)])
    assert learner.snapshot() is not None
    learner.learn([took(f"c{n}", "a", "b", time=1.0) for n in range(50)])  # nothing that wasn't known
    assert learner.snapshot() is None
    learner.learn([took("new-1", "a", "b"), took("new-2", "a", "b")])
    assert learner.snapshot() is None
    learner.learn([took("new-3", "a", "b")])
    assert learner.snapshot() is not None
