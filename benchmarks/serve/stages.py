"""Where the time of a search goes: what GET /metrics says before and after a load.

The histograms are filled from the clock that spans are made of (app/search/request_clock.py), for every search.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

_HISTOGRAMS = {"bowerbird_stage_seconds": "stage", "bowerbird_arm_seconds": "arm", "bowerbird_search_seconds": ""}
WHOLE = "search"
Histogram = dict[str, float]  # upper bound in seconds -> how many at most that; "sum" in seconds
Snapshot = Mapping[str, Histogram]  # stage, "arm NAME", or WHOLE


def snapshot(metrics: str) -> Snapshot:
    """`metrics` in the text format."""
    found: dict[str, Histogram] = {}
    for family in text_string_to_metric_families(metrics):
        if family.name not in _HISTOGRAMS:
            continue
        label = _HISTOGRAMS[family.name]
        for sample in family.samples:
            name = sample.labels.get(label, WHOLE)
            histogram = found.setdefault(f"arm {name}" if label == "arm" else name, {})
            if sample.name.endswith("_bucket"):
                histogram[sample.labels["le"]] = sample.value
            elif sample.name.endswith("_sum"):
                histogram["sum"] = sample.value
    return found


def between(before: Snapshot, after: Snapshot) -> dict[str, dict[str, Any]]:
    """Calls, mean, and the median by interpolation within its bucket, milliseconds; in the order of a search."""
    found = {}
    for name, histogram in after.items():
        known = before.get(name, {})
        grown = {bound: value - known.get(bound, 0.0) for bound, value in histogram.items()}
        if calls := grown["+Inf"]:
            found[name] = {"calls": calls, "mean_ms": 1000 * grown["sum"] / calls, "median_ms": 1000 * _median(grown)}
    return found


def _median(histogram: Histogram) -> float:
    """Seconds; the last finite bound where more than half is above it."""
    half, low, below = histogram["+Inf"] / 2, 0.0, 0.0
    for bound, upto in histogram.items():
        if bound in ("sum", "+Inf"):
            continue
        if upto >= half:
            return low + (float(bound) - low) * (half - below) / (upto - below)
        low, below = float(bound), upto
    return low
