"""Laws of the last step, whatever the candidates and the rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.filters import facets
from core.text import tokens
from core.types import Item, ItemId
from ranking.diversity import Diversity

DAY = 86_400.0
NOW = 100 * DAY
OFF = Diversity(page=4, limit={}, near_duplicates=0.0, fresh={})


def made(n: int, brands: list[str], title: str, days: float | None) -> Item:
    dates = {} if days is None else {"released": NOW - days * DAY}
    return Item(ItemId(f"i{n}"), "product", {"title": title}, {"brand": tuple(brands)}, {}, dates)


words = st.lists(st.sampled_from(["red", "blue", "lamp", "desk", "oak"]), max_size=4).map(" ".join)
ages = st.none() | st.floats(-5, 60)


def catalogue(brands: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[Item]]:
    rows = st.lists(st.tuples(brands, words, ages), max_size=25)
    return rows.map(lambda found: [made(n, *row) for n, row in enumerate(found)])


one_brand = st.sampled_from(["A", "B", "C", ""]).map(lambda brand: [brand] if brand else [])
items = catalogue(st.lists(st.sampled_from("ABC"), max_size=2))
rules = st.builds(
    Diversity,
    page=st.integers(1, 6),
    limit=st.dictionaries(st.sampled_from(["brand", "type"]), st.integers(1, 3)),
    near_duplicates=st.sampled_from([0.0, 0.5, 1.0]),
    fresh=st.dictionaries(st.just("released"), st.just(30.0)),
)


def pages(order: list[int], size: int) -> list[list[int]]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def fits(rule: Diversity, page: list[Item], new: Item) -> bool:
    """Written anew from what the rules say."""
    for name, most in rule.limit.items():
        counts = Counter(value for shown in page for facet, value in facets(shown) if facet == name)
        if any(counts[value] >= most for facet, value in facets(new) if facet == name):
            return False
    return not rule.near_duplicates or all(likeness(shown, new) < rule.near_duplicates for shown in page)


def likeness(one: Item, other: Item) -> float:
    first, second = (set(tokens(each.fields["title"])) for each in (one, other))
    return len(first & second) / len(first | second) if first & second else 0.0


@given(items, rules)
def test_nothing_is_lost_or_repeated(found: list[Item], rule: Diversity) -> None:
    assert sorted(rule.order(found, now=NOW).order) == list(range(len(found)))


@given(items, rules)
def test_the_same_every_time(found: list[Item], rule: Diversity) -> None:
    assert rule.order(found, now=NOW) == rule.order(found, now=NOW)


@given(items)
def test_off_is_the_identity(found: list[Item]) -> None:
    assert OFF.off
    assert OFF.order(found, now=NOW) == (list(range(len(found))), {})


@given(items, rules.map(lambda rule: replace(rule, fresh={})))
def test_at_each_place_the_best_that_fits_and_where_none_does_the_best(found: list[Item], rule: Diversity) -> None:
    order = rule.order(found, now=NOW).order
    for start in range(0, len(order), rule.page):
        for place in range(start, min(start + rule.page, len(order))):
            page = [found[row] for row in order[start:place]]
            left = sorted(order[place:])
            assert order[place] == next((row for row in left if fits(rule, page, found[row])), left[0])


@given(catalogue(one_brand), st.integers(1, 6), st.integers(1, 3))
def test_one_limit_holds_on_the_first_page_if_any_order_can_hold_it(found: list[Item], page: int, most: int) -> None:
    rule = Diversity(page, {"brand": most}, 0.0, {})
    brands = [item.attributes["brand"] for item in found]
    shown = Counter(brands[row] for row in rule.order(found, now=NOW).order[:page])
    room = sum(count if brand == () else min(count, most) for brand, count in Counter(brands).items())
    if room >= min(page, len(found)):
        assert all(count <= most for brand, count in shown.items() if brand != ())


@given(items, st.integers(2, 6))
def test_a_page_has_something_fresh_while_there_is_any_and_changes_one_place(found: list[Item], size: int) -> None:
    rule = Diversity(size, {}, 0.0, {"released": 30.0})
    fresh = {n for n, item in enumerate(found) if 0 <= NOW - item.dates.get("released", -NOW) <= 30 * DAY}
    order = rule.order(found, now=NOW).order
    for number, page in enumerate(pages(order, size), start=1):
        later = set(order[number * size :])
        assert fresh & set(page) or not fresh & later
        assert page[:-1] == sorted(page[:-1])


@given(items, rules)
def test_only_what_stands_lower_was_held_back_and_says_why(found: list[Item], rule: Diversity) -> None:
    done = rule.order(found, now=NOW)
    later = {found[row].id for place, row in enumerate(done.order) if place > row}
    assert set(done.held_back) <= later
    assert all(done.held_back.values())


def test_the_reasons_in_words() -> None:
    found = [made(0, ["A"], "Red lamp", None), made(1, ["A"], "Oak desk", None), made(2, ["B"], "Red lamps", None)]
    found += [made(3, ["C"], "Blue desk", 50), made(4, ["C"], "Blue oak", 3)]
    rule = Diversity(2, {"brand": 1}, 0.9, {"released": 7.0})
    order, why = rule.order(found, now=NOW)
    assert order == [0, 4, 1, 2, 3]
    assert why == {
        "i1": "brand = A: 1 on the page",
        "i2": "near duplicate of i0",
        "i3": "made room for something fresh",
    }
