"""Shadow traffic: which searches, what is logged, and what is dropped rather than waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from arms_with_items import Okapi, Popular
from builders import impression
from words import item

from app.search.gaps import Gaps
from app.search.shadow import ShadowTraffic
from core.protocols import Retriever
from core.types import Query, QueryId, Scored
from feedback.sqlite_store import SqliteEventStore

ITEMS = [item("lamp", "desk lamp", popularity=0.1), item("chair", "oak chair", popularity=0.9)]
Make = Callable[..., ShadowTraffic]


class Broken:
    name = "broken"

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        raise RuntimeError("the index is gone")

    def signals(self, query: Query) -> Mapping[str, float]:
        return {}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteEventStore]:
    opened = SqliteEventStore(tmp_path / "events.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def shadows(store: SqliteEventStore) -> Iterator[Make]:
    made: list[ShadowTraffic] = []
    arms: Mapping[str, Retriever] = {arm.name: arm for arm in (Okapi(), Popular(), Broken())}
    for name in ("lexical", "popular"):
        arms[name].apply(ITEMS, [])  # type: ignore[attr-defined]

    def make(share: float = 1.0, seed: int = 1, gaps: Gaps | None = None) -> ShadowTraffic:
        clock, between = lambda: 7.0, gaps or Gaps()
        made.append(ShadowTraffic(arms, store, share=share, depth=5, seed=seed, clock=clock, gaps=between))
        return made[-1]

    yield make
    for each in made:
        each.close()


def becomes(shadows: ShadowTraffic, outcome: str, count: int) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until and shadows.outcomes[outcome] != count:
        time.sleep(0.01)
    return shadows.outcomes[outcome] == count


def test_the_same_query_is_always_decided_alike_and_about_the_share_is_chosen(shadows: Make) -> None:
    ids = [QueryId(f"q{n}") for n in range(2_000)]
    first, again, other = ([s.chosen(q) for q in ids] for s in (shadows(0.3), shadows(0.3), shadows(0.3, seed=2)))
    assert first == again != other
    assert 0.27 < sum(first) / len(ids) < 0.33
    assert not any(map(shadows(0.0).chosen, ids))


def test_the_rank_of_every_shown_item_in_every_arm_that_answers(shadows: Make, store: SqliteEventStore) -> None:
    shadows().run(impression(text="desk lamp", shown=("chair", "lamp", "gone")))
    logged = store.shadows([QueryId("q1")])[QueryId("q1")]
    assert logged.ranks == {"lexical": (0, 1, 0), "popular": (1, 2, 0)}
    assert logged.depths == {"lexical": 5, "popular": 5}
    assert logged.time == 7.0
    assert all(took_ms > 0 for took_ms in logged.took_ms.values())


def test_what_does_not_fit_the_queue_is_dropped_and_counted(shadows: Make, store: SqliteEventStore) -> None:
    full = shadows()
    for n in range(11):
        full.offer(impression(f"q{n}"))
    full.finish()
    assert set(store.shadows([QueryId(f"q{n}") for n in range(11)])) == {f"q{n}" for n in range(8)}
    assert full.outcomes == {"logged": 8, "queue_full": 3, "under_load": 0, "failed": 0}


def test_the_thread_asks_unless_many_search_beside(shadows: Make, store: SqliteEventStore) -> None:
    gaps = Gaps()
    running = shadows(gaps=gaps)
    running.start()
    with gaps.search(), gaps.search(), gaps.search():
        running.offer(impression("busy"))
        assert becomes(running, "under_load", 1)
    running.offer(impression("calm"))
    assert becomes(running, "logged", 1)
    assert set(store.shadows([QueryId("busy"), QueryId("calm")])) == {"calm"}


def test_a_log_that_cannot_be_written_ends_nothing(shadows: Make, store: SqliteEventStore) -> None:
    running = shadows()
    running.start()
    store.close()
    for n in range(2):
        running.offer(impression(f"q{n}"))
    assert becomes(running, "failed", 2)


def test_closing_drops_what_waits(shadows: Make) -> None:
    closed = shadows()
    closed.start()
    for n in range(9):
        closed.offer(impression(f"q{n}"))
    closed.close()
    assert closed.outcomes["logged"] < 9
