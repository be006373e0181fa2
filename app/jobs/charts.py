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


def quality_judged(report: Mapping[str, Any], path: Path) -> None:
    """Sources of the chosen terms, judged quality over price, and what foretells the purchase (line: chance)."""
    figure, (sources, prices, purchase) = pyplot.subplots(1, 3, figsize=(14, 4), layout="constrained")
    names = list(report["sources"])
    for place, (what, colour) in enumerate((("chosen", "#3ca951"), ("offered", "#9498a0"))):
        shares = [report["sources"][name][what] or 0.0 for name in names]
        sources.bar([row + 0.4 * place for row in range(len(names))], shares, width=0.4, label=what, color=colour)
    sources.set_xticks([row + 0.2 for row in range(len(names))], names)
    sources.set(title="Terms by source", ylabel="share", ylim=(0, 1))
    sources.legend()
    points = report["price"]["points"]
    prices.scatter([p["price"] for p in points], [p["score"] for p in points], color="#4269d0", s=12)
    prices.set(title="Judged quality and price", xlabel="price", ylabel="Bradley-Terry score")
    if points:
        prices.set_xscale("log")
    shown = [(name, each) for name, each in report["purchase"].items() if each["accuracy"] is not None]
    for row, (_, each) in enumerate(shown):
        purchase.plot([each["low"], each["high"]], [row, row], color="#4269d0", linewidth=3, solid_capstyle="butt")
        purchase.plot(each["accuracy"], row, color="#4269d0", marker="o")
    purchase.axvline(0.5, color="#888888", linestyle=":")
    purchase.set_yticks(range(len(shown)), [name for name, _ in shown])
    purchase.set(title="Foretells what was taken", xlabel="accuracy", xlim=(0, 1))
    _save(figure, path)


def examination_curve(report: Mapping[str, Any], path: Path) -> None:
    """The estimated examination with its interval, and the assumed one."""
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    positions, assumed, estimated, low, high = (
        [row[name] for row in report["positions"]] for name in ("position", "assumed", "estimated", "low", "high")
    )
    axes.plot(positions, assumed, color="#9498a0", linestyle=":", label="assumed")
    axes.plot(positions, estimated, color="#4269d0", marker="o", label="estimated, 95 %")
    axes.fill_between(positions, low, high, color="#4269d0", alpha=0.2, linewidth=0)
    axes.set(xlabel="position", ylabel="examination, relative to the first", ylim=(0, 1.05), xticks=positions)
    axes.legend()
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
