"""Indexes follow the catalogue, and are opened as they were saved."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from words import item, query

from app.indexing.checkpoints import Checkpoints
from app.indexing.indexer import Indexer, ItemTable
from core.catalogue import Catalogue
from core.pace import giving_way, unhurried
from core.types import Item, ItemId, Range
from feedback.sqlite_catalogue import SqliteCatalogue
from retrievers.lexical import LexicalRetriever
from retrievers.structured import StructuredRetriever

ITEMS = [item(f"lamp-{n}", f"Lamp number {n}", brand="Acme") for n in range(40)]


@dataclass
class Shop:
    """One process' indexes of a catalogue."""

    indexer: Indexer
    items: ItemTable
    lexical: LexicalRetriever
    structured: StructuredRetriever
    applied: int = 0

    def start(self) -> Shop:
        self.indexer.restore()
        self.indexer.catch_up(self.count)
        return self

    def count(self, changes: int) -> None:
        self.applied += changes

    def found(self, text: str, **filters: str | Range) -> list[set[str]]:
        asked = query(text, **filters)
        return [{hit.item_id for hit in arm.retrieve(asked, 100)} for arm in (self.lexical, self.structured)]


def shop(catalogue: Catalogue, root: Path, version: str = "v1") -> Shop:
    items = ItemTable()
    lexical, structured = LexicalRetriever(folder=root), StructuredRetriever(items)
    followers = {"structured": structured, "items": items, "lexical": lexical}
    return Shop(Indexer(catalogue, items, followers, Checkpoints(root, version)), items, lexical, structured)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    made = SqliteCatalogue(tmp_path / "catalogue.sqlite")
    made.put(ITEMS)
    yield made
    made.close()


@pytest.fixture
def root(catalogue: Catalogue, tmp_path: Path) -> Path:
    """A folder with one checkpoint."""
    first = shop(catalogue, tmp_path / "indexes").start()
    first.indexer.save(now=True)
    return tmp_path / "indexes"


def test_a_start_from_a_checkpoint_applies_nothing_and_finds_the_same(catalogue: Catalogue, root: Path) -> None:
    again = shop(catalogue, root).start()
    assert again.applied == 0
    assert dict(again.items) == {each.id: each for each in ITEMS}
    assert again.found("lamp", brand="Acme") == [{each.id for each in ITEMS}] * 2
    assert again.found("lamp", brand="Nobody") == [set(), set()]


def test_what_changed_since_the_checkpoint_is_applied(catalogue: Catalogue, root: Path) -> None:
    catalogue.put([item("chair", "Oak chair", brand="Bolt"), item("lamp-0", "Table", brand="Bolt")])
    catalogue.delete(ItemId("lamp-1"))
    again = shop(catalogue, root).start()
    assert again.applied == 3
    assert again.found("lamp", brand="Acme") == [{each.id for each in ITEMS[2:]}] * 2
    assert again.found("bolt", brand="Bolt") == [{"chair", "lamp-0"}] * 2


def test_the_checkpoint_of_a_restored_index_is_as_good(catalogue: Catalogue, root: Path) -> None:
    catalogue.put([item(f"lamp-{n}", f"Chair {n}", brand="Bolt") for n in range(20)])
    shop(catalogue, root).start().indexer.save(now=True)
    third = shop(catalogue, root).start()
    assert third.applied == 0
    assert third.found("chair", brand="Bolt") == [{f"lamp-{n}" for n in range(20)}] * 2
    assert third.found("lamp", brand="Acme") == [{f"lamp-{n}" for n in range(20, 40)}] * 2


@pytest.mark.parametrize("damaged", ["items/rows", "structured/lexicon.json", "lexical/meta.json"])
def test_a_damaged_checkpoint_costs_time_only(
    catalogue: Catalogue, root: Path, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    (file,) = root.glob(f"*-*/{damaged}")
    file.write_bytes(b"{")
    with caplog.at_level(logging.CRITICAL):
        again = shop(catalogue, root).start()
    assert again.applied == len(ITEMS)
    assert again.found("lamp", brand="Acme") == [{each.id for each in ITEMS}] * 2


def test_new_figures_and_new_words_come_together(catalogue: Catalogue, root: Path) -> None:
    again = shop(catalogue, root).start()
    catalogue.put([replace(each, numbers={"price": 10.0 * n}) for n, each in enumerate(ITEMS[:6])])
    catalogue.put(
        [item("lamp-6", "Oak chair", brand="Bolt", numbers={"price": 20.0}), item("new", "Lamp", brand="Bolt")]
    )
    catalogue.delete(ItemId("lamp-1"))
    again.indexer.catch_up()
    assert again.found("lamp", price=Range(15, 30)) == [{"lamp-2", "lamp-3"}] * 2
    assert again.found("chair", price=Range(15, 30)) == [{"lamp-6"}] * 2
    cheap = [hit.item_id for hit in again.structured.retrieve(query("lamp under 25"), 3)]
    assert set(cheap[:2]) == {"lamp-0", "lamp-2"}
    anew = shop(catalogue, root / "anew").start()
    assert [hit.item_id for hit in anew.structured.retrieve(query("lamp under 25"), 3)] == cheap


def test_indexes_of_another_version_are_not_opened(catalogue: Catalogue, root: Path) -> None:
    assert shop(catalogue, root, "v2").start().applied == len(ITEMS)


def test_what_a_kill_left_half_written_is_not_opened(catalogue: Catalogue, root: Path) -> None:
    (finished,) = root.glob("v1-*")
    finished.rename(root / "partial-x1")
    assert shop(catalogue, root).start().applied == len(ITEMS)


def test_few_changes_are_not_worth_a_checkpoint_and_old_ones_go(catalogue: Catalogue, root: Path) -> None:
    again = shop(catalogue, root).start()
    for n in range(4):
        catalogue.put([item(f"new-{n}", "New")])
        again.indexer.catch_up()
        again.indexer.save(now=True)  # due at every third: a twentieth of forty
    assert len(list(root.glob("v1-*"))) == 2
    for n in range(8):
        catalogue.put([item(f"more-{n}", "New")])
        again.indexer.catch_up()
        again.indexer.save(now=True)
    assert len(list(root.glob("v1-*"))) == 2
    assert shop(catalogue, root).start().applied <= 3


def test_nothing_is_saved_while_the_catalogue_is_changing(catalogue: Catalogue, tmp_path: Path) -> None:
    first = shop(catalogue, tmp_path / "indexes").start()
    for n in range(3):
        catalogue.put([item(f"new-{n}", "New")])
    first.indexer.save(now=True)
    catalogue.put([item(f"newer-{n}", "New") for n in range(4)])
    first.indexer.catch_up()
    first.indexer.save()
    assert len(list((tmp_path / "indexes").glob("v1-*"))) == 1


class Slow:
    """A follower that works out first, and is told only of what changed."""

    def __init__(self) -> None:
        self.done: list[tuple[str, list[str], bool]] = []
        self.broken = False

    def prepare(self, upserts: Sequence[Item]) -> None:
        self._note("prepare", upserts)
        if self.broken:
            raise OSError("no room")

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self._note("apply", upserts)

    def _note(self, what: str, upserts: Sequence[Item]) -> None:
        self.done.append((what, [each.id for each in upserts], threading.current_thread() is threading.main_thread()))

    def save(self, folder: Path) -> None: ...
    def restore(self, folder: Path) -> None: ...


def test_what_takes_long_is_begun_beside_the_others_and_met_again_when_it_fails(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    items, slow = ItemTable(), Slow()
    indexer = Indexer(catalogue, items, {"items": items, "slow": slow}, Checkpoints(tmp_path / "indexes", "v1"))
    everything = [each.id for each in ITEMS]
    slow.broken = True
    with pytest.raises(OSError, match="no room"):
        indexer.catch_up()
    assert slow.done == [("prepare", everything, False)]
    slow.broken = False
    indexer.catch_up()
    assert slow.done[1:] == [("prepare", everything, False), ("apply", everything, True)]
    catalogue.delete(ItemId("lamp-1"))
    indexer.catch_up()
    assert slow.done[3:] == [("apply", [], True)]


def test_all_that_changes_take_gives_way_to_searches(catalogue: Catalogue, tmp_path: Path) -> None:
    rests: list[bool] = []

    def beside() -> AbstractContextManager[None]:
        return giving_way(lambda worked: rests.append(threading.current_thread() is threading.main_thread()))

    class Working(Slow):
        def _note(self, what: str, upserts: Sequence[Item]) -> None:
            for _ in unhurried(range(2)):
                time.sleep(0.001)

    items, slow = ItemTable(), Working()
    checkpoints = Checkpoints(tmp_path / "indexes", "v1")
    Indexer(catalogue, items, {"items": items, "slow": slow}, checkpoints, beside=beside).catch_up()
    assert rests.count(False) >= 2  # what was prepared beside the other followers
    assert rests.count(True) >= 2  # what was applied
