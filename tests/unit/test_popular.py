"""The popular arm and its learner: over all, lately, per type and per context."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from arms_with_items import Popular
from builders import episode
from words import item, query

from core.filters import matches
from core.rates import Rates, decode_rates
from core.types import Episode, Item, ItemId, Query
from retrievers.popularity_model import MAX_CONTEXTS, PopularityLearner, PopularityModel
from retrievers.trends import MOST_LIFT, Trend, lifts

DAY = 86_400.0
IDS = [f"i{n}" for n in range(10)]
CLIENTS = count()
ITEMS = [item(each, each, popularity=0.5) for each in IDS]


def learner() -> PopularityLearner:
    return PopularityLearner(half_life_s=7 * DAY, trend_half_life_s=DAY, client_cap=1)


def searches(
    taken: Sequence[str], *, day: float, client: str | None = None, arm: str = "lexical", **context: str
) -> list[Episode]:
    """One search for each taken item (or `nothing`), in which all of IDS are shown; each by a client of its own unless
    one is given."""
    found = []
    for n, each in enumerate(taken):
        shown = episode(
            query_id=f"{day}-{n}",
            shown=IDS,
            gains=[float(other == each) for other in IDS],
            time=day * DAY,
            client_id=client or f"client-{next(CLIENTS)}",
            ranks={arm: range(1, len(IDS) + 1)},
        )
        asked = replace(shown.impression.query, context=context)
        # Equal chances to be seen, so that takes alone tell the items apart.
        shown = replace(shown, examination=(1.0,) * len(IDS))
        found.append(replace(shown, impression=replace(shown.impression, query=asked)))
    return found


def model_of(learned: PopularityLearner) -> bytes:
    model = learned.snapshot()
    assert model is not None
    return model


def trends_of(learned: PopularityLearner) -> dict[str, Trend]:
    return {trend.item_id: trend for trend in PopularityModel.load(model_of(learned)).trends}


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


def usual_days(learned: PopularityLearner, days: range) -> None:
    """Ten takes a day, the first items more often."""
    for day in days:
        learned.learn(searches(["i0"] * 4 + ["i1"] * 3 + ["i2"] * 2 + ["i3"], day=day))


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


def test_more_of_everything_is_no_trend() -> None:
    learned = learner()
    usual_days(learned, range(30))
    for _ in range(20):
        usual_days(learned, range(30, 31))
    assert trends_of(learned) == {}


def test_a_single_client_makes_no_trend() -> None:
    def after(client: str | None) -> dict[str, Trend]:
        learned = learner()
        usual_days(learned, range(30))
        learned.learn(searches(["i9"] * 50, day=30, client=client))
        return trends_of(learned)

    assert after("one") == {}
    assert set(after(None)) == {"i9"}


def test_a_handful_of_takes_makes_no_trend() -> None:
    learned = learner()
    usual_days(learned, range(30))
    learned.learn(searches(["i9"] * 4, day=30))
    assert trends_of(learned) == {}


def test_what_the_arm_itself_brings_about_is_no_trend() -> None:
    """The same takes: of items that only this arm showed, at the rate they always had; or found by another arm."""

    def after(arm: str) -> set[str]:
        learned = learner()
        usual_days(learned, range(30))
        for day in range(10, 30):
            learned.learn(searches(["i9", *["nothing"] * 9], day=day, arm="popular"))
        learned.learn(searches(["i9", *["nothing"] * 9] * 40, day=30, arm=arm))
        return set(trends_of(learned))

    assert after("popular") == set()
    assert "i9" in after("vector")


def test_lifts_are_the_lower_limit_of_a_gamma_posterior() -> None:
    rng = np.random.default_rng(1)
    for takes, expected in ((8, 1.0), (14, 3.2), (30, 12.0), (200, 120.0)):
        drawn = rng.gamma(takes + 0.5, size=200_000) / (expected + 0.5)
        limit = np.clip(np.quantile(drawn, 0.025), 1.0, MOST_LIFT)
        assert lifts([Trend(ItemId("a"), takes, expected)])[0] == pytest.approx(limit, rel=0.05)
    assert lifts([Trend(ItemId("a"), 1e6, 0.0), Trend(ItemId("b"), 6.0, 5.0)]).tolist() == [MOST_LIFT, 1.0]


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


def test_what_every_search_says_is_no_context() -> None:
    learned = learner()
    learned.learn(searches(["i1"] * 20, day=0, app="shop"))
    assert PopularityModel.load(model_of(learned)).contexts == {}


def test_a_rate_in_a_context_has_the_rate_of_all_as_prior() -> None:
    learned = learner()
    learned.learn(searches(["i1"] * 10, day=0, device="mobile") + searches(["i0"] * 10, day=0, device="desktop"))
    arm = built(ITEMS, model_of(learned))
    scores = {hit.item_id: hit.score for hit in arm.retrieve(replace(query(""), context={"device": "mobile"}), 10)}
    # 20 examinations each, ten of them in the context; the priors count as 20 examinations: of 0.1 for all searches.
    everywhere = (20 * 0.1 + 10) / (20 + 20)
    assert scores["i1"] == pytest.approx((20 * everywhere + 10) / (20 + 10), rel=1e-6)
    assert scores["i0"] == pytest.approx((20 * everywhere + 0) / (20 + 10), rel=1e-6)


def test_the_oldest_contexts_are_forgotten() -> None:
    learned = learner()
    for n in range(MAX_CONTEXTS + 10):
        learned.learn(searches(["i1"] * 3, day=n / 100, campaign=f"c{n}"))
    names = {value for _, value in PopularityModel.load(model_of(learned)).contexts}
    assert "c0" not in names
    assert f"c{MAX_CONTEXTS + 9}" in names
    assert len(names) < MAX_CONTEXTS


def test_what_counts_least_is_forgotten() -> None:
    rates = Rates[str](half_life_s=DAY)
    for key, examined, day in (("old", 100.0, 0), ("often", 9.0, 9), ("twice", 2.0, 10), ("once", 1.0, 10)):
        rates.add(key, gain=0.0, examined=examined, time=day * DAY)
    rates.prune(10 * DAY, least=0.5, most=10)
    assert set(rates.evidence) == {"often", "twice", "once"}  # of the old one, 100 / 1024 is left
    rates.prune(10 * DAY, least=0.5, most=2)
    assert set(rates.evidence) == {"often", "twice"}


def test_others_read_the_plain_rates_of_the_same_bytes() -> None:
    learned = learner()
    learned.learn(searches(["i1"] * 6, day=0, device="mobile") + searches(["i0"] * 4, day=0))
    rates = decode_rates(model_of(learned))
    assert rates["i1"] == (6.0, 10.0)
    assert rates["i0"] == (4.0, 10.0)


def test_a_model_comes_back_as_it_was() -> None:
    learned = learner()
    usual_days(learned, range(10))
    learned.learn(searches(["i9"] * 30, day=10, device="mobile"))
    data = model_of(learned)
    model = PopularityModel.load(data)
    assert model.contexts
    assert model.trends
    assert model.dump() == data
    assert learned.snapshot() is None


def test_the_log_decides_what_is_learned_not_how_it_is_cut() -> None:
    episodes = [each for day in range(5) for each in searches(["i0", "i1", "i9"], day=day, device=f"d{day % 2}")]
    whole, parts = learner(), learner()
    whole.learn(episodes)
    for each in episodes:
        parts.learn([each])
    assert whole.snapshot() == parts.snapshot()


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


def test_requests_run_while_the_catalogue_changes() -> None:
    arm, errors, done = built(), list[BaseException](), threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                for filters in ({}, {"type": "product"}, {"brand": "b1"}):
                    hits = ids(arm, query("", **filters), 20)
                    assert len(set(hits)) == len(hits)
                arm.signals(query(""))
        except BaseException as error:  # noqa: BLE001 (a thread's errors are lost otherwise)
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(300):
        arm.apply([item(f"n{n}", "New", popularity=n / 300, brand=f"b{n % 3}")], [ItemId(f"n{n - 40}")])
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ids(arm, query(""), 1) == ["n299"]
