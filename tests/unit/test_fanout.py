"""One broken arm costs the others nothing: threads, time, or answers."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from arms_with_items import Okapi, Popular
from faulty_arm import Fault, FaultyArm
from words import item, query

from app.degradation.breaker import Circuit
from app.degradation.guarded_arm import ArmLimits
from app.search.fanout import FanOut
from core.types import ArmStatus, Plan

ITEMS = [item("lamp", "Desk lamp", popularity=0.2), item("chair", "Oak chair", popularity=0.9)]
BOTH = Plan("both", {"lexical": 10, "popular": 10})
OK, TIMEOUT, ERROR, SKIPPED = ArmStatus.OK, ArmStatus.TIMEOUT, ArmStatus.ERROR, ArmStatus.SKIPPED


class Arms:
    """Words and fame, of which the first breaks on command; the breakers' clock is `now`."""

    def __init__(self) -> None:
        self.now = 0.0
        words, fame = Okapi(), Popular()
        for arm in (words, fame):
            arm.apply(ITEMS, [])
        self.words = FaultyArm(words)
        self.ask = FanOut(
            {"lexical": self.words, "popular": fame},
            ArmLimits(deadline_ms=40.0, failures=3, open_s=10.0),
            threads=4,
            clock=lambda: self.now,
        )

    def free(self) -> None:
        """Let go who hangs, and wait until they are gone."""
        self.words.let_go()
        until = time.monotonic() + 5
        while self.ask.arms["lexical"].stuck and time.monotonic() < until:
            time.sleep(0.001)

    def status(self, **left: float) -> tuple[ArmStatus, ArmStatus]:
        answers, reports = self.ask(BOTH, query("lamp"), **left)
        assert set(answers) == {name for name, report in reports.items() if report.status is OK}
        return reports["lexical"].status, reports["popular"].status


@pytest.fixture
def arms() -> Iterator[Arms]:
    made = Arms()
    yield made
    made.words.let_go()
    made.ask.close()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.NONE, OK), (Fault.SLOW, OK), (Fault.EMPTY, OK), (Fault.WRONG_IDS, OK), (Fault.RAISING, ERROR),
        (Fault.HANGING, TIMEOUT),
    ],
)  # fmt: skip
def test_the_other_arm_answers_whatever_the_fault(arms: Arms, fault: Fault, status: ArmStatus) -> None:
    arms.words.fault = fault
    assert arms.status() == (status, OK)


@pytest.mark.parametrize(("fault", "status"), [(Fault.RAISING, ERROR), (Fault.HANGING, TIMEOUT)])
def test_an_arm_that_fails_again_and_again_is_left_alone_then_tried(
    arms: Arms, fault: Fault, status: ArmStatus
) -> None:
    arms.words.fault = fault
    assert [arms.status() for _ in range(5)] == [(status, OK)] * 3 + [(SKIPPED, OK)] * 2
    assert arms.words.asked == 3
    arms.now += 10.0
    assert arms.status() == (status, OK)
    assert arms.status() == (SKIPPED, OK)
    arms.words.fault = Fault.NONE
    arms.free()
    arms.now += 10.0
    assert [arms.status() for _ in range(3)] == [(OK, OK)] * 3
    assert arms.ask.arms["lexical"].breaker.state is Circuit.CLOSED


def test_an_arm_that_hangs_for_ever_holds_its_own_threads_and_no_more(arms: Arms) -> None:
    arms.words.fault = Fault.HANGING
    arms.ask.configure({name: ArmLimits(deadline_ms=5.0, failures=1_000) for name in arms.ask.arms})
    assert [arms.status()[0] for _ in range(6)] == [TIMEOUT] * 4 + [SKIPPED] * 2  # four threads
    assert (arms.ask.arms["lexical"].stuck, arms.ask.arms["popular"].stuck) == (4, 0)
    assert all(arms.status() == (SKIPPED, OK) for _ in range(100))
    arms.free()
    assert arms.status() == (OK, OK)


def test_an_arm_has_a_deadline_of_its_own(arms: Arms) -> None:
    arms.words.fault = Fault.SLOW
    arms.ask.configure({"lexical": ArmLimits(deadline_ms=1.0), "popular": ArmLimits(deadline_ms=5_000.0)})
    assert arms.status() == (TIMEOUT, OK)


def test_a_request_without_time_is_not_the_arms_fault(arms: Arms) -> None:
    arms.words.fault = Fault.HANGING
    for _ in range(3):
        assert arms.status(left_s=0.005)[0] is TIMEOUT
    assert arms.ask.arms["lexical"].breaker.state is Circuit.CLOSED


def test_closing_does_not_wait_for_who_hangs(arms: Arms) -> None:
    arms.words.fault = Fault.HANGING
    arms.status()
    started = time.monotonic()
    arms.ask.close()
    assert time.monotonic() - started < 1.0
