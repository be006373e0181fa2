"""The clock of a request and the histogram that it fills."""

from __future__ import annotations

import time

import pytest

from app.operating.stages import StageTimes
from app.search.request_clock import RequestClock


def test_laps_have_no_gaps_and_sum_to_the_whole() -> None:
    clock = RequestClock()
    for stage in ("parse", "arms", "log"):
        clock.lap(stage)
    assert [stage for stage, _, _ in clock.laps] == ["parse", "arms", "log"]
    assert clock.laps[0][1] == clock.began
    assert all(before[2] == after[1] for before, after in zip(clock.laps, clock.laps[1:], strict=False))


def test_what_is_left_counts_from_the_arrival() -> None:
    assert RequestClock(1_000.0, began=time.perf_counter() - 2).left_s() == 0.0
    assert 0.9 < RequestClock(1_000.0).left_s() <= 1.0
    assert RequestClock().left_s() == float("inf")


def test_each_lap_is_counted_in_its_bucket() -> None:
    times = StageTimes()
    times.observe([("arms", 1.0, 1.003), ("log", 2.0, 2.5)])
    times.observe([("arms", 1.0, 1.003), ("arms", 0.0, 7.0)])
    samples = {
        (sample.labels["stage"], sample.labels.get("le", sample.name[-5:])): sample.value
        for family in times.collect()
        for sample in family.samples
    }
    assert [samples["arms", bound] for bound in ("0.002", "0.005", "1.0", "+Inf")] == [0, 2, 2, 3]
    assert samples["log", "0.5"] == 1  # a bound is part of its bucket
    assert samples["arms", "count"] == 3
    assert samples["arms", "s_sum"] == pytest.approx(7.006)


def test_it_costs_less_than_twenty_microseconds_a_request() -> None:
    times, rounds = StageTimes(), 2_000

    def cost() -> float:
        began = time.process_time()
        for _ in range(rounds):
            clock = RequestClock(1_000.0)
            for stage in ("parse", "context", "choose", "arms", "union", "features", "rank", "after", "page", "log"):
                clock.lap(stage)
            clock.lap("serialise")
            times.observe(clock.laps)
        return (time.process_time() - began) / rounds

    assert min(cost() for _ in range(5)) < 20e-6
