"""The structured arm: queries read as constraints on attributes."""

from __future__ import annotations

import math

import pytest
from arms_with_items import Structured
from builders import episode
from hypothesis import given, settings
from hypothesis import strategies as st
from words import item, query

from core.episodes import Episode
from core.filters import matches
from core.types import Item, ItemId, Range
from retrievers.structure.readings_model import ReadingsLearner, load_lifts

DAY = 86_400.0


def product(item_id: str, title: str, kind: str, brand: str, price: float, screen: float) -> Item:
    numbers = {"price": price, "screen size (in)": screen}
    return Item(ItemId(item_id), kind, {"title": title}, {"brand": (brand,)}, numbers)


SHOP = [
    product("hp17", "Pavilion X", "notebook", "HP", 700, 17.3),
    product("hp15", "Pavilion Y", "notebook", "HP", 250, 15.6),
    product("acer17", "Aspire", "notebook", "Acer", 280, 17.3),
    product("acer24", "Wide", "monitor", "Acer", 150, 24),
    product("hp24", "Bright", "monitor", "HP", 310, 24),
    product("sleeve", "Sleeve for a HP notebook", "bag", "Case", 20, 17),
]
APPLES = [
    item("mac", "Laptop", brand="Apple"),
    item("pad", "Tablet", brand="Apple"),
    item("pod", "Player", brand="Apple"),
    item("juice", "Juice", flavour="Apple"),
    item("pie", "Pie", flavour="Apple"),
    item("cherry", "Cherry juice", flavour="Cherry"),
]


def arm(items: list[Item]) -> Structured:
    made = Structured()
    made.apply(items, [])
    return made


@pytest.fixture
def shop() -> Structured:
    return arm(SHOP)


def ids(found: Structured, text: str, depth: int = 10, **filters: str) -> list[str]:
    return [hit.item_id for hit in found.retrieve(query(text, **filters), depth)]


def why(found: Structured, text: str) -> str:
    return found.retrieve(query(text), 1)[0].why


def test_type_brand_and_screen(shop: Structured) -> None:
    assert ids(shop, "17 inch hp notebook")[0] == "hp17"
    assert set(why(shop, "17 inch hp notebook").split(", ")) == {
        "screen size (in) 16.32 to 17.68",
        "brand=HP",
        "type=notebook",
    }


def test_relaxation_keeps_what_meets_most(shop: Structured) -> None:
    found = ids(shop, "hp notebook")
    assert set(found[:2]) == {"hp15", "hp17"}
    assert "hp24" in found or "acer17" in found  # meets one of the two constraints
    assert "acer24" not in found  # meets none


def test_a_reading_that_nothing_meets_still_finds_the_nearest(shop: Structured) -> None:
    found = shop.retrieve(query("acer bag"), 10)
    assert {hit.item_id for hit in found} >= {"acer17", "acer24", "sleeve"}
    assert all("brand=Acer" not in hit.why or "type=bag" not in hit.why for hit in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("notebook under 300", {"hp15", "acer17"}),
        ("monitor over 300", {"hp24"}),
        ("notebook between 260 and 290 euro", {"acer17"}),
        ("notebook $600-800", {"hp17"}),
        ("monitor cheaper than 200", {"acer24"}),
        ('notebook 15"', {"hp15"}),
    ],
)
def test_ranges(shop: Structured, text: str, expected: set[str]) -> None:
    assert set(ids(shop, text, len(expected))) == expected


def test_converted_units() -> None:
    disks = [
        Item(ItemId(f"gb{n}"), "disk", {"title": f"Disk {n} GB"}, {}, {"capacity": float(n)}) for n in (500, 1000, 2000)
    ]
    assert ids(arm(disks), "2tb disk", 1) == ["gb2000"]
    assert ids(arm(disks), "disk of at least 1 tb", 2) == ["gb1000", "gb2000"]


def test_an_ambiguous_word_has_two_readings() -> None:
    found = {hit.item_id: hit for hit in arm(APPLES).retrieve(query("apple"), 10)}
    assert set(found) == {"mac", "pad", "pod", "juice", "pie"}
    assert found["mac"].why == "brand=Apple"
    assert found["juice"].why == "flavour=Apple"
    assert found["mac"].score > found["juice"].score  # three items speak for the brand, two for the flavour


def test_other_words_settle_an_ambiguous_one() -> None:
    assert ids(arm(APPLES), "apple juice")[0] == "juice"
    assert ids(arm(APPLES), "apple tablet")[0] == "pad"


def test_missing_words_cost_but_exclude_nothing(shop: Structured) -> None:
    assert ids(shop, "hp notebook sleeve")[0] == "sleeve"
    assert set(ids(shop, "hp notebook zzz")) == set(ids(shop, "hp notebook"))


def test_what_was_read_once_is_read_anew_after_a_change(shop: Structured) -> None:
    before = [shop.read("dell notebook"), shop.read("dell notebook")]
    assert before[0] == before[1] == arm(SHOP).read("dell notebook")
    dell = [product(f"dell{n}", "Latitude", "notebook", "Dell", 500, 14) for n in range(3)]
    shop.apply(dell, [])
    assert shop.read("dell notebook") == arm([*SHOP, *dell]).read("dell notebook") != before[0]
    shop.apply([], [each.id for each in dell])
    assert shop.read("dell notebook") == before[0]


def test_deletes_and_replacements(shop: Structured) -> None:
    shop.apply([product("hp15", "Pavilion Y", "notebook", "Acer", 250, 15.6)], ["hp17"])
    assert set(ids(shop, "acer notebook", 2)) == {"acer17", "hp15"}
    assert "hp17" not in ids(shop, "hp notebook")
    assert "brand=HP" not in why(shop, "hp15 pavilion")


def test_history_leaves_no_trace(shop: Structured) -> None:
    for _ in range(3):
        shop.apply([product(each.id, "Old name", "old type", "HP", 1, 1) for each in SHOP], ["other"])
        shop.apply(SHOP, [])
    for text in ("hp notebook", "acer under 200", "17 inch"):
        assert shop.retrieve(query(text), 10) == arm(SHOP).retrieve(query(text), 10)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            product,
            st.sampled_from([each.id for each in SHOP]),
            st.sampled_from(["Pavilion X", "Wide and bright", "Aspire 17 inch"]),
            st.sampled_from(["notebook", "monitor"]),
            st.sampled_from(["HP", "Acer", "17 inch, 24 inch"]),
            st.sampled_from([150, 250, 310]),
            st.sampled_from([15.6, 17.3]),
        ),
        max_size=12,
    )
)
def test_changes_one_by_one_come_to_the_same_as_the_items_that_they_leave(changes: list[Item]) -> None:
    made = arm(SHOP)
    for change in changes:
        made.apply([change], [])
    fresh = arm([*made.items.values()])
    for asked in (
        query("hp notebook"), query("acer under 200"), query("17 inch"), query("wide pavilion", brand="HP"),
        query("monitor", price=Range(200, 400)),
    ):  # fmt: skip
        assert made.retrieve(asked, 10) == fresh.retrieve(asked, 10)


def test_rows_of_gone_items_are_dropped_in_time() -> None:
    made = arm(SHOP)
    for n in range(4):
        made.apply([item(f"x{n}-{m}", f"Passing thing {n}", colour="Teal") for m in range(400)], [])
        made.apply([], [f"x{n}-{m}" for m in range(400)])
    assert len(made._snapshot.alive) < 1_500
    assert ids(made, "teal") == []
    made.apply([product("hp15", "Pavilion Z", "notebook", "Acer", 180, 15.6)], [])  # the rows that moved go on changing
    fresh = arm([*(each for each in SHOP if each.id != "hp15"), made.items[ItemId("hp15")]])
    for text in ("hp notebook", "acer under 200", "17 inch", "pavilion"):
        assert made.retrieve(query(text), 10) == fresh.retrieve(query(text), 10)


def test_an_attribute_called_type_is_not_the_type_that_filters_mean() -> None:
    made = arm([item("a", "Ink", kind="supply", type="Original"), item("b", "Pen", kind="Original")])
    assert ids(made, "original", type="Original") == ["b"]
    assert set(ids(made, "original")) == {"a", "b"}


def clicked(text: str, shown: tuple[str, ...], on: set[str], times: int) -> list[Episode]:
    gains = tuple(float(each in on) for each in shown)
    return [episode(text=text, shown=shown, gains=gains, query_id=f"{text}{n}") for n in range(times)]


def learned(items: list[Item], episodes: list[Episode]) -> bytes:
    learner = ReadingsLearner(item={each.id: each for each in items}.get, half_life_s=30 * DAY)
    learner.learn(episodes)
    model = learner.snapshot()
    assert model is not None
    assert learner.snapshot() is None
    return model


def test_clicks_sharpen_readings_and_forgetting_undoes_it() -> None:
    made = arm(APPLES)
    before = made.retrieve(query("apple"), 10)
    assert before[0].why == "brand=Apple"
    made.load(learned(APPLES, clicked("apple", ("mac", "juice", "pie", "pad"), {"juice"}, 20)))
    # Pie was never clicked: what was learned is that `apple` means the flavour.
    assert set(ids(made, "apple", 2)) == {"juice", "pie"}
    made.load(None)
    assert made.retrieve(query("apple"), 10) == before


def test_lifts_compare_the_clicked_with_the_shown() -> None:
    lifts = load_lifts(learned(APPLES, clicked("apple", ("mac", "juice"), {"juice"}, 50)))["apple"]
    assert lifts["flavour"] > 2 > 1 > lifts["brand"] * 3
    same = load_lifts(learned(APPLES, clicked("apple", ("mac", "pad"), {"pad"}, 50)))["apple"]
    assert same["brand"] == pytest.approx(1, abs=0.05)  # all that was shown bears it out: nothing was learned


def test_old_clicks_fade() -> None:
    old = clicked("apple", ("mac", "juice"), {"mac"}, 20)
    new = [
        episode(text="apple", shown=("mac", "juice"), gains=(0.0, 1.0), query_id=f"n{n}", time=300 * DAY)
        for n in range(20)
    ]
    lifts = load_lifts(learned(APPLES, old + new))["apple"]
    assert lifts["flavour"] > 1 > lifts["brand"]


def test_clicks_say_which_number_a_unit_means() -> None:
    items = [
        Item(ItemId("ram"), "pc", {"title": "A 16 GB"}, {}, {"ram": 16.0, "disk": 99.0}),
        Item(ItemId("disk"), "pc", {"title": "B 16 GB"}, {}, {"ram": 2.0, "disk": 16.0}),
    ]
    for on in ("ram", "disk"):
        made = arm(items)
        made.load(learned(items, clicked("pc 16gb", ("ram", "disk"), {on}, 30)))
        assert ids(made, "pc 16gb")[0] == on


def test_signals_tell_a_structured_query_from_words(shop: Structured) -> None:
    structured, words = shop.signals(query("hp notebook under 300")), shop.signals(query("zzz yyy"))
    assert structured["explained"] == 1
    assert structured["has_range"] == structured["has_value"] == 1
    assert words["explained"] == words["constraints"] == words["has_range"] == 0
    assert all(0 <= value <= 1 for value in {**structured, **words}.values())


WORDS = [
    "hp",
    "acer",
    "notebook",
    "17",
    "inch",
    '15"',
    "under",
    "300",
    "between",
    "and",
    "-",
    "$",
    "5gb",
    "for",
    "é",
    "²",
]


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=12).map(" ".join),
    depth=st.integers(0, 8),
    filters=st.dictionaries(
        st.sampled_from(["type", "brand", "colour"]), st.sampled_from(["HP", "notebook", "x"]), max_size=2
    ),
)
def test_any_query_gets_at_most_depth_distinct_items_that_pass_the_filters(
    text: str, depth: int, filters: dict[str, str]
) -> None:
    asked = query(text, **filters)
    hits = PROPERTY_ARM.retrieve(asked, depth)
    found = {each.id: each for each in SHOP}
    assert len({hit.item_id for hit in hits}) == len(hits) <= depth
    assert all(matches(found[hit.item_id], asked.filters) for hit in hits)
    assert all(math.isfinite(hit.score) for hit in hits)
    assert [hit.item_id for hit in PROPERTY_ARM.retrieve(asked, 10)][:depth] == [hit.item_id for hit in hits]
    assert all(math.isfinite(value) for value in PROPERTY_ARM.signals(asked).values())


PROPERTY_ARM = arm(SHOP)
