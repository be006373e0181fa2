"""What every store of judgments must do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from two_stores import STORES, reopening

from core.errors import Conflict, InvalidInput, NotFound
from core.types import ItemId
from feedback.judgments import Judgment, JudgmentStore, Pair
from feedback.postgres.judgments import PostgresJudgmentStore
from feedback.sqlite_judgments import SqliteJudgmentStore

Open = Callable[[], JudgmentStore]
A, B = ItemId("a"), ItemId("b")
PAIR = Pair("p", "lamp", "lamp", (A, B), A, {"bulb": ("review",), "shade": ("review", "seller")})


@pytest.fixture(params=STORES)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store as often as asked."""
    with reopening(
        request, lambda: SqliteJudgmentStore(tmp_path / "quality.sqlite"), PostgresJudgmentStore
    ) as reopened:
        yield reopened


@pytest.fixture
def store(reopen: Open) -> JudgmentStore:
    return reopen()


def judgment(**fields: object) -> Judgment:
    given = {"judgment_id": "j", "pair_id": "p", "better": A, "terms": ("bulb",), **fields}
    return Judgment(**given)  # type: ignore[arg-type]


def test_a_judgment_counts_once(store: JudgmentStore) -> None:
    store.replace_pairs([PAIR])
    store.serve([PAIR])
    assert store.judge(judgment(), received=1.0)
    assert not store.judge(judgment(), received=2.0)
    with pytest.raises(Conflict, match="'j' was used before"):
        store.judge(judgment(better=B), received=3.0)
    assert store.judged() == [(PAIR, judgment())]


def test_only_what_was_served_and_offered_can_be_judged(store: JudgmentStore) -> None:
    store.replace_pairs([PAIR])
    with pytest.raises(NotFound, match="No pair 'p' was served"):
        store.judge(judgment(), received=1.0)
    store.serve([PAIR])
    with pytest.raises(InvalidInput, match="Unknown item of this pair 'c'"):
        store.judge(judgment(better=ItemId("c")), received=1.0)
    with pytest.raises(InvalidInput, match="Unknown term 'bulbs'"):
        store.judge(judgment(terms=("bulbs",)), received=1.0)
    assert store.judged() == []


def test_judgments_survive_and_so_do_pairs_that_were_served(reopen: Open) -> None:
    first = reopen()
    first.replace_pairs([PAIR])
    first.serve([PAIR])
    first.judge(judgment(), received=1.0)
    again = reopen()
    again.replace_pairs([])
    assert list(again.offered()) == []
    assert again.judge(judgment(judgment_id="late"), received=2.0)
    assert len(again.judged()) == 2


def test_pairs_with_the_fewest_judgments_come_first(store: JudgmentStore) -> None:
    other = Pair("q", "lamp", "lamp", (B, A), A, {})
    store.replace_pairs([PAIR, other])
    store.serve([PAIR])
    assert [pair.pair_id for pair in store.offered()] == ["q", "p"]
    store.serve([other])
    store.serve([other])
    store.judge(judgment(), received=1.0)
    assert [pair.pair_id for pair in store.offered()] == ["q", "p"]
