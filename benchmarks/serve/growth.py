"""Latency and memory by the number of items, on one log-log plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # files only
from matplotlib import pyplot

PICTURE = "serve-growth.png"


def growth(sizes: Sequence[Mapping[str, Any]], path: Path) -> None:
    """`sizes`: sections of benchmarks.serve.size, smallest first."""
    items = [found["items"] for found in sizes]
    figure, times = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    memory = times.twinx()
    lines = [
        *times.plot(items, [found["calm"]["p50_ms"] for found in sizes], "o-", label="p50, ms", color="#4269d0"),
        *times.plot(items, [found["calm"]["p99_ms"] for found in sizes], "o-", label="p99, ms", color="#ff725c"),
        *memory.plot(
            items, [found["memory"]["all_gib"] for found in sizes], "s--", label="memory, GiB", color="#3ca951"
        ),
    ]
    times.set(title="A search over HTTP at 50 a second", xlabel="items", ylabel="ms", xscale="log", yscale="log")
    memory.set(ylabel="GiB of the service and its learner", yscale="log")
    times.grid(which="both", alpha=0.3)
    times.legend(handles=lines, fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
