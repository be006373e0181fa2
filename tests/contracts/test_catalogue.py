"""What every catalogue must do: items come back as they were, and followers miss no change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from two_stores import STORES, reopening
from words import item

from core.catalogue import Catalogue
from core.types import Item, ItemId
from feedback.postgres.catalogue import PostgresCatalogue
from feedback.sqlite_catalogue import SqliteCatalogue

Open = Callable[[], Catalogue]


@pytest.fixture(params=STORES)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same catalogue as often as asked."""
    with reopening(request, lambda: SqliteCatalogue(tmp_path / "catalogue.sqlite"), PostgresCatalogue) as reopened:
        yield reopened


@pytest.fixture
def catalogue(reopen: Open) -> Catalogue:
    return reopen()


def test_items_come_back_as_they_were(catalogue: Catalogue, reopen: Open) -> None:
    odd = "a/b\0\\0"
    stored = Item(ItemId(odd), "t", {"title": "Ü\0\\"}, {"genre": ("x", "y")}, {"price": 1.5})
    catalogue.put([stored])
    for each in (catalogue, reopen()):
        assert each.get(ItemId(odd)) == stored
        assert each.changes(0).upserts == [stored]
        assert each.get(ItemId("b")) is None
        assert len(each) == 1


def test_a_catalogue_keeps_its_name(catalogue: Catalogue, reopen: Open) -> None:
    assert catalogue.name == reopen().name != ""


def test_followers_see_every_change_once_and_the_last_state(catalogue: Catalogue) -> None:
    assert catalogue.put([item("a", "one"), item("b", "two")]) == catalogue.sequence() == 2
    first = catalogue.changes(0)
    assert [each.id for each in first.upserts] == ["a", "b"]
    catalogue.put([item("a", "three")])
    assert catalogue.delete(ItemId("b"))
    assert not catalogue.delete(ItemId("b"))
    assert not catalogue.delete(ItemId("never"))
    second = catalogue.changes(first.sequence)
    assert [each.fields["title"] for each in second.upserts] == ["three"]
    assert second.deletes == ["b"]
    assert catalogue.changes(second.sequence).sequence == second.sequence == catalogue.sequence()


def test_a_deleted_item_can_come_back(catalogue: Catalogue) -> None:
    catalogue.put([item("a", "one")])
    catalogue.delete(ItemId("a"))
    assert (catalogue.get(ItemId("a")), len(catalogue)) == (None, 0)
    catalogue.put([item("a", "two")])
    changes = catalogue.changes(0)
    assert ([each.fields["title"] for each in changes.upserts], changes.deletes) == (["two"], [])


def test_changes_come_in_portions(catalogue: Catalogue) -> None:
    catalogue.put([item(f"i{n}", "x") for n in range(25)])
    seen, sequence = [], 0
    while (changes := catalogue.changes(sequence, limit=10)).sequence > sequence:
        seen += [each.id for each in changes.upserts]
        sequence = changes.sequence
    assert seen == [f"i{n}" for n in range(25)]


def test_another_process_sees_what_was_put(catalogue: Catalogue, reopen: Open) -> None:
    catalogue.put([item("a", "one")])
    assert [each.id for each in reopen().changes(0).upserts] == ["a"]


def test_a_batch_with_the_same_id_twice_keeps_the_last(catalogue: Catalogue) -> None:
    catalogue.put([item("a", "one"), item("b", "x"), item("a", "two")])
    found = catalogue.get(ItemId("a"))
    assert found is not None
    assert found.fields["title"] == "two"
    assert len(catalogue) == 2
    assert [each.id for each in catalogue.changes(0).upserts] == ["b", "a"]


def test_nothing_to_put_changes_nothing(catalogue: Catalogue) -> None:
    catalogue.put([item("a", "one")])
    assert catalogue.put([]) == catalogue.sequence() == 1


def test_a_follower_misses_nothing_while_many_write(catalogue: Catalogue, reopen: Open) -> None:
    writers, seen, sequence = [catalogue, reopen(), reopen()], set[str](), 0
    with ThreadPoolExecutor(6) as pool:
        waiting = [
            pool.submit(writers[n % 3].put, [item(f"i{n}", "x"), item("shared", str(n))]) for n in range(60)
        ]  # fmt: skip
        while not (done := all(each.done() for each in waiting)) or catalogue.sequence() > sequence:
            changes = catalogue.changes(sequence)
            seen |= {each.id for each in changes.upserts}
            sequence = changes.sequence
            del done
    assert seen == {"shared", *(f"i{n}" for n in range(60))}
    assert len({each.result() for each in waiting}) == 60
