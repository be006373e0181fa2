"""Many writers at once: each sees what it wrote, nothing is lost, and what fails is applied later."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
from words import item, query

from app.indexing.checkpoints import Checkpoints
from app.indexing.indexer import Indexer, ItemTable
from core.catalogue import Indexed
from core.types import Item, ItemId
from feedback.sqlite_catalogue import SqliteCatalogue
from retrievers.lexical import LexicalRetriever
from retrievers.structured import StructuredRetriever

WRITERS, ROUNDS = 8, 6


@dataclass
class Prices:
    """Follows the prices alone, and fails where it is told to."""

    held: dict[ItemId, float] = field(default_factory=dict)
    told: list[list[ItemId]] = field(default_factory=list)
    failures: int = 0

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("no room")
        self.told.append([each.id for each in upserts])
        self.held.update({each.id: each.numbers["price"] for each in upserts})
        for each in deletes:
            self.held.pop(each, None)

    def reads_the_same(self, old: Item, new: Item) -> bool:
        return old.numbers["price"] == new.numbers["price"]

    def save(self, folder: Path) -> None: ...
    def restore(self, folder: Path) -> None: ...


class Shop:
    """A catalogue, and arms that follow it through an indexer."""

    def __init__(self, folder: Path) -> None:
        self.catalogue = SqliteCatalogue(folder / "catalogue.sqlite")
        self.items, self.lexical, self.prices, self.last = ItemTable(), LexicalRetriever(), Prices(), Prices()
        self.structured = StructuredRetriever(self.items)
        followers: dict[str, Indexed] = {
            "structured": self.structured, "items": self.items, "prices": self.prices, "lexical": self.lexical,
            "last": self.last,
        }  # fmt: skip
        self.root = folder / "indexes"
        self.indexer = Indexer(self.catalogue, self.items, followers, Checkpoints(self.root, "v1"))

    def put(self, *items: Item) -> None:
        self.indexer.reach(self.catalogue.put(items))

    def delete(self, item_id: str) -> None:
        assert self.catalogue.delete(ItemId(item_id))
        self.indexer.reach(self.catalogue.sequence())

    def found(self, text: str) -> list[set[str]]:
        return [{hit.item_id for hit in arm.retrieve(query(text), 100)} for arm in (self.lexical, self.structured)]

    def stored(self) -> dict[ItemId, Item]:
        return {each.id: each for each in self.catalogue.changes(0).upserts}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.catalogue.close()


def lamp(item_id: str, word: str, price: float) -> Item:
    return item(item_id, f"Lamp {word}", numbers={"price": price})


def test_every_writer_finds_what_it_wrote_and_rounds_are_shared(shop: Shop) -> None:
    def write(writer: int) -> None:
        for n in range(ROUNDS):
            shop.put(lamp(f"own-{writer}", f"word{writer}x{n}", n), lamp("common", f"by{writer}", writer))
            assert shop.found(f"word{writer}x{n}") == [{f"own-{writer}"}] * 2
            if n % 2:
                shop.delete(f"own-{writer}")
                assert not any(f"own-{writer}" in found for found in shop.found(f"word{writer}x{n}"))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert dict(shop.items) == shop.stored()
    assert shop.found("lamp") == [{"common"}] * 2
    assert shop.prices.held == {"common": shop.items[ItemId("common")].numbers["price"]}
    assert len(shop.prices.told) < WRITERS * ROUNDS  # of one and a half times as many writes


def test_a_lone_writer_is_served_at_once(shop: Shop) -> None:
    started = time.monotonic()
    for n in range(20):
        shop.put(lamp("own", f"word{n}", n))
    assert time.monotonic() - started < 4.5  # gathering would take 19 x 0.25 s
    assert len(shop.prices.told) == 20


def test_what_failed_is_an_error_for_its_writer_and_applied_by_the_next(shop: Shop) -> None:
    shop.put(lamp("a", "one", 1), lamp("b", "two", 2))
    shop.last.failures = 1
    with pytest.raises(OSError, match="no room"):
        shop.put(lamp("a", "red", 3))
    shop.put(lamp("c", "three", 4))
    assert dict(shop.items) == shop.stored()
    assert shop.last.held == shop.prices.held == {"a": 3, "b": 2, "c": 4}
    assert shop.found("red") == [{"a"}] * 2


def test_what_was_changed_back_after_a_failure_is_told_again(shop: Shop) -> None:
    shop.put(lamp("a", "one", 1))
    shop.last.failures = 1
    with pytest.raises(OSError, match="no room"):
        shop.put(lamp("a", "one", 2))
    assert shop.prices.held == {"a": 2}
    shop.put(lamp("a", "one", 1))
    assert shop.prices.held == shop.last.held == {"a": 1}


def test_nothing_is_saved_while_followers_differ(shop: Shop) -> None:
    shop.last.failures = 1
    with pytest.raises(OSError, match="no room"):
        shop.put(lamp("a", "one", 1))
    shop.indexer.save(now=True)
    assert not shop.root.exists() or not list(shop.root.glob("v1-*"))
    shop.put(lamp("b", "two", 1))
    shop.indexer.save(now=True)
    assert len(list(shop.root.glob("v1-*"))) == 1


def test_all_writers_of_a_failed_round_get_their_turn(shop: Shop) -> None:
    shop.last.failures = 2

    def write(writer: int) -> bool:
        try:
            shop.put(lamp(f"own-{writer}", "one", writer))
        except OSError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        done = list(pool.map(write, range(WRITERS)))
    assert done.count(False) == 2
    assert dict(shop.items) == shop.stored()
    assert shop.last.held == {f"own-{writer}": writer for writer in range(WRITERS)}


def test_who_reads_a_part_is_told_of_that_part_only(shop: Shop) -> None:
    shop.put(lamp("a", "one", 1), lamp("b", "two", 2))
    shop.put(lamp("a", "red", 1), lamp("b", "two", 3), lamp("c", "three", 4))
    assert shop.prices.told == [["a", "b"], ["b", "c"]]
    shop.delete("a")
    shop.put(lamp("a", "red", 1))
    assert shop.prices.held == {"a": 1, "b": 3, "c": 4}


def test_following_takes_in_what_others_wrote(shop: Shop) -> None:
    shop.catalogue.put([lamp("a", "one", 1)])
    shop.indexer.follow()
    assert shop.found("one") == [{"a"}] * 2


def test_following_leaves_it_to_a_writer_who_leads_and_ends_while_they_go_on(shop: Shop) -> None:
    """The rounds of the writers have it all, so that the one who looks for models and saves has time for that."""
    begun, go_on = Event(), Event()

    def hold(upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        begun.set()
        assert go_on.wait(20)

    shop.last.apply = hold  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(shop.put, lamp("a", "one", 1))
        assert begun.wait(20)
        shop.catalogue.put([lamp("b", "two", 2)])
        shop.indexer.follow()  # returns, though the writer holds on
        assert not writing.done()
        go_on.set()
        writing.result()
    shop.indexer.follow()
    assert shop.found("two") == [{"b"}] * 2
