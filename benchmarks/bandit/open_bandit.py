"""A real policy's value from another policy's log, beside what it really earned: Open Bandit Dataset, small version.

Two policies recommended fashion in the same week: `random` (uniform over items) and `bts` (Bernoulli Thompson
sampling). The value of `bts` is estimated from the clicks of the `random` log alone, and compared with the mean click
of the `bts` log, which is the truth up to its own interval; then the other way round, with the propensities that were
logged.

What `bts` would do comes from the items that its log shows at each position, never from its clicks. Its logged
propensities move during the week and reach 1e-6: the mean of those of an item is biased upwards (an item is logged when
it is likely, so they sum to 2 or 3), their harmonic mean is unbiased but hangs on a few rows, and the counts are
unbiased and steady. The prior that the obp package ships for the policy differs from the counts by 0.6 to 1.05 in total
absolute probability, so it is not what ran in that week.

The headline estimator is DR, named before the truth was looked at: it is unbiased whatever its model, because the
propensities are known, and a model that is any good takes variance away. The model is each item's smoothed click rate.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandit.ope import Estimate, Evidence, Report, assess

HEADLINE = "dr"
CAMPAIGNS = {"men": 34, "women": 46}  # items
POSITIONS = 3
# Relative errors that the obp examples print for the small version: `bts` from `random`, in the campaign "all", which
# our copy lacks: a yardstick, not a rival. They vary: an early version prints 1.16, 0.99 and 0.22.
PUBLISHED = {"ipw": 0.31, "dr": 0.29, "dm": 0.16}
_PRIOR_ROWS = 200.0  # about one click
_FOLDS = 5
_REPEATS = 100

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Log:
    """[n] items from 0, positions from 0, clicks, and the probabilities with which the items were drawn."""

    items: Integers
    positions: Integers
    clicks: Doubles
    chances: Doubles


def read(path: Path) -> Log:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [
            (int(row["item_id"]), int(row["position"]) - 1, float(row["click"]), float(row["propensity_score"]))
            for row in csv.DictReader(file)
        ]
    items, positions, clicks, chances = np.array(rows, dtype=np.float64).T
    return Log(items.astype(np.int64), positions.astype(np.int64), clicks, chances)


def shares(log: Log, items: int) -> Doubles:
    """[positions, items]: how often each item was shown at each position."""
    counts = np.zeros((POSITIONS, items))
    np.add.at(counts, (log.positions, log.items), 1)
    found: Doubles = counts / counts.sum(axis=1, keepdims=True)
    return found


def evidence(log: Log, target: Doubles) -> Evidence:
    """Of the policy `target` [positions, items], with click rates from the other folds of this log."""
    predicted, expected = np.empty(len(log.items)), np.empty(len(log.items))
    folds = np.arange(len(log.items)) % _FOLDS
    for fold in range(_FOLDS):
        inside = folds == fold
        rates = click_rates(log, ~inside, target.shape[1])
        predicted[inside] = rates[log.items[inside]]
        expected[inside] = (target @ rates)[log.positions[inside]]
    return Evidence(log.clicks, log.chances, target[log.positions, log.items], predicted, expected)


def click_rates(log: Log, rows: NDArray[np.bool_], items: int) -> Doubles:
    """[items] on these rows, drawn towards the overall rate as if by 200 more rows."""
    shown = np.bincount(log.items[rows], minlength=items)
    clicked = np.bincount(log.items[rows], weights=log.clicks[rows], minlength=items)
    found: Doubles = (clicked + _PRIOR_ROWS * log.clicks[rows].mean()) / (shown + _PRIOR_ROWS)
    return found


def compare(found: Evidence, truth: Log, largest_weight: float = math.inf) -> dict[str, Any]:
    """Every estimate beside the on-policy mean, and how often intervals on resampled logs cover it."""
    report = assess(found, reward_range=(0.0, 1.0), largest_weight=largest_weight)
    printed = report.to_json()
    value = float(truth.clicks.mean())
    covered = coverage(report, found, value, largest_weight)
    return {
        "truth": dict(zip(("value", "low", "high"), (value, *wilson(truth.clicks)), strict=True)),
        "refusal": report.refusal,
        "overlap": printed["overlap"],
        "estimates": {
            name: {
                **printed["estimates"][name],
                "rel_error": abs(estimate.value - value) / value,
                **({} if math.isnan(estimate.low) else covered[name]),
            }
            for name, estimate in report.estimates.items()
        },
    }


def coverage(report: Report, found: Evidence, value: float, largest_weight: float) -> dict[str, dict[str, Any]]:
    """Whether each interval covers the truth, and in which share of logs that are drawn from this one.

    Those centre on what this log says, so an unlucky log lowers them all: this is not the coverage over fresh logs.
    """
    random = np.random.default_rng(1)
    hits: dict[str, list[bool]] = {}
    for _ in range(_REPEATS):
        again = rows(found, random.integers(found.rows, size=found.rows))
        drawn = assess(again, resamples=200, reward_range=(0.0, 1.0), largest_weight=largest_weight)
        for name, estimate in drawn.estimates.items():
            hits.setdefault(name, []).append(covers(estimate, value))
    return {
        name: {"covers": covers(estimate, value), "covers_on_resampled_logs": float(np.mean(hits[name]))}
        for name, estimate in report.estimates.items()
    }


def rows(found: Evidence, chosen: Integers) -> Evidence:
    assert found.predicted is not None
    assert found.expected is not None
    return replace(
        found,
        rewards=found.rewards[chosen],
        logged=found.logged[chosen],
        target=found.target[chosen],
        predicted=found.predicted[chosen],
        expected=found.expected[chosen],
    )


def covers(estimate: Estimate, value: float) -> bool:
    return estimate.low <= value <= estimate.high


def wilson(clicks: Doubles) -> tuple[float, float]:
    """The 95% score interval of a share (Wilson 1927)."""
    count, share, z = len(clicks), float(clicks.mean()), 1.96
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    margin = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return middle - margin, middle + margin


def open_bandit(data: Path) -> dict[str, Any]:
    """`figures` (`obd.men.rel_error`, ...: `bts` from `random`, by the headline estimator), and all `results`.

    `data` holds the folder `open-bandit`.
    """
    results = dict(_results(data / "open-bandit"))
    figures = {}
    for campaign in CAMPAIGNS:
        found = results[f"{campaign}: bts from random"]
        figures[f"obd.{campaign}.rel_error"] = found["estimates"][HEADLINE]["rel_error"]
        figures[f"obd.{campaign}.covered"] = found["estimates"][HEADLINE]["covers_on_resampled_logs"]
        figures[f"obd.{campaign}.effective"] = found["overlap"]["effective"]
    return {"figures": figures, "headline": HEADLINE, "published_rel_error": PUBLISHED, "results": results}


def _results(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for campaign, items in CAMPAIGNS.items():
        uniform, learned = (read(folder / policy / campaign / f"{campaign}.csv.gz") for policy in ("random", "bts"))
        target = shares(learned, items)
        found = compare(evidence(uniform, target), learned, largest_weight=float(target.max()) * items)
        yield f"{campaign}: bts from random", found
        everything = np.full((POSITIONS, items), 1 / items)
        yield f"{campaign}: random from bts", compare(evidence(learned, everything), uniform)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="holds the folder open-bandit")
    print(json.dumps(open_bandit(parser.parse_args().data), indent=2))
