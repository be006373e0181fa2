"""The Python client when the way to the service is bad: killed connections, 429, 503, silence."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from bowerbird_client import (
    AsyncClient,
    AsyncEventSender,
    BadAnswer,
    Client,
    Event,
    EventSender,
    Invalid,
    Item,
    Retry,
    TimedOut,
    TooOften,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from bowerbird_client.errors import seconds_of
from wayward_server import Act, Answer, Forward, Hang, Kill, wayward

Running = tuple[str, Callable[[], Any]]
QUICK = Retry(base_s=0.01)
STARTING = Answer(503, b'{"code": "not_ready", "message": "The service is still starting.", "remedy": "Try again."}')


def a_click(url: str) -> Event:
    with Client(url) as client:
        answer = client.search("love")
        return Event.of(answer, answer.hits[0])


def test_an_event_whose_answer_was_lost_counts_once(running: Running) -> None:
    event = a_click(running[0])
    with wayward(running[0], [Forward(kill=True)]) as seen, Client(seen.url, retry=QUICK) as client:
        answer = client.send_events([event])
    assert (answer.stored, answer.duplicates) == (0, 1)
    assert len(seen.bodies) == 2
    assert seen.bodies[0] == seen.bodies[1]


def test_the_awaited_client_tries_again_too(running: Running) -> None:
    event = a_click(running[0])

    async def send() -> int:
        async with AsyncClient(seen.url, retry=QUICK) as client:
            return (await client.send_events([event])).stored

    with wayward(running[0], [Kill(), STARTING]) as seen:
        assert asyncio.run(send()) == 1
    assert len(seen.bodies) == 3


def test_an_item_whose_removal_was_not_told_is_removed(running: Running) -> None:
    with wayward(running[0], [Forward(), Forward(kill=True)]) as seen, Client(seen.url, retry=QUICK) as client:
        client.put_items([Item("gone", {"title": "gone"})])
        assert not client.delete_item("gone")
        assert client.delete_items(["gone"]) == 0


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept(running: Running, status: int) -> None:
    acts = [Answer(status, headers={"retry-after": "1"}), Answer(status)]
    with wayward(running[0], acts) as seen, Client(seen.url, retry=QUICK) as client:
        assert client.search("love", preview=True).hits
    first, second = (later - earlier for earlier, later in pairwise(seen.times))
    assert first >= 1.0
    assert second < 0.9


def test_a_retry_after_beyond_the_budget_is_told_at_once(running: Running) -> None:
    acts = [Answer(429, b'{"code": "too_often", "message": "Slow down."}', {"retry-after": "60"})]
    with (
        wayward(running[0], acts) as seen,
        Client(seen.url, retry=Retry(total_s=30)) as client,
        pytest.raises(TooOften, match="Slow down") as caught,
    ):
        client.search("love")
    assert caught.value.retry_after_s == 60
    assert len(seen.times) == 1


@pytest.mark.parametrize(
    ("act", "error", "calls"),
    [
        (STARTING, Unavailable, 3),
        (Kill(), Unreachable, 3),
        (Answer(401, b'{"code": "key_missing"}'), Unauthorized, 1),
        (Answer(422, b"<html>"), Invalid, 1),
        (Answer(200, b"<html>"), BadAnswer, 1),
        (Answer(200, b'{"hits": 3}'), BadAnswer, 1),
        (Answer(200, b"[]"), BadAnswer, 1),
    ],
)
def test_only_what_may_pass_is_tried_again(running: Running, act: Act, error: type[Exception], calls: int) -> None:
    retry = Retry(attempts=3, base_s=0.01)
    with (
        wayward(running[0], [act] * 3) as seen,
        Client(seen.url, retry=retry) as client,
        pytest.raises(error) as caught,
    ):
        client.search("love")
    assert len(seen.times) == calls
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_silence_ends(running: Running) -> None:
    started = time.monotonic()
    once = Retry(attempts=1)
    with (
        wayward(running[0], [Hang(1.0)]) as seen,
        Client(seen.url, timeout_s=0.1, retry=once) as client,
        pytest.raises(TimedOut),
    ):
        client.ready()
    assert time.monotonic() - started < 5
    with Client("http://127.0.0.1:9", retry=once) as client, pytest.raises(Unreachable):
        client.alive()


def test_waiting_for_a_service_that_starts(running: Running) -> None:
    with wayward(running[0], [Kill(), STARTING]) as seen, Client(seen.url) as client:
        assert client.wait_until_ready(5).status == "ready"
    with wayward(running[0], [STARTING] * 50) as seen, Client(seen.url) as client, pytest.raises(Unavailable):
        client.wait_until_ready(0.3)


def test_the_key_is_sent_and_not_shown(running: Running) -> None:
    with wayward(running[0], []) as seen, Client(seen.url, key="secret-token") as client:
        client.ready()
        assert "secret-token" not in repr(client) + repr(vars(client))
    assert seen.headers[0]["authorization"] == "Bearer secret-token"


def test_waits_grow_are_random_and_have_an_end() -> None:
    retry = Retry(attempts=20, base_s=0.1, cap_s=2.0)
    assert [retry.wait_s(n, Unreachable(), 1.0) for n in (1, 2, 3, 10)] == [0.1, 0.2, 0.4, 2.0]
    assert retry.wait_s(3, Unreachable(), 0.25) == pytest.approx(0.1)
    assert retry.wait_s(1, Unavailable(503, {}, 3.0), 0.5) == pytest.approx(3.05)
    assert retry.wait_s(20, Unreachable(), 1.0) is None
    with pytest.raises(ValueError, match=r"Retry\(attempts=1\) never repeats"):
        Retry(attempts=0)


def test_retry_after_is_read_in_both_forms() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=100)
    assert seconds_of(format_datetime(soon, usegmt=True)) == pytest.approx(100, abs=5)
    assert [seconds_of(text) for text in ("7", "-1", "soon", "nan", None)] == [7.0, 0.0, None, None, None]


def test_a_sender_sends_in_portions_what_was_added(running: Running) -> None:
    with Client(running[0]) as client:
        answer = client.search("love")
        events = [Event.of(answer, hit, "like") for hit in answer.hits]
        with EventSender(client, portion=2, every_s=60) as sender:
            assert all(sender.add(event) for event in events)
            sender.add(events[0])
            assert sender.flush(10)
            assert (sender.counts.stored, sender.counts.duplicates) == (len(events), 1)
        assert not sender.add(events[0])
        assert sender.counts.dropped == 1


def test_a_sender_keeps_what_it_cannot_send_now(running: Running) -> None:
    event = a_click(running[0])
    once = Retry(attempts=1)
    with (
        wayward(running[0], [Kill(), STARTING]) as seen,
        Client(seen.url, retry=once) as client,
        EventSender(client, every_s=0.02) as sender,
    ):
        sender.add(event)
        deadline = time.monotonic() + 10
        while sender.counts.waiting and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sender.counts.stored == 1
    assert len(seen.bodies) == 3


def test_a_full_sender_drops_the_newest_and_says_so() -> None:
    with Client("http://127.0.0.1:9", retry=Retry(attempts=1)) as client:
        sender = EventSender(client, capacity=2, every_s=60)
        assert [sender.add(Event("q", str(n))) for n in range(3)] == [True, True, False]
        assert not sender.flush(0.2)
        counts = sender.close(0.2)
    assert (counts.stored, counts.dropped, counts.waiting) == (0, 3, 0)


def test_a_sender_drops_what_the_service_will_never_take(running: Running) -> None:
    with wayward(running[0], [Answer(401)]) as seen, Client(seen.url) as client, EventSender(client) as sender:
        sender.add(Event("q", "i"))
        assert sender.flush(10)
        assert sender.counts.dropped == 1
        sender.add(Event("never", "i"))
        assert sender.flush(10)
        assert sender.counts.rejected == 1


def test_a_sender_of_an_event_loop(running: Running) -> None:
    event = a_click(running[0])

    async def send() -> None:
        async with AsyncClient(seen.url, retry=Retry(attempts=1)) as client:
            async with AsyncEventSender(client, every_s=0.02, capacity=2) as sender:
                assert [sender.add(event), sender.add(event), sender.add(event)] == [True, True, False]
                assert not await sender.flush(0.0)
            assert (sender.counts.stored, sender.counts.duplicates, sender.counts.dropped) == (1, 1, 1)
            assert not sender.add(event)

    with wayward(running[0], [Kill()]) as seen:
        asyncio.run(send())
