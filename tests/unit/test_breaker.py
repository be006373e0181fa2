"""The circuit breaker, by a clock that the tests move."""

from __future__ import annotations

import logging

import pytest

from app.degradation.breaker import Circuit, CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("lexical", failures=3, open_s=10.0, clock=clock)


def call(breaker: CircuitBreaker, *, failed: bool) -> bool:
    """Whether the call was let through."""
    ticket = breaker.admit()
    if ticket is not None:
        breaker.note(ticket, failed=failed)
    return ticket is not None


def opened(breaker: CircuitBreaker) -> CircuitBreaker:
    for _ in range(3):
        call(breaker, failed=True)
    return breaker


def test_it_opens_half_opens_and_closes(breaker: CircuitBreaker, clock: Clock) -> None:
    assert [call(breaker, failed=True) for _ in range(4)] == [True, True, True, False]
    assert breaker.state is Circuit.OPEN
    clock.now += 9.9
    assert breaker.admit() is None
    clock.now += 0.1
    ticket = breaker.admit()
    assert ticket is not None
    assert breaker.state is Circuit.HALF_OPEN
    assert breaker.admit() is None  # one at a time
    breaker.note(ticket, failed=False)
    assert breaker.state is Circuit.CLOSED
    assert all(call(breaker, failed=False) for _ in range(5))


def test_a_failed_try_opens_it_for_the_whole_time_again(breaker: CircuitBreaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 10
    assert call(breaker, failed=True)
    assert breaker.state is Circuit.OPEN
    clock.now += 9.9
    assert breaker.admit() is None
    clock.now += 0.1
    assert call(breaker, failed=False)
    assert breaker.state is Circuit.CLOSED


def test_a_try_that_was_given_up_can_be_made_again_at_once(breaker: CircuitBreaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 10
    ticket = breaker.admit()
    assert ticket is not None
    breaker.withdraw(ticket)
    assert breaker.state is Circuit.OPEN
    assert call(breaker, failed=False)
    assert breaker.state is Circuit.CLOSED


def test_half_of_the_calls_failing_opens_it_and_a_few_do_not(clock: Clock) -> None:
    few = CircuitBreaker("few", failures=3, open_s=10.0, clock=clock)
    assert all(call(few, failed=n % 4 == 0) for n in range(100))
    half = CircuitBreaker("half", failures=3, open_s=10.0, clock=clock)
    assert sum(call(half, failed=n % 2 == 0) for n in range(100)) == 5


def test_what_was_called_before_it_opened_has_no_say_after(breaker: CircuitBreaker, clock: Clock) -> None:
    before = breaker.admit()
    assert before is not None
    opened(breaker)
    breaker.note(before, failed=False)
    assert breaker.state is Circuit.OPEN
    clock.now += 10
    breaker.admit()
    breaker.note(before, failed=True)
    assert breaker.state is Circuit.HALF_OPEN


def test_every_change_is_logged(breaker: CircuitBreaker, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        opened(breaker)
        clock.now += 10
        call(breaker, failed=False)
    assert [record.getMessage() for record in caplog.records] == [
        "circuit of arm lexical: open, 3 of its last 3 calls failed; tried again in 10 s",
        "circuit of arm lexical: half_open, one call is tried",
        "circuit of arm lexical: closed, it works again",
    ]
