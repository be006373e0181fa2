"""A whole service with broken arms: it answers, says what happened, and logs what was done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from faulty_arm import Fault, Faults
from hypothesis import given, settings
from hypothesis import strategies as st
from small_service import ITEMS, prepared

from app.search.last_resort import NAME as LAST_RESORT
from app.search.request_clock import RequestClock
from app.service import Page, Service, new_query_id
from app.wiring.plans import ARMS
from app.wiring.service import build_service
from bandit.fixed import FixedPolicy
from bandit.ope import evidence_from
from bandit.plans import PlanLibrary
from core.errors import Unavailable
from core.types import ArmStatus, Query
from feedback.join import every_closed
from feedback.reward import RewardRule

SUBSETS = [names for count in range(1, len(ARMS) + 1) for names in combinations(ARMS, count)]
FAULTS = [fault for fault in Fault if fault is not Fault.HANGING]  # each hang costs a thread and a deadline: see below
DEADLINE_MS = 60.0


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, cache: Path, faults: Faults) -> Iterator[Service]:
    """Every search asks every arm; circuits stay closed, so that each search meets the faults."""
    every = {"every": dict.fromkeys(ARMS, 20)}
    made = prepared(
        tmp_path_factory,
        cache,
        retrieval={"deadline_ms": 2_000.0, "default_plan": "every", "plans": every},
        degradation={"failures": 1_000_000, "request_ms": 10_000.0},
        shadow={"share": 0.0},
    )
    built = build_service(made, changed_arms=faults.changed)
    built.start()
    yield built
    faults.let_go()
    built.close()


def search(service: Service, text: str = "love", **filters: tuple[str, ...]) -> Page:
    return service.search(Query(new_query_id(), text, service.clock(), filters=dict(filters)))


def test_every_subset_of_failing_arms_still_answers(service: Service, faults: Faults) -> None:
    for broken in SUBSETS:
        faults.only(broken, Fault.RAISING)
        page = search(service)
        failed = {name for name, report in page.answer.arms.items() if report.status is ArmStatus.ERROR}
        assert page.impression.shown, broken
        assert failed == set(broken)
        assert page.impression.degraded
        # `related` and `personal` answer, and find nothing for who is new: that alone is no answer.
        assert (LAST_RESORT in page.answer.arms) == (set(ARMS) - set(broken) <= {"related", "personal"})


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(FAULTS), min_size=len(ARMS), max_size=len(ARMS)))
def test_every_mixture_of_faults_still_answers(service: Service, faults: Faults, mixture: list[Fault]) -> None:
    for arm, fault in zip(faults.arms.values(), mixture, strict=True):
        arm.fault = fault
    page = search(service)
    assert page.impression.shown
    assert page.impression.degraded == (Fault.RAISING in {arm.fault for arm in faults.arms.values()})


def test_without_any_arm_what_was_popular_is_shown_and_logged(service: Service, faults: Faults) -> None:
    faults.only([], Fault.NONE)
    popular = service.search(Query(new_query_id(), "", service.clock()), preview=True)
    faults.only(ARMS, Fault.RAISING)
    page = search(service, "no such thing")
    assert page.impression.shown[0] == "artist:taylor-swift"  # the most popular one
    assert set(page.impression.shown) == set(popular.impression.shown)
    tracks = search(service, "no such thing", type=("track",))
    assert tracks.impression.shown
    assert all(item_id.startswith("track:") for item_id in tracks.impression.shown)
    assert page.logged


def test_when_nothing_at_all_is_known_it_says_so(service: Service, faults: Faults) -> None:
    faults.only(ARMS, Fault.RAISING)
    with pytest.raises(Unavailable, match="No arm answers, and nothing is known to be popular") as refused:
        search(service, "love", type=("submarine",))
    assert refused.value.code == "no_arm_answers"


def test_wrong_ids_alone_are_as_good_as_nothing(service: Service, faults: Faults) -> None:
    faults.only(set(ARMS) - {"popular"}, Fault.WRONG_IDS)
    page = search(service)
    assert set(page.impression.shown) <= {item.id for item in ITEMS}
    assert page.impression.shown


def test_what_was_executed_is_logged_and_left_out_of_evaluation(service: Service, faults: Faults) -> None:
    faults.only(["vector"], Fault.RAISING)
    degraded = search(service).answer.query.id
    faults.only([], Fault.NONE)
    whole = search(service).answer.query.id
    rule = RewardRule({"click": 1.0})
    episodes = {
        episode.impression.query.id: episode
        for episode in every_closed(service.store, now=time.time() + 60, window_s=1.0, rule=rule)
    }
    statuses = {name: report.status for name, report in episodes[degraded].impression.arms.items()}
    assert statuses == dict.fromkeys(ARMS, ArmStatus.OK) | {"vector": ArmStatus.ERROR}
    library = PlanLibrary(tuple(service.plans.values()), default="every", arms=ARMS)
    both = [episodes[degraded], episodes[whole]]
    evidence = evidence_from(both, FixedPolicy(library, "every"))
    assert (evidence.rows, dict(evidence.left_out)) == (1, {"degraded": 1})
    assert evidence_from(both, FixedPolicy(library, "every"), include_degraded=True).rows == 2


def test_a_request_out_of_time_gets_the_last_resort_at_once(service: Service, faults: Faults) -> None:
    faults.only(ARMS, Fault.SLOW)
    query = Query(new_query_id(), "love", service.clock())
    page = service.search(query, clock=RequestClock(0.0), preview=True)
    assert page.impression.shown
    assert page.answer.arms["lexical"].status is ArmStatus.TIMEOUT


def test_hanging_arms_cost_their_deadline_and_then_nothing(service: Service, faults: Faults) -> None:
    """The last test here: the hung threads stay hung until the module ends."""
    limits = {name: type(arm.limits)(DEADLINE_MS, 3, 60.0) for name, arm in service.fan_out.arms.items()}
    service.fan_out.configure(limits)
    faults.only(["vector", "memory"], Fault.HANGING)
    started = time.perf_counter()
    pages = [search(service) for _ in range(3)]
    late = time.perf_counter() - started
    assert all(page.answer.arms["vector"].status is ArmStatus.TIMEOUT and page.impression.shown for page in pages)
    assert late < 3 * (DEADLINE_MS / 1000 + 1.0)
    assert search(service).answer.arms["vector"].status is ArmStatus.SKIPPED
