"""A table of rows by id, with and without a file behind it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from words import item

from app.indexing.indexer import ItemTable
from core.table import Table
from core.types import ItemId

ITEMS = [item("a", "Lamp", brand="Acme"), item("b", "Häuser 💡"), item("c", "")]


def table(folder: Path) -> ItemTable:
    """As it comes back from disk; the folder is gone then."""
    first = ItemTable()
    first.apply(ITEMS, [])
    folder.mkdir()
    first.save(folder)
    restored = ItemTable()
    restored.restore(folder)
    shutil.rmtree(folder)
    return restored


def test_what_is_restored_is_what_was_saved(tmp_path: Path) -> None:
    restored = table(tmp_path / "saved")
    assert dict(restored) == {each.id: each for each in ITEMS}
    assert len(restored) == 3
    assert "nobody" not in restored


def test_a_restored_table_changes_and_is_saved_again(tmp_path: Path) -> None:
    restored = table(tmp_path / "first")
    restored.apply([item("a", "Chair"), item("d", "New")], ["b", "never there"])
    (tmp_path / "second").mkdir()
    restored.save(tmp_path / "second")
    again = ItemTable()
    again.restore(tmp_path / "second")
    assert {item_id: row.fields["title"] for item_id, row in again.items()} == {"a": "Chair", "c": "", "d": "New"}


def test_rows_are_decoded_when_asked_for_and_once(tmp_path: Path) -> None:
    asked = []

    def decode(item_id: ItemId, data: bytes) -> str:
        asked.append(item_id)
        return data.decode()

    first = Table[str](str.encode, decode)
    first.change({ItemId("x"): "one", ItemId("y"): "two"}, [])
    first.save(tmp_path)
    restored = Table[str](str.encode, decode)
    restored.restore(tmp_path)
    assert asked == []
    assert (restored["y"], restored["y"]) == ("two", "two")
    assert asked == ["y"]


def test_what_is_held_stays_what_it_was_when_it_was_looked_up(tmp_path: Path) -> None:
    fresh = ItemTable()
    fresh.apply(ITEMS, [])
    for items in (table(tmp_path / "saved"), fresh):
        held = items.held([ItemId("c"), ItemId("nobody"), ItemId("a")])
        items.apply([item("c", "Chair")], ["a"])
        assert list(held) == ["c", "a"]
        assert (held[ItemId("a")], held[ItemId("c")]) == (ITEMS[0], ITEMS[2])
        assert "a" not in items
        assert items[ItemId("c")].fields["title"] == "Chair"


def test_an_empty_table_can_be_saved(tmp_path: Path) -> None:
    ItemTable().save(tmp_path)
    restored = ItemTable()
    restored.restore(tmp_path)
    assert dict(restored) == {}


@pytest.mark.parametrize("file", ["rows", "starts.npy", "ids.json"])
def test_a_damaged_file_is_an_error_and_changes_nothing(tmp_path: Path, file: str) -> None:
    first = ItemTable()
    first.apply(ITEMS, [])
    first.save(tmp_path)
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes()[:-3])
    restored = ItemTable()
    with pytest.raises(ValueError, match=r".+"):
        restored.restore(tmp_path)
    assert dict(restored) == {}


def test_rows_are_read_ahead_as_far_as_is_wanted(tmp_path: Path) -> None:
    restored = table(tmp_path / "saved")
    assert list(restored.read_ahead(2, portion=1)) == [1, 1]
    assert restored["a"] is restored["a"]
    assert list(restored.read_ahead(10)) == [1]
    assert list(restored.read_ahead(10)) == []
    assert dict(restored) == {each.id: each for each in ITEMS}
