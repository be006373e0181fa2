"""What every index must do: be the same after a restart, and go on following. An index joins by one line in INDEXES."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from words import item, query

from app.indexing.indexer import ItemTable
from core.catalogue import Copied, Repriced, Selective, same_words
from core.types import Item, ItemId, Range, Scored
from retrievers.impact.expansion import CatalogueTerms
from retrievers.lexical import LexicalRetriever
from retrievers.memory import MemoryRetriever
from retrievers.okapi import OkapiRetriever
from retrievers.popular import PopularRetriever
from retrievers.sparse import SparseRetriever
from retrievers.structured import StructuredRetriever
from retrievers.vector import VectorRetriever
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings

Build = Callable[[ItemTable, StoredEmbeddings, QueryVectors], Any]
INDEXES: dict[str, Build] = {
    "tantivy": lambda items, embeddings, vector: LexicalRetriever(),
    "okapi": lambda items, embeddings, vector: OkapiRetriever(items),
    "memory": lambda items, embeddings, vector: MemoryRetriever(embeddings, vector, items),
    "popular": lambda items, embeddings, vector: PopularRetriever(items),
    "sparse": lambda items, embeddings, vector: SparseRetriever(CatalogueTerms()),
    "structured": lambda items, embeddings, vector: StructuredRetriever(items),
    "vector": lambda items, embeddings, vector: VectorRetriever(embeddings, vector, items),
}
COLOURS = ("red", "blue", "green", "grey")
ITEMS = [
    item(f"{colour}-{n}", f"{colour} lamp number {n}", brand=brand, colour=colour, numbers={"price": 10.0 * n})
    for n, brand in enumerate(("Acme", "Bolt", "Acme", "Core", "Bolt", "Häuser"))
    for colour in COLOURS
]
ASKED = [
    query("red lamp"),
    query("bolt number 4"),
    query("lamp", brand="Acme"),
    query("grey lamp", brand="Häuser", price=Range(low=45)),
    query("green", price=Range(10, 20)),
]


class Shop:
    """An index and the table of items, told of changes in the order that the service keeps."""

    def __init__(self, build: Callable[[ItemTable], Any]) -> None:
        self.items = ItemTable()
        self.arm = build(self.items)
        self._followers = [self.items, self.arm]
        if self.arm.name == "structured":
            self._followers.reverse()

    def apply(self, upserts: Sequence[Item], deletes: Collection[str] = ()) -> Shop:
        for follower in self._followers:
            follower.apply(upserts, [ItemId(each) for each in deletes])
        return self

    def reprice(self, items: Sequence[Item]) -> Shop:
        for follower in self._followers:
            if isinstance(follower, Repriced):
                follower.reprice(items)
            else:
                follower.apply(items, [])
        return self

    def save(self, folder: Path) -> None:
        self.saving(folder)()

    def saving(self, folder: Path) -> Callable[[], None]:
        """Copy what can be copied, save the rest; writes the copies when called."""
        copies = []
        for name, part in (("items", self.items), ("arm", self.arm)):
            (folder / name).mkdir(parents=True)
            if isinstance(part, Copied):
                copies.append((part.saving(), folder / name))
            else:
                part.save(folder / name)

        def write() -> None:
            for part_of_now, there in copies:
                part_of_now(there)

        return write

    def restore(self, folder: Path) -> Shop:
        self.items.restore(folder / "items")
        self.arm.restore(folder / "arm")
        return self

    def answers(self) -> list[list[Scored]]:
        return [self.arm.retrieve(each, 100) for each in ASKED]

    def found(self) -> list[set[ItemId]]:
        return [{hit.item_id for hit in answer} for answer in self.answers()]


@pytest.fixture(params=INDEXES)
def new(request: pytest.FixtureRequest, embeddings: StoredEmbeddings, query_vector: QueryVectors) -> Callable[[], Shop]:
    build = INDEXES[request.param]
    return lambda: Shop(lambda items: build(items, embeddings, query_vector))


def test_what_is_restored_answers_as_what_was_saved(new: Callable[[], Shop], tmp_path: Path) -> None:
    first = new().apply(ITEMS).apply([item("late", "Late red lamp", brand="Acme")], ["red-1", "never there"])
    first.save(tmp_path)
    again = new().restore(tmp_path)
    assert again.answers() == first.answers()
    assert again.found()[0] >= {"late", "red-2"}
    assert [again.arm.signals(each) for each in ASKED] == [first.arm.signals(each) for each in ASKED]


def test_a_copy_is_of_its_moment(new: Callable[[], Shop], tmp_path: Path) -> None:
    first = new().apply(ITEMS)
    expected, write = first.answers(), first.saving(tmp_path)
    first.apply([item("late", "Late red lamp", brand="Acme"), item("red-2", "Blue chair", brand="Core")], ["red-1"])
    assert first.answers() != expected
    write()
    assert new().restore(tmp_path).answers() == expected


def test_a_restored_index_goes_on_following(new: Callable[[], Shop], tmp_path: Path) -> None:
    changes = [item("red-2", "Blue chair", brand="Core"), item("new", "Red lamp", brand="Acme", numbers={"price": 15})]
    new().apply(ITEMS).save(tmp_path / "first")
    again = new().restore(tmp_path / "first").apply(changes, ["blue-0"])
    assert again.found() == new().apply(ITEMS).apply(changes, ["blue-0"]).found()
    assert "new" in again.found()[0]
    again.save(tmp_path / "second")
    assert new().restore(tmp_path / "second").found() == again.found()


def test_what_was_saved_is_not_touched_by_later_changes(new: Callable[[], Shop], tmp_path: Path) -> None:
    first = new().apply(ITEMS)
    first.save(tmp_path)
    expected = first.answers()
    for shop in (first, new().restore(tmp_path)):
        for n in range(5):
            shop.apply([item(f"more-{n}", "Red lamp", brand="Acme")], [f"red-{n}"])
    assert new().restore(tmp_path).answers() == expected


def test_searches_run_while_the_catalogue_changes(new: Callable[[], Shop]) -> None:
    shop = new().apply(ITEMS)
    asked = query("red lamp", type="product")

    def change() -> None:
        for n in range(60):
            shop.apply([item(f"new-{n}", f"Red lamp novelty{n}", brand=f"Brand {n}"), *ITEMS[:4]], [f"new-{n - 3}"])

    def search() -> None:
        for _ in range(60):
            found = [hit.item_id for hit in shop.arm.retrieve(asked, 20)]
            assert len(set(found)) == len(found) >= 6
            shop.arm.signals(asked)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(change), pool.submit(search), pool.submit(search)]:
            done.result()
    assert {f"new-{n}" for n in range(57, 60)} <= {hit.item_id for hit in shop.arm.retrieve(query("red lamp"), 100)}


def test_what_it_need_not_be_told_of_changes_no_answer(new: Callable[[], Shop]) -> None:
    told, spared = new().apply(ITEMS), new().apply(ITEMS)
    if not isinstance(spared.arm, Selective):
        pytest.skip("it reads the whole item")
    priced = [replace(each, numbers={"price": 10.0}) for each in ITEMS[:12]]
    assert all(map(spared.arm.reads_the_same, ITEMS, priced))
    told.apply(priced)
    spared.items.apply(priced, [])
    assert spared.answers() == told.answers()
    renamed = replace(ITEMS[0], fields={"title": "Chair"})
    assert not spared.arm.reads_the_same(ITEMS[0], renamed)


def test_new_figures_alone_do_the_same_as_the_whole_item(new: Callable[[], Shop], tmp_path: Path) -> None:
    told, repriced = new().apply(ITEMS), new().apply(ITEMS)
    if not isinstance(repriced.arm, Repriced):
        pytest.skip("it takes the whole item, or none of it")
    priced = [
        replace(each, numbers={"price": 17.0 + n, "stock": float(n % 3), "popularity": n / 30})
        for n, each in enumerate(ITEMS[3:20])
    ]
    priced += [replace(ITEMS[20], numbers={}), replace(ITEMS[21], dates={"released": 1e9})]
    assert all(map(same_words, ITEMS[3:22], priced))
    before = told.answers()
    told.apply(priced)
    repriced.reprice(priced)
    asked = [*ASKED, query("lamp under 22"), query("lamp", stock=Range(2)), query("red lamp at most 1 stock")]
    answers = [repriced.arm.retrieve(each, 100) for each in asked]
    assert answers == [told.arm.retrieve(each, 100) for each in asked]
    assert repriced.answers() != before
    assert [repriced.arm.signals(each) for each in asked] == [told.arm.signals(each) for each in asked]
    repriced.save(tmp_path)
    assert [new().restore(tmp_path).arm.retrieve(each, 100) for each in asked] == answers


def test_an_empty_index_is_restored_empty(new: Callable[[], Shop], tmp_path: Path) -> None:
    new().save(tmp_path)
    again = new().restore(tmp_path)
    assert again.found() == [set()] * len(ASKED)
    assert again.apply(ITEMS).found() == new().apply(ITEMS).found()


def test_a_folder_without_its_files_is_an_error_and_changes_nothing(new: Callable[[], Shop], tmp_path: Path) -> None:
    shop = new()
    if isinstance(shop.arm, OkapiRetriever):
        pytest.skip("it has no files: it is made from the items")
    with pytest.raises(Exception, match=r".+"):
        shop.arm.restore(tmp_path)
    assert shop.apply(ITEMS).found() == new().apply(ITEMS).found()
