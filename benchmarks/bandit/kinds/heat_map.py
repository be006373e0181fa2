"""A picture of which arm serves which kind of query."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # files only
from matplotlib import pyplot


def heat_map(arms: Mapping[str, Mapping[str, Mapping[str, float]]], path: Path) -> None:
    """`arms`: arm -> kind -> `asked` (share of searches), `depth` (mean, when asked) and `alone` (its own reward)."""
    figure, (asked, alone) = pyplot.subplots(1, 2, figsize=(13, 5), layout="constrained")
    _panel(asked, arms, "asked", lambda cell: f"{cell['asked']:.0%}\n({cell['depth']:.0f})")
    asked.set_title("The learned policy: share of searches that ask the arm (mean depth)")
    _panel(alone, arms, "alone", lambda cell: f"{cell['alone']:.2f}")
    alone.set_title("Each arm alone at 100: expected reward")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _panel(axes: Any, arms: Mapping[str, Mapping[str, Mapping[str, float]]], measure: str, text: Any) -> None:
    kinds = list(next(iter(arms.values())))
    axes.imshow([[row[kind][measure] for kind in kinds] for row in arms.values()], cmap="Greens", vmin=0, vmax=1)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_yticks(range(len(arms)), list(arms))
    axes.set_aspect("auto")
    for y, row in enumerate(arms.values()):
        for x, kind in enumerate(kinds):
            dark = row[kind][measure] > 0.6
            axes.text(x, y, text(row[kind]), ha="center", va="center", fontsize=8, color="white" if dark else "black")
