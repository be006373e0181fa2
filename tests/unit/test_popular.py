"""The popular arm: its orders over all, per type and per context, as the catalogue changes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from arms_with_items import Popular
from popularity_world import IDS, learner, model_of, searches, usual_days
from words import item, query

from core.filters import matches
from core.types import Item, ItemId, Query

ITEMS = [item(each, each, popularity=0.5) for each in IDS]


def built(items: Sequence[Item] = ITEMS, model: bytes | None = None) -> Popular:
    arm = Popular()
    arm.apply(items, [])
    arm.load(model)
    return arm


def ids(arm: Popular, asked: Query, depth: int = 100) -> list[str]:
    return [hit.item_id for hit in arm.retrieve(asked, depth)]


def test_without_clicks_the_catalogue_says_what_is_popular() -> None:
    assert ids(built([item("a", "A", popularity=0.1), item("b", "B"), item("c", "C", popularity=0.9)]), query("")) == [
        "c", "b", "a",
    ]  # fmt: skip


def test_clicks_take_over_from_the_catalogue_and_old_ones_fade() -> None:
    items = [item("i0", "A", popularity=0.0), item("i1", "B", popularity=1.0)]
    learned = learner()
    learned.learn(searches(["i0"] * 60, day=0))
    assert ids(built(items, model_of(learned)), query("")) == ["i0", "i1"]
    learned.learn(searches(["i2"], day=100))
    assert ids(built(items, model_of(learned)), query("")) == ["i1", "i0"]


def test_a_fashion_rises_and_falls_back() -> None:
    learned = learner()
    usual_days(learned, range(30))
    before = built(ITEMS, model_of(learned)).retrieve(query(""), 4)
    assert [(hit.item_id, hit.why) for hit in before] == [("i0", ""), ("i1", ""), ("i2", ""), ("i3", "")]

    usual_days(learned, range(30, 31))
    learned.learn(searches(["i3"] * 24, day=30))
    arm = built(ITEMS, model_of(learned))
    best, second = arm.retrieve(query(""), 2)
    assert (best.item_id, second.item_id, second.why) == ("i3", "i0", "")
    # One of this day, and of the days before 1/2 + 1/4 + ...
    assert best.why.startswith("trending: 26 takes lately, ")
    assert arm.signals(query(""))["trending"] == 0.1

    usual_days(learned, range(31, 60))
    arm = built(ITEMS, model_of(learned))
    assert ids(arm, query(""), 4) == ["i0", "i1", "i2", "i3"]
    assert arm.signals(query(""))["trending"] == 0.0


def test_mobile_and_desktop_differ() -> None:
    learned = learner()
    for day in range(10):
        learned.learn(searches(["i1"] * 6 + ["i0"] * 3, day=day, device="mobile"))
        learned.learn(searches(["i2"] * 6 + ["i0"] * 5, day=day, device="desktop"))
    arm = built(ITEMS, model_of(learned))

    def best(**context: str) -> str:
        return ids(arm, replace(query(""), context=context), 1)[0]

    assert (best(), best(device="mobile"), best(device="desktop")) == ("i0", "i1", "i2")
    assert best(device="watch") == best(season="winter") == "i0"
    assert best(device="mobile", season="winter") == "i1"
    known, unknown = (arm.signals(replace(query(""), context={"device": each})) for each in ("mobile", "watch"))
    assert known["context"] > unknown["context"] == 0.0


def test_a_rate_in_a_context_has_the_rate_of_all_as_prior() -> None:
    learned = learner()
    learned.learn(searches(["i1"] * 10, day=0, device="mobile") + searches(["i0"] * 10, day=0, device="desktop"))
    arm = built(ITEMS, model_of(learned))
    scores = {hit.item_id: hit.score for hit in arm.retrieve(replace(query(""), context={"device": "mobile"}), 10)}
    # 20 examinations each, ten of them in the context; the priors count as 20 examinations: of 0.1 for all searches.
    everywhere = (20 * 0.1 + 10) / (20 + 20)
    assert scores["i1"] == pytest.approx((20 * everywhere + 10) / (20 + 10), rel=1e-6)
    assert scores["i0"] == pytest.approx((20 * everywhere + 0) / (20 + 10), rel=1e-6)


RNG = random.Random(7)


def any_item(n: int) -> Item:
    kind, brand, colour = RNG.choice("xyz"), RNG.choice("abcdefgh"), RNG.choice(["red", "blue"])
    return item(f"i{n}", "Any", kind=kind, popularity=RNG.random(), brand=brand, colour=colour)


def test_orders_follow_a_changing_catalogue() -> None:
    """Against sorting everything anew, with rows reused and more items than are kept sorted."""
    learned = learner()
    learned.learn(searches(["i1"] * 6 + ["i3"] * 3, day=0, device="mobile") + searches(["i2"] * 6, day=0))
    model, held = model_of(learned), dict[ItemId, Item]()
    arm = built([], model)
    for _ in range(60):
        upserts = [any_item(RNG.randrange(900)) for _ in range(40)]
        deletes = [ItemId(f"i{RNG.randrange(900)}") for _ in range(15)]
        held = {key: each for key, each in held.items() if key not in deletes} | {each.id: each for each in upserts}
        arm.apply(upserts, [gone for gone in deletes if gone not in {each.id for each in upserts}])
        fresh = built(list(held.values()), model)
        for filters in ({}, {"type": "x"}, {"brand": "a"}, {"type": "y", "colour": "red"}, {"brand": "none"}):
            for asked in (query("", **filters), replace(query("", **filters), context={"device": "mobile"})):
                assert arm.retrieve(asked, 30) == fresh.retrieve(asked, 30)
                assert set(ids(arm, asked, 1000)) == {e.id for e in held.values() if matches(e, asked.filters)}


def test_several_values_of_a_type_filter_and_an_attribute_called_type() -> None:
    arm = built([item("a", "A", kind="x"), item("b", "B", kind="y"), item("c", "C", kind="z", type="x")])
    asked = replace(query(""), filters={"type": ("x", "y")})
    assert set(ids(arm, asked)) == {"a", "b"}
    assert ids(arm, replace(query(""), filters={"type": ()})) == []


def test_what_is_restored_is_what_was_saved(tmp_path: Path) -> None:
    items = [item(f"i{n}", "Any", kind="xyz"[n % 3], popularity=n / 500, brand="ab"[n % 2]) for n in range(500)]
    learned = learner()
    learned.learn(searches(["i1"] * 6 + ["i3"] * 3, day=0))
    model = model_of(learned)
    arm = built(items, model)
    arm.apply([item("i7", "New", popularity=1.0)], [ItemId(f"i{n}") for n in range(10, 60)])
    arm.save(tmp_path)
    for load_first in (True, False):
        restored = Popular()
        if load_first:
            restored.load(model)
        restored.restore(tmp_path)
        if not load_first:
            restored.load(model)
        for asked in (query(""), query("", type="x"), query("", brand="b")):
            assert restored.retrieve(asked, 1000) == arm.retrieve(asked, 1000)
        restored.apply([item("i10", "Back", kind="x", popularity=1.0), *items[200:210]], [ItemId("i3")])
        assert "i3" not in ids(restored, query(""), 1000)
        assert ids(restored, query("", type="x"), 1) == ["i10"]
