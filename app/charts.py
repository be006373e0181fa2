"""Pictures of learning: curves, arm shares and rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib

matplotlib.use("Agg")  # files only: servers have no screen
from matplotlib import pyplot

_COLOURS = {
    "lexical": "#4269d0",
    "structured": "#97bbf5",
    "vector": "#efb118",
    "sparse": "#9c6b4e",
    "memory": "#3ca951",
    "related": "#6cc5b0",
    "personal": "#a463f2",
    "explore": "#ff8ab7",
    "popular": "#ff725c",
}


def learning_curve(result: Mapping[str, Any], path: Path) -> None:
    """nDCG@10 on traffic and held-out queries, and the share of searches that asked each arm, over searches."""
    rounds = [0, *(point["round"] for point in result["curve"])]
    figure, (quality, shares) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for part, label, colour in (("traffic", "traffic queries", "#3ca951"), ("heldout", "held-out queries", "#4269d0")):
        start = result["day0"][part]["nDCG@10"]
        quality.plot(
            rounds, [start, *(p[part]["nDCG@10"] for p in result["curve"])], label=label, color=colour, marker="o"
        )
        quality.axhline(start, color=colour, linestyle=":", linewidth=1)
    quality.set(title="Quality (dotted: day 0)", xlabel="searches", ylabel="nDCG@10")
    quality.legend()
    arms(shares, rounds[1:], [point["arms"] for point in result["curve"]])
    _save(figure, path)


def arms(axes: Any, rounds: Sequence[int], shares: Sequence[Mapping[str, float]]) -> None:
    """One line per arm: the share of searches that asked it."""
    for arm, colour in _COLOURS.items():
        axes.plot(rounds, [share.get(arm, 0.0) for share in shares], label=arm, color=colour, marker="o")
    axes.set(title="Arms asked", xlabel="searches", ylabel="share of searches", ylim=(-0.02, 1.02))
    axes.legend()


def demo_report(report: Mapping[str, Any], path: Path) -> None:
    """Quality and arm shares while listeners click, and the learned policy's reward beside every fixed plan's."""
    figure, (quality, shares, rewards) = pyplot.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    rounds = [point["round"] for point in report["curve"]]
    quality.plot(rounds, [point["nDCG@10"] for point in report["curve"]], color="#3ca951", marker="o")
    quality.axhline(report["before"]["nDCG@10"], color="#888888", linestyle=":", label="before any click")
    quality.set(title="Quality of what was served", xlabel="searches", ylabel="nDCG@10")
    quality.legend()
    arms(shares, rounds, [point["arms"] for point in report["curve"]])
    plans = sorted(report["plans"].items(), key=lambda entry: float(entry[1]["reward"]))
    rewards.barh([name for name, _ in plans], [plan["reward"] for _, plan in plans], color="#9498a0")
    rewards.axvline(report["after"]["reward"], color="#3ca951")
    rewards.set(title="Reward of every fixed plan (line: learned policy)", xlim=(0, 1))
    _save(figure, path)


def policy_estimates(report: Mapping[str, Any], path: Path) -> None:
    """Every estimate of a policy's reward with its interval, beside what the log earned; a refusal is the title."""
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    shown = [(name, each) for name, each in report["estimates"].items() if each["value"] is not None]
    for row, (_, each) in enumerate(shown):
        if each["low"] is not None:
            axes.plot([each["low"], each["high"]], [row, row], color="#4269d0", linewidth=3, solid_capstyle="butt")
        axes.plot(each["value"], row, color="#4269d0", marker="o")
    logged = report["logging"]
    if logged["value"] is not None:
        axes.axvspan(logged["low"], logged["high"], color="#9498a0", alpha=0.3, linewidth=0)
        axes.axvline(logged["value"], color="#9498a0", label="what served")
        axes.legend()
    axes.set_yticks(range(len(shown)), [name for name, _ in shown])
    axes.set(xlabel="reward per search")
    axes.set_title(fill(report["refusal"] or f"{report['policy']} on {report['rows']} searches", 80), fontsize=10)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
