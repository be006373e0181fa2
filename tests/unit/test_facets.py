"""Ranges and facets: both lexical engines count what can be counted by hand, and agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from arms_with_items import Okapi, Structured
from hypothesis import given, settings
from hypothesis import strategies as st
from words import item, query

from core.facets import Figures, RangeCount, ValueCount
from core.filters import facets, matches
from core.types import Item, ItemId, Range
from retrievers.impact.expansion import CatalogueTerms
from retrievers.lexical import LexicalRetriever
from retrievers.sparse import SparseRetriever

Engine = LexicalRetriever | Okapi
SHOP = [
    item("a", "Red lamp", brand="Acme", colour="red", numbers={"price": 10, "year": 2001}),
    item("b", "Blue lamp", brand="Bolt", colour="blue", numbers={"price": 25.5, "year": 2002}),
    item("c", "Green lamp", brand="Acme", colour="green", numbers={"price": 99.99}),
    item("d", "Grey lamp", brand="Core", kind="outlet", colour="grey"),
    item("e", "Oak chair", brand="Bolt", colour="brown", numbers={"price": 480}),
]


@pytest.fixture(params=[LexicalRetriever, Okapi], ids=["tantivy", "okapi"])
def shop(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.param()
    engine.apply(SHOP, [])
    return engine


def test_values_are_counted_over_all_matches(shop: Engine) -> None:
    counted = shop.facets(query("lamp"), ["brand", "type", "nobody has it"])
    assert counted == {
        "brand": (ValueCount("Acme", 2), ValueCount("Bolt", 1), ValueCount("Core", 1)),
        "type": (ValueCount("product", 3), ValueCount("outlet", 1)),
        "nobody has it": (),
    }


def test_a_number_is_counted_in_ranges_that_touch_every_item_once(shop: Engine) -> None:
    price = shop.facets(query("lamp"), ["price"])["price"]
    assert isinstance(price, Figures)
    assert sum(each.count for each in price.ranges) == 3
    assert (price.ranges[0].low, price.ranges[-1].high) == (10, 99.99)
    assert all(before.high < after.low for before, after in zip(price.ranges, price.ranges[1:], strict=False))
    assert shop.facets(query("xyzzy"), ["price", "brand"]) == {"price": Figures(()), "brand": ()}


def test_a_facet_does_not_filter_itself(shop: Engine) -> None:
    asked = query("lamp", brand="Acme", price=Range(0, 50))
    counted = shop.facets(asked, ["brand", "colour", "price"])
    assert counted["brand"] == (ValueCount("Acme", 1), ValueCount("Bolt", 1))
    assert counted["colour"] == (ValueCount("red", 1),)
    price = counted["price"]
    assert isinstance(price, Figures)
    assert (price.ranges[0].low, price.ranges[-1].high) == (10, 99.99)


def test_without_words_everything_counts(shop: Engine) -> None:
    assert shop.facets(query(""), ["type"])["type"] == (ValueCount("product", 4), ValueCount("outlet", 1))


def test_facets_follow_changes(shop: Engine) -> None:
    shop.apply([item("b", "Blue table", brand="Bolt")], [ItemId("c")])
    assert shop.facets(query("lamp"), ["brand"])["brand"] == (ValueCount("Acme", 1), ValueCount("Core", 1))
    assert shop.facets(query("lamp"), ["price"])["price"] == Figures((RangeCount(10, 10, 1),))


def test_the_twenty_most_frequent_values_and_equal_counts_in_order(shop: Engine) -> None:
    brands = [f"brand {n:02d}" for n in range(30)]
    shop.apply([item(f"desk-{b}-{n}", "Desk", brand=b) for b in brands for n in range(2 if b == "brand 29" else 1)], [])
    found = shop.facets(query("desk"), ["brand"])["brand"]
    assert found == (ValueCount("brand 29", 2), *(ValueCount(brand, 1) for brand in brands[:19]))


def test_an_attribute_called_type_is_neither_filtered_by_nor_counted() -> None:
    odd = Item(ItemId("odd"), "lamp", {"title": "Odd"}, {"type": ("chair",), "size": ("L", "L", "M")})
    assert list(facets(odd)) == [("type", "lamp"), ("size", "L"), ("size", "M")]
    assert not matches(odd, {"type": ("chair",)})
    for engine in (LexicalRetriever(), Okapi()):
        engine.apply([odd], [])
        assert engine.retrieve(query("odd", type="chair"), 5) == []
        assert engine.facets(query("odd"), ["type"]) == {"type": (ValueCount("lamp", 1),)}


# Whole and broken, small and huge, as one catalogue may hold them under one name.
figures = st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 2.0, 0.1, 0.1 + 0.2, 2.5, -7.25, 2.0**53, 2.0**53 + 2, 9.3e18, 2.0**63, 1.9e19, -1.4e19,
     1e300, -1e300, 5e-324]
)  # fmt: skip
names = st.sampled_from(["price", "a.b", "\\x00 \N{SNOWMAN}*:[", "values"])
stocks = st.lists(st.dictionaries(names, figures | st.floats(allow_nan=False, allow_infinity=False), max_size=3))
bounds = figures | st.floats(allow_nan=False, allow_infinity=False)
ranges = st.tuples(bounds, bounds).map(lambda pair: Range(*sorted(pair))) | st.builds(Range, low=bounds)
ranges = ranges | st.builds(Range, high=bounds) | st.just(Range())
ARMS: list[Callable[[], LexicalRetriever | SparseRetriever | Structured]] = [
    LexicalRetriever, lambda: SparseRetriever(CatalogueTerms()), Structured,
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(stocks, st.lists(st.tuples(names, ranges), min_size=1, max_size=4))
def test_ranges_are_exact(stock: list[dict[str, float]], asked: list[tuple[str, Range]]) -> None:
    items = [item(f"i{n}", "lamp", numbers=numbers) for n, numbers in enumerate(stock)]
    for build in ARMS:
        arm = build()
        for start in range(0, len(items), 4):  # several parts of the index, some replaced
            arm.apply(items[max(start - 1, 0) : start + 4], [])
        for name, span in asked:
            wanted = {name: span}
            found = arm.retrieve(query("lamp", **wanted), 100)
            assert {hit.item_id for hit in found} == {each.id for each in items if matches(each, wanted)}


@settings(max_examples=40, deadline=None)
@given(stocks)
def test_every_range_of_a_facet_is_a_filter_with_that_count(stock: list[dict[str, float]]) -> None:
    items = [item(f"i{n}", "lamp", numbers=numbers) for n, numbers in enumerate(stock)]
    for engine in (LexicalRetriever(), Okapi()):
        engine.apply(items, [])
        for name, counted in engine.facets(query("lamp"), sorted({n for numbers in stock for n in numbers})).items():
            assert isinstance(counted, Figures)
            assert sum(each.count for each in counted.ranges) == sum(name in each.numbers for each in items)
            for each in counted.ranges:
                assert sum(matches(i, {name: Range(each.low, each.high)}) for i in items) == each.count


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["5", "x", "X", "x ", "\x00", "é" * 3_000, "true", ""]), max_size=4)))
def test_values_are_counted_exactly(stock: list[list[str]]) -> None:
    items = [Item(ItemId(f"i{n}"), "t", {"title": "lamp"}, {"a.b": tuple(v)}) for n, v in enumerate(stock)]
    counts = Counter(value for each in items for value in set(each.attributes["a.b"]))
    for engine in (LexicalRetriever(), Okapi()):
        engine.apply(items, [])
        assert {each.value: each.count for each in engine.facets(query("lamp"), ["a.b"])["a.b"]} == counts  # type: ignore[union-attr]
        for value in ("5", "x", "\x00", "", "é" * 3_000):
            assert len(engine.retrieve(query("lamp", **{"a.b": value}), 100)) == counts[value]
