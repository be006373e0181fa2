"""What every event store must do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import click, impression, shadow
from two_stores import STORES, reopening

from core.episodes import Impression
from core.errors import Conflict, Unavailable
from core.protocols import EventStore, Outcome
from core.types import ArmReport, ArmStatus, ItemId, Query, QueryId, Range
from feedback.postgres.event_store import PostgresEventStore
from feedback.sqlite_store import SqliteEventStore

Open = Callable[[], EventStore]


@pytest.fixture(params=STORES)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store as often as asked."""
    with reopening(request, lambda: SqliteEventStore(tmp_path / "events.sqlite"), PostgresEventStore) as reopened:
        yield reopened


@pytest.fixture
def store(reopen: Open) -> EventStore:
    return reopen()


def assert_same(one: Impression, other: Impression) -> None:
    """Equal in everything, NaN equal to NaN, bit for bit."""
    for features in ("context", "features", "sampled"):
        mine, theirs = getattr(one, features), getattr(other, features)
        assert mine.names == theirs.names
        assert mine.values.dtype == theirs.values.dtype == np.float32
        assert mine.values.shape == theirs.values.shape
        assert mine.values.tobytes() == theirs.values.tobytes()
    same = {"context": one.context, "features": one.features, "sampled": one.sampled}
    assert replace(other, **same) == one


def test_an_impression_comes_back_as_it_was(store: EventStore, reopen: Open) -> None:
    filters = {
        "type": ("a", "b"),
        "none": (),
        "price": Range(0.1, 300),
        "year": Range(high=2000),
        "size": Range(-1e300),
    }
    full = replace(
        impression(features=[[1.5, np.nan], [np.inf, -0.0], [1e-38, 3.4e38]], first_position=11),
        query=Query(QueryId("q1"), "täyler 💡", 12.5, "search", "u", "s", "c", filters, {"country": "NL"}),
        arms={"lexical": ArmReport(ArmStatus.TIMEOUT, 10, 0, 500.0), "memory": ArmReport(ArmStatus.OK, 5, 3, 0.25)},
        ranks={"lexical": (0, 0, 0), "memory": (3, 0, 1)},
    )
    store.append_impression(full)
    assert_same(full, store.impressions(after=0, limit=10)[0].impression)
    assert_same(full, reopen().impressions(after=0, limit=10)[0].impression)


def test_what_an_experiment_showed_comes_back(store: EventStore) -> None:
    mixed = replace(impression(), experiment="colours:both", teams=(1, 2, 0))
    store.append_impression(mixed)
    assert_same(mixed, store.impressions(after=0, limit=1)[0].impression)


def test_what_chance_did_to_a_page_comes_back(store: EventStore) -> None:
    shown = impression(schema="s")
    below = replace(shown.features, values=np.array([[1.5, np.nan]], dtype=np.float32))
    touched = replace(shown, sampled=below, below=90, swapped=2, swap_propensity=0.0125)
    store.append_impression(touched)
    assert_same(touched, store.impressions(after=0, limit=1)[0].impression)
    assert store.impressions(after=0, limit=1)[0].impression.sampled.schema == "s"


def test_an_empty_page_comes_back(store: EventStore) -> None:
    empty = impression(shown=())
    store.append_impression(empty)
    assert_same(empty, store.impressions(after=0, limit=1)[0].impression)


def test_feedback_comes_back_in_order_of_time(store: EventStore) -> None:
    store.append_impression(impression())
    events = [click(item_id="b", time=9.0), click(item_id="a", time=3.0, received=50.0), click(item_id="c", time=3.0)]
    assert store.append_feedback(events) == [Outcome.STORED] * 3
    found = store.feedback([QueryId("q1"), QueryId("never")])
    assert found == {"q1": (events[1], events[2], events[0])}


def test_an_event_counts_once(store: EventStore, reopen: Open) -> None:
    store.append_impression(impression())
    event = click(event_id="e", time=1.0, received=2.0)
    assert store.append_feedback([event, event]) == [Outcome.STORED, Outcome.DUPLICATE]
    assert store.append_feedback([replace(event, received=99.0)]) == [Outcome.DUPLICATE]
    assert store.append_feedback([replace(event, action="like")]) == [Outcome.CONFLICT]
    assert reopen().append_feedback([event]) == [Outcome.DUPLICATE]
    assert store.feedback([QueryId("q1")])["q1"] == (event,)


def test_a_batch_of_any_size_is_judged_event_by_event(store: EventStore) -> None:
    for n in range(700):
        store.append_impression(impression(f"q{n}"))
    events = [click(f"q{n}", event_id=f"e{n}", time=1.0) for n in range(1_203)]
    known, unknown = [Outcome.STORED] * 700, [Outcome.UNKNOWN_QUERY] * 503
    assert store.append_feedback(events) == known + unknown
    others = [replace(event, action="like") for event in events[600:]]
    again = store.append_feedback([*events[:600], *others])
    assert again == [Outcome.DUPLICATE] * 600 + [Outcome.CONFLICT] * 100 + unknown
    assert store.counts()["feedback"] == 700


def test_a_repeated_event_without_a_time_of_its_own_is_the_same_event(store: EventStore) -> None:
    store.append_impression(impression())
    store.append_feedback([click(event_id="e", time=5.0, received=5.0)])
    assert store.append_feedback([click(event_id="e", time=8.0, received=8.0)]) == [Outcome.DUPLICATE]


def test_only_what_was_shown_takes_feedback(store: EventStore) -> None:
    store.append_impression(impression())
    events = [click(query_id="other"), click(item_id="zzz"), click()]
    assert store.append_feedback(events) == [Outcome.UNKNOWN_QUERY, Outcome.NOT_SHOWN, Outcome.STORED]
    assert store.counts()["feedback"] == 1


def test_a_query_id_is_logged_once(store: EventStore) -> None:
    store.append_impression(impression())
    with pytest.raises(Conflict, match="'q1' is in the log already"):
        store.append_impression(impression())
    assert store.counts()["impressions"] == 1


def test_impressions_come_in_portions_without_gaps(store: EventStore) -> None:
    for n in range(7):
        store.append_impression(impression(f"q{n}"))
    seen, after = [], 0
    while portion := store.impressions(after=after, limit=3):
        seen += [entry.impression.query.id for entry in portion]
        assert [entry.sequence for entry in portion] == sorted(entry.sequence for entry in portion)
        after = portion[-1].sequence
    assert seen == [f"q{n}" for n in range(7)]


def test_counts(store: EventStore) -> None:
    assert store.counts() == {"impressions": 0, "feedback": 0, "clients": 0}
    for n, client in enumerate(["x", "y", "x", None]):
        store.append_impression(impression(f"q{n}", client_id=client))
    store.append_feedback([click("q0"), click("q1")])
    assert store.counts() == {"impressions": 4, "feedback": 2, "clients": 2}


def test_a_shadow_comes_back_and_the_first_one_counts(store: EventStore, reopen: Open) -> None:
    first = shadow("q1", ranks={"lexical": (1, 0, 30), "vector": ()}, time=7.25)
    for each in (first, shadow("q1", time=9.0), shadow("q2")):
        store.append_shadow(each)
    assert store.shadows([QueryId("q1"), QueryId("never")]) == {"q1": first}
    assert reopen().shadows([QueryId("q2")]) == {"q2": shadow("q2")}


def test_more_shadows_than_one_question_can_name_come_back(store: EventStore) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: store.append_shadow(shadow(f"q{n}")), range(1_200)))
    assert len(store.shadows([QueryId(f"q{n}") for n in range(1_200)])) == 1_200


def test_many_writers_at_once(store: EventStore) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: store.append_impression(impression(f"q{n}")), range(200)))
        same = list(pool.map(lambda n: store.append_feedback([click("q0", event_id="same", time=4.0)]), range(50)))
    assert store.counts()["impressions"] == 200
    assert sorted(outcome for (outcome,) in same) == sorted([Outcome.STORED] + [Outcome.DUPLICATE] * 49)


def test_another_process_sees_what_was_appended(store: EventStore, reopen: Open) -> None:
    reader = reopen()
    store.append_impression(impression())
    assert reader.counts()["impressions"] == 1


def test_a_closed_store_says_so(store: EventStore) -> None:
    store.close()
    with pytest.raises(Unavailable, match="closed"):
        store.append_impression(impression())


def searched(query_id: str, *, user: str | None = None, client: str | None = None, time: float = 0.0) -> Impression:
    made = impression(query_id, client_id=client, time=time)
    return replace(made, query=replace(made.query, user_id=user))


def left(store: EventStore) -> list[str]:
    return [entry.impression.query.id for entry in store.impressions(after=0, limit=1_000)]


def test_erase_removes_all_that_a_user_did_and_nothing_else(store: EventStore, reopen: Open) -> None:
    for query_id, user, client in (
        ("hers", "ann", "phone"), ("at-home", None, "ann"), ("his", "bob", "ann"), ("nobody", None, None),
        ("unnamed", None, None),
    ):  # fmt: skip
        store.append_impression(searched(query_id, user=user, client=client))
        store.append_shadow(shadow(query_id))
    for query_id, user in (("hers", None), ("his", "bob"), ("nobody", "bob")):
        store.append_feedback([replace(click(query_id), user_id=user)])
    store.append_feedback([replace(click("his", "b"), user_id="ann"), replace(click("unnamed", "b"), client_id="ann")])
    # Three searches with their shadows, two events on them, and one on a search of somebody else.
    assert store.erase("ann") == 3 + 3 + 3
    assert left(reopen()) == ["his", "nobody"]
    assert store.shadows([QueryId("hers"), QueryId("at-home"), QueryId("unnamed")]) == {}
    feedback = store.feedback([QueryId(each) for each in ("hers", "his", "nobody", "unnamed")])
    assert {query: [event.user_id for event in events] for query, events in feedback.items()} == {
        "his": ["bob"], "nobody": ["bob"],
    }  # fmt: skip
    assert store.erase("ann") == 0


def test_old_searches_go_with_what_belongs_to_them_and_their_numbers_are_not_used_again(
    store: EventStore, reopen: Open
) -> None:
    for n in range(1_203):
        store.append_impression(searched(f"q{n}", time=float(n)))
    store.append_feedback([click("q0"), click("q1202")])
    store.append_shadow(shadow("q5"))
    last = store.impressions(after=0, limit=2_000)[-1].sequence
    assert store.forget_before(1_201.0) == 1_201 + 1 + 1
    assert left(store) == ["q1201", "q1202"]
    assert store.counts() == {"impressions": 2, "feedback": 1, "clients": 0}
    assert store.forget_before(1e12) == 2 + 1
    again = reopen()
    again.append_impression(searched("new"))
    assert again.impressions(after=0, limit=9)[0].sequence > last
    assert again.append_feedback([click("q5")]) == [Outcome.UNKNOWN_QUERY]


def test_others_append_while_old_searches_go(store: EventStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.append_impression(searched(f"old{n}", time=1.0)), range(600)))
        going = pool.submit(store.forget_before, 2.0)
        list(pool.map(lambda n: store.append_impression(searched(f"new{n}", time=3.0)), range(100)))
        assert going.result() == 600
    assert sorted(left(store)) == sorted(f"new{n}" for n in range(100))


def test_any_text_may_be_an_id(store: EventStore) -> None:
    odd = "a\0b\\0c\\\\💡'\""
    shown = searched(odd, user=odd, client=odd)
    shown = replace(shown, shown=(ItemId(odd), ItemId("b"), ItemId("c")))
    store.append_impression(shown)
    event = replace(click(odd, odd, event_id=odd), user_id=odd)
    assert store.append_feedback([event]) == [Outcome.STORED]
    assert store.append_feedback([event]) == [Outcome.DUPLICATE]
    assert_same(shown, store.impressions(after=0, limit=1)[0].impression)
    assert store.feedback([QueryId(odd)]) == {odd: (event,)}
    assert store.erase(odd) == 2
