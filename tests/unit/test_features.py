"""What the catalogue, the query and the session say, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from words import item, query

from core.rates import encode_rates
from core.types import Candidate, Floats, Item, ItemId, Query, Review
from ranking.features.extractor import FeatureExtractor
from retrievers.vectors.index import VectorIndex

DAY = 86_400.0


def candidates(items: Sequence[Item]) -> list[Candidate]:
    return [Candidate(each, {}, {}) for each in items]


def rows(extractor: FeatureExtractor, asked: Query, items: Sequence[Item]) -> list[dict[str, float]]:
    found = extractor.extract(asked, candidates(items))
    return [dict(zip(found.names, row.tolist(), strict=True)) for row in found.values]


def told(items: Sequence[Item]) -> FeatureExtractor:
    extractor = FeatureExtractor(())
    extractor.apply(items, [])
    return extractor


def priced(item_id: str, price: float, kind: str = "lamp") -> Item:
    return item(item_id, "Lamp", kind=kind, numbers={"price": price})


def test_prices_are_compared_with_those_of_the_type_as_the_catalogue_changes() -> None:
    many = [priced(f"l{n}", 10.0) for n in range(990)] + [priced(f"s{n}", 1_000.0, "sofa") for n in range(990)]
    dear = priced("dear", 1_000.0)
    extractor = told([*many, dear])
    lamp, sofa, expensive = rows(extractor, query("x"), [many[0], many[-1], dear])
    assert lamp["item.price_type"] == pytest.approx(0, abs=0.05)
    assert sofa["item.price_type"] == pytest.approx(0, abs=0.05)
    assert expensive["item.price_type"] == pytest.approx(np.log(1_001 / 11), abs=0.05)
    extractor.apply([priced(f"l{n}", 1_000.0) for n in range(990)], [])
    assert rows(extractor, query("x"), [dear])[0]["item.price_type"] == pytest.approx(0, abs=0.03)


def test_a_new_price_alone_is_as_good_as_an_item_told_anew() -> None:
    known = [replace(priced(f"l{n}", 10.0 + n), dates={"made": n * DAY}) for n in range(20)]
    changed = [
        replace(known[0], numbers={"price": 99.0, "popularity": 0.5}),
        replace(known[1], dates={"released": 70 * DAY}, numbers={}),
        replace(known[2], type="sofa"),
        replace(known[3], reviews=(Review("A lamp as lamps are"),)),
        replace(known[4], attributes={"brand": ("Acme",)}, numbers={"price": 1.0}),
        replace(known[5], fields={"title": "Lamp oil"}),
    ]
    extractor = told(known)
    extractor.reprice([*changed[:2], known[6]])
    extractor.apply(changed[2:], ["l7", "nobody"])
    now = [*changed, known[6], *known[8:]]
    asked = replace(query("lamp"), time=100 * DAY)
    once = told(now).extract(asked, candidates(now)).values
    np.testing.assert_array_equal(extractor.extract(asked, candidates(now)).values, once)
    extractor.apply(known, [])
    np.testing.assert_array_equal(
        extractor.extract(asked, candidates(known)).values, told(known).extract(asked, candidates(known)).values
    )


@pytest.mark.parametrize("restored", [False, True])
def test_new_labels_alone_are_as_good_as_an_item_told_anew(tmp_path: Path, restored: bool) -> None:
    def stocked(n: int, *stock: str, kind: str = "thing") -> Item:
        fields = {"title": f"Red lamp {n}", "description": "A lamp in a box"}
        labels = {"brand": ("Acme",), **({"stock": stock} if stock else {})}
        return Item(ItemId(f"l{n}"), kind, fields, labels, reviews=(Review("Shines red, out of a box"),))

    known = [stocked(n, "out of stock", "red") for n in range(9)]
    changed = [
        stocked(0, "lamp", "acme", "out"), stocked(1), stocked(2, "red shines"), stocked(3, "new", "new", "new"),
        stocked(4, "out of stock", kind="box"), replace(stocked(5, "lamp"), fields={"title": "Red lamp"}),
    ]  # fmt: skip
    extractor = told(known)
    if restored:
        extractor.save(tmp_path)
        extractor = FeatureExtractor(())
        extractor.restore(tmp_path)
    extractor.apply(changed, ["l8"])
    now = [*changed, *known[6:8]]
    once = told(now)
    for text in ("red lamp", "out of stock", "acme box", "new shines", "stock thing lamp"):
        values = extractor.extract(query(text), candidates(now)).values
        np.testing.assert_array_equal(values, once.extract(query(text), candidates(now)).values)


def test_the_price_of_one_of_its_kind_is_compared_with_all() -> None:
    extractor = told([*(priced(f"l{n}", 10.0) for n in range(99)), priced("only", 1_000.0, "yacht")])
    only = rows(extractor, query("x"), [priced("only", 1_000.0, "yacht")])[0]
    assert only["item.price_type"] == pytest.approx(10 / 11 * np.log(1_001 / 11), rel=0.01)


def test_the_age_is_that_at_the_time_of_the_query() -> None:
    made = {
        "released": replace(item("a", "x"), dates={"released": 10 * DAY, "sold": 30 * DAY}),
        "newest": replace(item("b", "x"), dates={"made": 10 * DAY, "sold": 30 * DAY}),
        "year": item("c", "x", numbers={"year": 1970}),
        "future": replace(item("d", "x"), dates={"released": 900 * DAY}),
        "unknown": item("e", "x"),
    }
    asked = replace(query("x"), time=100 * DAY)
    found = dict(zip(made, rows(told(list(made.values())), asked, list(made.values())), strict=True))
    assert found["released"]["item.age"] == pytest.approx(np.log1p(90))
    assert found["newest"]["item.age"] == pytest.approx(np.log1p(70))
    assert found["year"]["item.age"] == pytest.approx(0)  # the middle of 1970 is yet to come
    assert found["future"]["item.age"] == 0
    assert np.isnan(found["unknown"]["item.age"])


@pytest.mark.parametrize(
    ("text", "digits", "model", "unknown"),
    [("lamp", 0, 0, 0), ("lamp xk200", 0.3333, 1, 0.5), ("2024", 1, 0, 1), ("a4 lamp", 1 / 6, 0, 0.5)],
)
def test_kinds_of_queries(text: str, digits: float, model: float, unknown: float) -> None:
    found = rows(told([item("a", "Lamp")]), query(text), [item("a", "Lamp")])[0]
    assert found["query.digits"] == pytest.approx(digits, abs=1e-3)
    assert (found["query.model"], found["query.unknown"]) == (model, unknown)


def test_an_empty_query_has_no_shares() -> None:
    found = rows(told([item("a", "Lamp")]), query(""), [item("a", "Lamp")])[0]
    assert np.isnan(found["query.digits"])
    assert np.isnan(found["query.unknown"])
    assert found["query.words"] == 0


SHOP = [item("a", "Lamp", brand="Acme", kind="lamp"), item("b", "Sofa", brand="Acme"), item("c", "Sofa")]


def test_what_the_session_took() -> None:
    extractor = told(SHOP)
    asked = replace(query("x"), history=(ItemId("a"), ItemId("b"), ItemId("gone")))
    lamp, _, bare = rows(extractor, asked, SHOP)
    assert (lamp["session.same_type"], lamp["session.same_brand"]) == (0.5, 1)
    assert np.isnan(bare["session.same_brand"])
    assert lamp["session.length"] == pytest.approx(np.log1p(3))
    nobody = rows(extractor, query("x"), SHOP)[0]
    assert np.isnan(nobody["session.same_type"])
    assert nobody["session.length"] == 0


def near(session: Sequence[ItemId], item_ids: Sequence[ItemId]) -> Floats:
    return np.array([float(each in session) for each in item_ids], dtype=np.float32)


def pointing(*directions: tuple[str, int]) -> dict[ItemId, Floats]:
    """Unit vectors along one of three axes."""
    return {ItemId(item_id): np.eye(3, dtype=np.float32)[axis] for item_id, axis in directions}


def closeness(extractor: FeatureExtractor, items: Sequence[Item]) -> list[float]:
    found = rows(extractor, replace(query("x"), history=(ItemId("b"),)), items)
    return [row["session.closeness"] for row in found]


def test_relations_come_from_elsewhere() -> None:
    extractor = FeatureExtractor((), related=near)
    extractor.apply(SHOP, [])
    found = rows(extractor, replace(query("x"), history=(ItemId("b"),)), SHOP)
    assert [row["session.related"] for row in found] == [0, 1, 0]
    assert np.isnan(closeness(extractor, SHOP)).all()


def test_closeness_follows_the_vectors_whatever_was_looked_up_before(tmp_path: Path) -> None:
    index = VectorIndex(3, {})
    extractor = FeatureExtractor((), vectors=index.now, rest_s=0.0)
    extractor.apply(SHOP, [])
    assert np.isnan(closeness(extractor, SHOP)).all()
    index.change(pointing(("a", 0), ("b", 1)), [])
    np.testing.assert_array_equal(closeness(extractor, SHOP), [0, 1, np.nan])
    index.change(pointing(("c", 1), ("a", 1)), [])
    assert closeness(extractor, SHOP) == [1, 1, 1]
    index.change({}, ["a"])
    np.testing.assert_array_equal(closeness(extractor, SHOP), [np.nan, 1, 1])
    stranger = item("new", "Newcomer")
    extractor.apply([stranger], ["c"])  # which may take the place of the one that goes
    extractor.apply([SHOP[2]], [])
    np.testing.assert_array_equal(closeness(extractor, [*SHOP, stranger]), [np.nan, 1, 1, np.nan])
    extractor.save(tmp_path)
    extractor.restore(tmp_path)
    index.change(pointing(("new", 2)), [])
    np.testing.assert_array_equal(closeness(extractor, [*SHOP, stranger]), [np.nan, 1, 1, 0])


def test_closeness_of_many_while_the_index_is_numbered_anew() -> None:
    random, ids = np.random.default_rng(1), [ItemId(f"i{n}") for n in range(3_000)]
    shop = [item(item_id, "Lamp") for item_id in ids]
    index, known = VectorIndex(4, {}), dict[ItemId, Floats]()
    extractor = FeatureExtractor((), vectors=index.now)
    extractor.apply(shop, [])
    for _ in range(8):  # each time half is put anew: dead rows pile up until they are cleared away
        drawn = random.normal(size=(1_500, 4)).astype(np.float32)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        put = dict(zip(random.permutation(ids).tolist(), drawn, strict=False))
        index.change(put, [])
        known |= put
        seen = [shop[n] for n in random.integers(3_000, size=200).tolist()]
        mean = known.get(ids[0])
        asked = replace(query("x"), history=(ids[0],))
        found = [row["session.closeness"] for row in rows(extractor, asked, seen)]
        nothing = np.full(4, np.nan, dtype=np.float32)
        expected = [float(known.get(each.id, nothing) @ (nothing if mean is None else mean)) for each in seen]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_popularity_is_shrunk_to_that_of_the_type() -> None:
    extractor = told([*SHOP, item("new", "Lamp", kind="lamp")])
    extractor.loads["popularity"](encode_rates([(ItemId("a"), 90.0, 100.0), (ItemId("c"), 0.0, 100.0)]))
    lamp, _, sofa, new = rows(extractor, query("x"), [*SHOP, item("new", "Lamp", kind="lamp")])
    of_lamps = 90 / 120
    assert lamp["popularity.rate"] == pytest.approx((20 * of_lamps + 90) / 120)
    assert new["popularity.rate"] == new["popularity.type_rate"] == pytest.approx(of_lamps)
    assert sofa["popularity.rate"] == 0
    assert lamp["popularity.examined"] == pytest.approx(np.log1p(100))
    assert lamp["popularity.trend"] == 0


def test_searches_run_while_the_catalogue_and_the_models_change() -> None:
    extractor = told(SHOP)
    texts = ["lamp novelty", "sofa"]

    def change() -> None:
        for n in range(150):
            extractor.apply([item(f"n{n}", f"Lamp novelty{n}", kind=f"kind {n % 7}"), *SHOP], [f"n{n - 2}"])
            extractor.loads["popularity"](encode_rates([(ItemId(f"n{n}"), 1.0, 2.0)]))

    def search() -> None:
        for n in range(150):
            items = [*SHOP, item(f"n{n}", f"Lamp novelty{n}"), item("never there", "Lamp")]
            found = extractor.extract(query(texts[n % 2]), candidates(items))
            titles = found.values[:, found.names.index("text.title_words")]
            assert titles[[0, 1, 2, 4]].tolist() == [pytest.approx(np.log(2))] * 4
            assert titles[3] == pytest.approx(np.log(3))

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(change), pool.submit(search), pool.submit(search)]:
            done.result()
    assert rows(extractor, query("lamp"), SHOP)[0]["text.title_exact"] == 1
