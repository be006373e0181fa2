"""One report on a policy's value: every estimate with its interval, the overlap, and when to say nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bandit.ope.cressie_read import cressie_read
from bandit.ope.estimators import estimates, terms
from bandit.ope.evidence import Evidence, Overlap, overlap
from bandit.ope.resampling import percentiles, resampled_means
from core.errors import InvalidInput

_UNLIKELY = 4.0  # standard errors


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its confidence interval; NaN where there is nothing to estimate it from.

    `dm` never has an interval: its error is that of the model, of which drawing rows again tells nothing.
    """

    value: float
    low: float
    high: float


_NOTHING = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Report:
    """What can be said of the target policy. Where `refusal` is a sentence, don't act on the estimates.

    `estimates`: `ips`, `snips`, `cressie_read`, and with a reward model `dm`, `dr`. `logging` is the mean reward of the
    log. `gain` is target minus logging value, per row; its lower bound above 0 says that the target is better.
    Intervals are percentile bootstraps, except that of `cressie_read`.
    """

    rows: int
    confidence: float
    overlap: Overlap
    logging: Estimate = _NOTHING
    gain: Estimate = _NOTHING
    gain_self_normalised: Estimate = _NOTHING
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    refusal: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is not a number is None."""
        found = asdict(self)
        assert isinstance(found, dict)
        return {key: _plain(value) for key, value in found.items()}


def assess(
    evidence: Evidence,
    *,
    seed: int = 1,
    resamples: int = 1_000,
    confidence: float = 0.95,
    reward_range: tuple[float, float] = (-1.0, 1.0),
    largest_weight: float = math.inf,
    min_effective: float = 100.0,
    min_rewarded: float = 10.0,
    weight_tolerance: float = 0.1,
) -> Report:
    """All estimates of the target policy's mean reward per row. The same input gives the same report.

    `reward_range` is what a reward can be (a search earns -1 to 1), `largest_weight` what target / logged can be: where
    it is known, say from an exploration floor, `cressie_read` has a tighter interval. Refuses below `min_effective`
    rows (effective sample size), below `min_rewarded` rewarded rows (likewise), and when the mean weight is off 1 by
    more than `weight_tolerance` and more than 4 standard errors. InvalidInput for rewards and weights out of range, and
    for settings that make no sense.
    """
    _check(evidence, reward_range, largest_weight, confidence, resamples)
    seen = overlap(evidence)
    if evidence.rows == 0:
        return Report(0, confidence, seen, left_out=evidence.left_out, refusal="There is no row to judge by.")
    columns = terms(evidence)
    drawn = estimates(resampled_means(columns, resamples=resamples, seed=seed))
    found = {
        name: Estimate(float(value), *percentiles(drawn[name], confidence))
        for name, value in estimates(columns.mean(axis=0)).items()
    }
    ranges = {"reward_range": reward_range, "weight_range": (0.0, largest_weight)}
    if "dm" in found:
        found["dm"] = replace(found["dm"], low=math.nan, high=math.nan)
    found["cressie_read"] = Estimate(*cressie_read(evidence, confidence=confidence, **ranges))
    return Report(
        rows=evidence.rows,
        confidence=confidence,
        overlap=seen,
        logging=found.pop("logging"),
        gain=found.pop("gain"),
        gain_self_normalised=found.pop("gain_self_normalised"),
        estimates=found,
        left_out=evidence.left_out,
        refusal=_refusal(seen, min_effective, min_rewarded, weight_tolerance),
    )


def _refusal(seen: Overlap, min_effective: float, min_rewarded: float, tolerance: float) -> str | None:
    if seen.unsupported == 1:
        return "The log has nothing to say: this policy would never have done anything of what was done."
    if seen.effective < min_effective:
        return (
            f"The log is worth {seen.effective:.1f} rows for this policy; at least {min_effective:g} are needed."
            " Collect more, or ask about a policy nearer to the one that served."
        )
    off = abs(seen.mean_weight - 1)
    if off > tolerance and off > _UNLIKELY * seen.mean_weight_error:
        why = "the policy does what the log hardly ever did, or " if seen.mean_weight < 1 else ""
        return (
            f"The mean importance weight is {seen.mean_weight:.3g} and should be 1:"
            f" {why}the logged probabilities are wrong."
        )
    if seen.rewarded < min_rewarded:
        return (
            f"Only about {seen.rewarded:.1f} rewarded rows speak for this policy; at least {min_rewarded:g} are needed."
            " Collect more."
        )
    return None


def _check(
    evidence: Evidence, reward_range: tuple[float, float], largest_weight: float, confidence: float, resamples: int
) -> None:
    if not 0 < confidence < 1:
        raise _invalid(f"confidence is {confidence}; allowed: above 0, below 1.", "0.95 is usual.")
    if resamples < 1:
        raise _invalid(f"resamples is {resamples}; allowed: 1 or more.", "1000 is usual.")
    low, high = reward_range
    outside = evidence.rewards[(evidence.rewards < low) | (evidence.rewards > high)]
    if len(outside):
        raise _invalid(f"A reward is {outside[0]}; reward_range is {low} to {high}.", "Say what rewards can be.")
    least = max(1.0, float(evidence.weights.max(initial=0.0)))  # the mean is 1
    if not largest_weight >= least:
        raise _invalid(f"largest_weight is {largest_weight}; allowed: {least:g} or more.", "Leave it out if unknown.")


def _invalid(message: str, remedy: str) -> InvalidInput:
    return InvalidInput("bad_assessment", message, remedy)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
