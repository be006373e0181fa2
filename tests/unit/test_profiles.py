"""Profiles of customers, and the features that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from builders import episode
from words import item, query

from core.episodes import Episode
from core.types import Candidate, ItemId
from ranking.features.extractor import FeatureExtractor
from ranking.profiles import MAX_TRAITS, PRICE_FEATURE, ProfilesLearner, ProfilesModel, price_band

DAY = 86_400.0
PRICES = {"a": 5.0, "b": 100.0, "c": 2_000.0}
ITEMS = [
    item("a", "Lamp", kind="lamp", brand="Acme", numbers={"price": PRICES["a"]}),
    item("b", "Sofa", kind="sofa", brand="Bolt", numbers={"price": PRICES["b"]}),
    item("c", "Lamp", kind="lamp", numbers={"price": PRICES["c"]}),
]
CATALOGUE = {each.id: each for each in ITEMS}


def searched(n: int, clicked: str, *, user: str | None = "eve", time: float = 0.0) -> Episode:
    """A search that showed all three, the prices being low, usual and high."""
    shown = tuple(PRICES)
    made = episode(
        query_id=str(n), shown=shown, gains=[float(each in clicked) for each in shown], time=time,
        feature_names=[PRICE_FEATURE], features=[[-1.0], [0.0], [1.0]],
    )  # fmt: skip
    asked = replace(made.impression.query, user_id=user)
    return replace(made, impression=replace(made.impression, query=asked), examination=(1.0, 1.0, 1.0))


def learner(**more: int) -> ProfilesLearner:
    return ProfilesLearner(CATALOGUE.get, brand="brand", half_life_s=30 * DAY, **more)


def features(model: bytes | None, user: str) -> Mapping[str, Mapping[str, float]]:
    extractor = FeatureExtractor(())
    extractor.apply(ITEMS, [])
    extractor.loads["profiles"](model)
    found = extractor.extract(replace(query("x"), user_id=user), [Candidate(each, {}, {}) for each in ITEMS])
    return {
        each.id: dict(zip(found.names, row.tolist(), strict=True))
        for each, row in zip(ITEMS, found.values, strict=True)
    }


def test_what_somebody_took_more_than_other_things_he_saw_is_liked() -> None:
    learns = learner()
    learns.learn([searched(n, "a") for n in range(5)])
    found = features(learns.snapshot(), "eve")
    assert found["a"]["affinity.brand"] > 0 > found["b"]["affinity.brand"]
    assert found["a"]["affinity.price"] > 0 > found["c"]["affinity.price"]
    assert np.isnan(found["c"]["affinity.brand"])  # it has none
    assert found["a"]["affinity.type"] == found["c"]["affinity.type"] > found["b"]["affinity.type"]
    assert found["a"]["affinity.evidence"] == pytest.approx(np.log1p(5))
    usual = 5 / 15  # there is nobody else
    assert found["a"]["affinity.brand"] == pytest.approx(np.log((5 + 5) / (5 * usual + 5)))


def test_what_everybody_likes_is_no_taste_of_anybody() -> None:
    learns = learner()
    learns.learn([searched(n, "a", user=f"user-{n % 20}") for n in range(200)])
    learns.learn([searched(200 + n, "b") for n in range(10)])
    model = learns.snapshot()
    everybodys, eves = features(model, "user-1"), features(model, "eve")
    assert everybodys["a"]["affinity.brand"] == pytest.approx(0, abs=0.05)
    assert eves["b"]["affinity.brand"] > 0.5
    assert eves["a"]["affinity.brand"] < -0.5


def test_who_takes_more_of_everything_has_no_taste() -> None:
    learns = learner()
    learns.learn([searched(n, "ab"[n % 2], user=f"user-{n % 20}") for n in range(200)])
    learns.learn([searched(200 + n, "ab") for n in range(20)])
    tastes = features(learns.snapshot(), "eve")
    assert tastes["a"]["affinity.brand"] == pytest.approx(tastes["b"]["affinity.brand"], abs=0.01)
    assert abs(tastes["a"]["affinity.brand"]) < 0.25


def test_pages_without_clicks_count_once_somebody_is_known() -> None:
    learns = learner()
    learns.learn([searched(1, ""), searched(2, "a"), searched(3, "")])
    model = ProfilesModel.load(learns.snapshot() or b"")
    assert model.totals.tolist() == [[1.0, 6.0]]
    assert model.people[-1].tolist() == [1.0, 9.0]


@pytest.mark.parametrize("user", ["adam", ""])
def test_of_a_stranger_nothing_is_known(user: str) -> None:
    learns = learner()
    learns.learn([searched(1, "a"), searched(2, "b", user=None)])
    found = features(learns.snapshot(), user)
    assert all(np.isnan(row[name]) for row in found.values() for name in row if name.startswith("affinity."))


def test_what_is_a_half_life_old_counts_half() -> None:
    learns = learner()
    learns.learn([searched(1, "a"), searched(2, "b", time=30 * DAY)])
    model = learns.snapshot()
    assert model is not None
    taste = ProfilesModel.load(model).taste("eve")
    assert taste is not None
    assert taste.gained == pytest.approx(1.5)
    assert taste.lifts["brand", "Bolt"] > taste.lifts["brand", "Acme"]


def test_who_wants_to_be_forgotten_is() -> None:
    learns = learner()
    learns.learn([searched(1, "a"), searched(2, "a", user="adam")])
    assert b"eve" in (learns.snapshot() or b"")
    learns.forget("eve")
    model = learns.snapshot()
    assert model is not None
    assert b"eve" not in model
    assert np.isnan(features(model, "eve")["a"]["affinity.type"])
    assert features(model, "adam")["a"]["affinity.type"] > 0
    learns.forget("nobody")
    assert learns.snapshot() is None


def test_customers_and_what_is_known_of_each_are_bounded() -> None:
    learns = learner(max_customers=3)
    learns.learn([searched(n, "a", user=f"user-{n}") for n in range(10)])
    model = ProfilesModel.load(learns.snapshot() or b"")
    assert set(model.customers) == {"user-7", "user-8", "user-9"}
    many = {ItemId(f"i{n}"): item(f"i{n}", "Lamp", brand=f"Brand {n}") for n in range(200)}
    collects = ProfilesLearner(many.get, brand="brand", half_life_s=DAY)
    collects.learn([episode(query_id=str(n), shown=[f"i{n}"], gains=[1.0], client_id="eve") for n in range(200)])
    known = ProfilesModel.load(collects.snapshot() or b"").taste("eve")
    assert known is not None
    assert len(known.lifts) == MAX_TRAITS


def test_bands_of_prices() -> None:
    assert [price_band(price) for price in (-1.0, -0.1, 0.1, 0.25, float("nan"))] == [
        "low", "usual", "usual", "high", "",
    ]  # fmt: skip


def test_a_taste_fades_while_its_customer_is_away() -> None:
    """She liked lamps as everybody does; a year later she is no friend of lamps because others went on."""
    everybody = [searched(n, "a" if n % 2 else "", user=f"u{n}", time=n * DAY) for n in range(365)]
    hers = [searched(1_000 + n, "a" if n % 2 else "", user="ann", time=n / DAY) for n in range(60)]
    made = learner()
    made.learn(sorted([*everybody, *hers], key=lambda each: each.impression.query.time))
    taste = ProfilesModel.load(made.snapshot() or b"").taste("ann")
    assert taste is not None
    assert taste.gained < 0.1
    assert max(map(abs, taste.lifts.values())) < 0.05
