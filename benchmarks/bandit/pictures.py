"""Pictures of the bandit's evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only
from matplotlib import pyplot

_COLOURS = {
    "oracle": "#888888",
    "best plan in hindsight": "#4269d0",
    "coverage": "#3ca951",
    "coverage, delayed": "#97dba5",
    "vw_adf": "#efb118",
    "fixed": "#9c6b4e",
    "uniform": "#c8c8c8",
    "misguided": "#ff725c",
}


def courses(curves: Mapping[str, Sequence[float]], path: Path) -> None:
    """`curves`: policy -> means of equal stretches of the searches, as parts of the oracle's mean."""
    figure, axes = pyplot.subplots(figsize=(9, 4.5), layout="constrained")
    for name, colour in _COLOURS.items():
        if name in curves:
            searches = [500 * (n + 1) for n in range(len(curves[name]))]
            axes.plot(searches, curves[name], label=name, color=colour, linewidth=2 if name == "coverage" else 1.2)
    axes.set(
        title="Net reward in the simulated world (an arm is broken from 10,000 to 15,000)",
        xlabel="searches",
        ylabel="part of the oracle's mean",
    )
    axes.legend(ncols=2, fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
