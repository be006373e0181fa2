"""What a new policy must show on logged searches before anybody gets it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bandit.ope import Evidence, Report


class Outcome(StrEnum):
    PASS = "pass"
    WAIT = "wait"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows, why in a sentence, and the figures it stands on."""

    outcome: Outcome
    reason: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Latency:
    """Mean milliseconds of a search's slowest arm: under the candidate, as far as the log tells, and what served."""

    candidate_ms: float
    serving_ms: float


def latency(times: Evidence) -> Latency:
    """From evidence whose rewards are milliseconds, self-normalised as SNIPS is; NaN without any weight."""
    total = float(times.weights.sum())
    if total == 0:
        return Latency(math.nan, math.nan)
    return Latency(float(times.weights @ times.rewards) / total, float(times.rewards.mean()))


def gate(report: Report, took: Latency, *, slow_factor: float, last_look: bool) -> Verdict:
    """For a policy of a new kind, from searches that it has not learned from: it must be better than what serves.

    The lower bound of the gain must be above 0; support and effective sample are those of `assess`. What cannot be told
    yet waits, unless this is the last look.
    """
    if report.refusal is not None:
        return _undecided(report, took, report.refusal, last_look)
    if took.candidate_ms > slow_factor * took.serving_ms:
        return _verdict(Outcome.REFUSE, _slow(took, slow_factor), report, took)
    if report.gain.high < 0:
        return _verdict(Outcome.REFUSE, f"It would earn less: {_gain(report)}.", report, took)
    if report.gain.low > 0:
        return _verdict(Outcome.PASS, f"It would earn more: {_gain(report)}.", report, took)
    return _undecided(report, took, f"No gain is proven: {_gain(report)}.", last_look)


def lighter_gate(
    fresh: Report, past: Report, took: Latency, *, margin: float, slow_factor: float, last_look: bool
) -> Verdict:
    """For a retrained version of the champion: it must not be worse.

    `fresh` compares it with the champion on searches that it has not learned from: the gain's lower bound must be above
    -`margin`. `past` are the newest searches, most of which it has learned from: they flatter it, so they can only
    speak against it. This is what holds when somebody floods the log and stays to applaud the result.
    """
    for report, where in ((past, "on the searches before"), (fresh, "on searches it has not seen")):
        if report.refusal is None and report.gain.high < 0:
            return _verdict(Outcome.REFUSE, f"It would earn less {where}: {_gain(report)}.", report, took)
    if fresh.refusal is not None:
        return _undecided(fresh, took, f"Its choices differ too much from the champion's. {fresh.refusal}", last_look)
    if took.candidate_ms > slow_factor * took.serving_ms:
        return _verdict(Outcome.REFUSE, _slow(took, slow_factor), fresh, took)
    if fresh.gain.low > -margin:
        return _verdict(Outcome.PASS, f"It is not worse than the version before: {_gain(fresh)}.", fresh, took)
    return _undecided(fresh, took, f"It may earn more than {margin:g} less: {_gain(fresh)}.", last_look)


def _undecided(report: Report, took: Latency, reason: str, last_look: bool) -> Verdict:
    return _verdict(Outcome.REFUSE if last_look else Outcome.WAIT, reason, report, took)


def _verdict(outcome: Outcome, reason: str, report: Report, took: Latency) -> Verdict:
    numbers = {
        "searches": float(report.rows),
        "effective": report.overlap.effective,
        "gain": report.gain.value,
        "low": report.gain.low,
        "high": report.gain.high,
        "ms": took.candidate_ms,
        "champion_ms": took.serving_ms,
    }
    return Verdict(outcome, reason, {name: number for name, number in numbers.items() if math.isfinite(number)})


def _gain(report: Report) -> str:
    gain = report.gain
    return f"gain {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) per search on {report.rows} logged searches"


def _slow(took: Latency, factor: float) -> str:
    return (
        f"It would take {took.candidate_ms:.0f} ms per search, more than {factor:g} times"
        f" the {took.serving_ms:.0f} ms of what serves."
    )
