"""The durable catalogue and its change feed."""

from pathlib import Path

from words import item

from core.catalogue import Catalogue
from core.types import Item, ItemId


def test_items_come_back_as_they_were(tmp_path: Path) -> None:
    stored = Item(ItemId("a/b"), "t", {"title": "Ü"}, {"genre": ("x", "y")}, {"price": 1.5})
    catalogue = Catalogue(tmp_path / "c.sqlite")
    catalogue.put([stored])
    catalogue.close()
    again = Catalogue(tmp_path / "c.sqlite")
    assert again.get(ItemId("a/b")) == stored
    assert again.get(ItemId("b")) is None
    assert len(again) == 1
    again.close()


def test_followers_see_every_change_once_and_the_last_state(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c.sqlite")
    catalogue.put([item("a", "one"), item("b", "two")])
    first = catalogue.changes(0)
    assert [each.id for each in first.upserts] == ["a", "b"]
    catalogue.put([item("a", "three")])
    assert catalogue.delete(ItemId("b"))
    assert not catalogue.delete(ItemId("b"))
    second = catalogue.changes(first.sequence)
    assert [each.fields["title"] for each in second.upserts] == ["three"]
    assert second.deletes == ["b"]
    assert catalogue.changes(second.sequence).sequence == second.sequence == catalogue.sequence()
    catalogue.close()


def test_changes_come_in_portions(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c.sqlite")
    catalogue.put([item(f"i{n}", "x") for n in range(25)])
    seen, sequence = [], 0
    while (changes := catalogue.changes(sequence, limit=10)).sequence > sequence:
        seen += [each.id for each in changes.upserts]
        sequence = changes.sequence
    assert seen == [f"i{n}" for n in range(25)]
    catalogue.close()


def test_two_processes_worth_of_connections(tmp_path: Path) -> None:
    writer, reader = Catalogue(tmp_path / "c.sqlite"), Catalogue(tmp_path / "c.sqlite")
    writer.put([item("a", "one")])
    assert [each.id for each in reader.changes(0).upserts] == ["a"]
    writer.close()
    reader.close()


def test_a_batch_with_the_same_id_twice_keeps_the_last(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c.sqlite")
    catalogue.put([item("a", "one"), item("a", "two")])
    found = catalogue.get(ItemId("a"))
    assert found is not None
    assert found.fields["title"] == "two"
    assert len(catalogue) == 1
    catalogue.close()
