"""The lexicon: what the words of a catalogue can name."""

from __future__ import annotations

import json
from typing import Any

from words import item

from core.types import Item, ItemId
from retrievers.structure.facts import PART, WHOLE, facts_of
from retrievers.structure.lexicon import Lexicon


def lexicon(*items: Item) -> Lexicon:
    made = Lexicon()
    for each in items:
        made.add(facts_of(each))
    return made


def test_whole_values_and_parts_of_values_have_votes() -> None:
    found = lexicon(
        item("a", "One", colour="Dark Red"), item("b", "Two", colour="Red"), item("c", "Three", flavour="red, blue")
    )
    assert found.names("red") == {"colour": PART + WHOLE, "flavour": WHOLE}
    assert found.names("dark red") == {"colour": WHOLE}
    assert found.names("blue") == {"flavour": WHOLE}
    assert found.names("product") == {"type": 3 * WHOLE}
    assert found.names("green") == {}


def test_title_words_that_a_value_explains_are_not_plain() -> None:
    found = lexicon(item("a", "Red lamp", colour="red"), item("b", "Red table", colour="blue"))
    assert found.plain("red") == WHOLE
    assert found.plain("lamp") == WHOLE
    assert found.titles("red") == 2


def test_short_figures_letters_and_prose_name_nothing() -> None:
    found = lexicon(item("a", "One", cores="2", turbo="Y", note="this is a long text that says a lot of things"))
    assert not found.names("2")
    assert not found.names("y")
    assert not found.names("long")


def test_units_are_learned_from_names_values_and_texts() -> None:
    named = Item(ItemId("a"), "tv", {"title": "Set"}, {"ram": ("16 GB",)}, {"screen size (in)": 40.0, "price": 9.0})
    told = Item(ItemId("b"), "tv", {"title": "Set 24 volumes"}, {}, {"shelf": 24.0, "depth": 3.0})
    found = lexicon(named, told)
    assert "screen size (in)" in found.numbers("inch")
    assert "ram" in found.numbers("gb")
    assert "price" in found.numbers("money")
    assert set(found.numbers("volume")) == {"shelf"}


def test_removing_takes_everything_back() -> None:
    red = item("a", "Red lamp", colour="Red", size="17 in", popularity=0.5)
    found = lexicon(red)
    found.remove(facts_of(red))
    assert not found.names("red")
    assert not found.numbers("inch")
    assert found.plain("lamp") == found.titles("lamp") == 0
    assert found.spelt("colour", "red") == "red"


def test_replacing_counts_as_removing_and_adding() -> None:
    before = item("a", "Red lamp of 17 inch", colour="Red", size="17 in", brand="Acme", popularity=0.5)
    after = item("a", "Dark lamp of 18 inch", colour="Dark red", size="18 in", brand="ACME", popularity=0.7)
    other = item("b", "Red table", colour="red", brand="Acme")
    replaced, anew = lexicon(before, other), lexicon(before, other)
    replaced.replace(facts_of(before), facts_of(after))
    anew.remove(facts_of(before))
    anew.add(facts_of(after))
    assert dumped(replaced) == dumped(anew)


def dumped(found: Lexicon) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(found.dump())
    return {**stored, "spelt": sorted(stored["spelt"])}
