"""How each section of the bandit's evidence is told, as lines of Markdown."""

from __future__ import annotations

from benchmarks.evidence import Found
from benchmarks.tables import Cell, table


def simulated(section: Found) -> list[str]:
    policies = section["policies"]
    measures = list(next(iter(policies.values())))
    return [
        "## A world whose truth is known",
        "",
        "![net reward of every policy](../../benchmarks/results/bandit-simulated.png)",
        "",
        "Eight arms of which some find the same, 32 plans, intents that show only in noisy flags, position bias, a",
        "memory that grows by the clicks it gets, an arm that breaks and is repaired: `benchmarks/bandit/worlds.py`.",
        f"{section['stated']}. Means over {len(next(iter(section['by_seed'].values())))} seeds.",
        f"The best plan in hindsight is worth {section['static_over_oracle']:.3f} of the oracle.",
        "",
        *table(["policy", *measures], [[name, *values.values()] for name, values in policies.items()]),
        "",
    ]


def rollouts(section: Found) -> list[str]:
    columns = ("runs", "promoted", "reached_people", "searches_to_champion")
    rows: list[list[Cell]] = [
        [name, *(_text(found[column]) for column in columns)] for name, found in section["details"].items()
    ]
    return [
        "## Rollouts",
        "",
        "Candidates of every kind through the gate and the stages: equal ones (A/A), misguided ones, better ones, and",
        "ones that turn bad on the way. `past the gate`: let in by force. Decisions are those of `bandit/rollout.py`.",
        "",
        *table(["candidate", "runs", "promoted", "reached people", "median searches to champion"], rows),
        "",
    ]


def open_bandit(section: Found) -> list[str]:
    rows: list[list[Cell]] = []
    for name, found in section["results"].items():
        estimates = found["estimates"]
        errors = [estimates[each]["rel_error"] for each in ("ips", "snips", "dm", "dr", "cressie_read")]
        rows.append([name, *(f"{error:.2f}" for error in errors), f"{found['overlap']['effective']:.0f}"])
    return [
        "## Off-policy evaluation on real logs",
        "",
        "Open Bandit: the value of one policy, estimated from the log of the other alone; relative error against what",
        f"the other's own log says, which is itself known to a quarter only. Headline: {section['headline']}.",
        "",
        *table(["target from log", "ips", "snips", "dm", "dr", "cressie-read", "effective rows"], rows),
        "",
    ]


def exactness(section: Found) -> list[str]:
    figures = section["figures"]
    rows: list[list[Cell]] = [
        [str(n + 1), f"{expected:.1f}", str(observed)]
        for n, (expected, observed) in enumerate(zip(section["expected"], section["observed"], strict=True))
    ]
    return [
        "## Exactness",
        "",
        f"{section['decisions']} decisions: draws beside what the logged propensities promise, by tenths of the",
        f"propensity. Chi-square by plan: p = {figures['exact.chi2_p']:.2f}. Replayed in another process and order:",
        f"{figures['exact.replayed_otherwise']:.0f} choices differ.",
        "",
        *table(["tenth", "promised", "drawn"], rows),
        "",
    ]


def parity(section: Found) -> list[str]:
    return [
        "## Parity",
        "",
        f"Largest difference of any estimate from vw-estimators: {section['figures']['ope.parity_diff']:.1e}.",
        "",
    ]


def real(section: Found) -> list[str]:
    return [
        "## A real catalogue, mixed intents",
        "",
        f"Net reward over the best plan in hindsight: {_text(section['figures']['real.static_ratio'])}. Retrieval cost",
        f"at 0.99 of the reward of all arms at 100: {_text(section['figures']['real.cost_ratio'])} of theirs. The",
        "whole report has [a page of its own](kinds.md).",
        "",
    ]


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
