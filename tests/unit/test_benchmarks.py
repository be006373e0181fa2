"""What the speed benchmarks stand on: the synthetic catalogue, the feed of changes, and the block of a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.catalogue import ItemsById, SyntheticItems, row_of, title_queries
from benchmarks.feed import Feed
from benchmarks.tables import replace_block
from core.types import ItemId
from retrievers.document import passage


def test_a_synthetic_item_is_the_same_however_it_is_asked_for() -> None:
    items = SyntheticItems(50, 1)
    assert items[7] == items[5:10][2] == ItemsById(items)[ItemId("s7")] == SyntheticItems(50, 1)[7]
    assert [row_of(item.id) for item in items] == list(range(50))
    assert items[7] != SyntheticItems(50, 2)[7]


def test_queries_are_words_of_a_title() -> None:
    items = SyntheticItems(50, 1)
    titles = [set(item.fields["title"].split()) for item in items]
    for query in title_queries(items, 20, 1):
        assert any(set(query.split()) <= title for title in titles)


def test_a_feed_changes_every_item_once_before_it_repeats() -> None:
    items = SyntheticItems(40, 1)
    assert {item.id for item in Feed(items, seed=1, rewritten=0.5).batch(40)} == {item.id for item in items}


def test_only_a_rewritten_item_has_to_be_encoded() -> None:
    items = SyntheticItems(40, 1)
    for share in (0.0, 1.0):
        changed = Feed(items, seed=1, rewritten=share).batch(40)
        assert all((passage(each) != passage(items[row_of(each.id)])) == (share == 1.0) for each in changed)


def test_a_block_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n", encoding="utf-8")
    for _ in range(2):
        replace_block(page, "x", ["new"])
        assert page.read_text(encoding="utf-8") == "before\n<!-- x -->\nnew\n<!-- /x -->\nafter\n"
    with pytest.raises(ValueError, match="has no block <!-- y -->"):
        replace_block(page, "y", ["new"])
