"""bowerbird evaluate policy: what a policy would have earned on the logged searches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from app.commands.common import Json, Picture, invocation, print_json, remarks, results

if TYPE_CHECKING:
    from bandit.ope import Report


def of_policy(
    context: typer.Context,
    policy: Annotated[str, typer.Option(help="release, warmup, uniform, fixed or misguided.")] = "release",
    release: Annotated[int | None, typer.Option(help="Instead of the current one.")] = None,
    plan: Annotated[str | None, typer.Option(help="For `fixed`: instead of the default plan.")] = None,
    newest: Annotated[int, typer.Option(min=1, help="How many of the newest closed searches to read.")] = 50_000,
    png: Picture = None,
    as_json: Json = False,
) -> None:
    """What a policy would have earned on the logged searches: off-policy estimates, and whether to believe them."""
    from app.jobs.policy_value import policy_value

    found = policy_value(invocation(context).settings(), policy, release=release, plan=plan, newest=newest)
    report = {"policy": found.policy, "episodes": found.episodes, **found.report.to_json()}
    if as_json:
        print_json(report)
    else:
        _print(found.policy, found.report)
    if png:
        from app.jobs.charts import policy_estimates

        policy_estimates(report, png)
        remarks.print(f"The estimates are drawn in {png}.")


def _print(policy: str, report: Report) -> None:
    if report.rows:
        results.print(_estimates(policy, report))
        results.print(_overlap(report))
    for reason, count in sorted(report.left_out.items()):
        results.print(f"Left out: {count} ({reason}).")
    results.print(f"Cannot tell: {report.refusal}" if report.refusal else _verdict(report))


def _estimates(policy: str, report: Report) -> Table:
    table = Table("reward per search", "value", "low", "high", title=f"{policy} on {report.rows} searches")
    gains = {"gain": report.gain, "gain, self-normalised": report.gain_self_normalised}
    for name, estimate in {"as logged": report.logging, **report.estimates, **gains}.items():
        numbers = (estimate.value, estimate.low, estimate.high)
        table.add_row(name, *("" if math.isnan(number) else f"{number:.4f}" for number in numbers))
    return table


def _overlap(report: Report) -> str:
    seen = report.overlap
    return (
        f"The log is worth {seen.effective:.0f} searches for this policy, {seen.rewarded:.0f} of them rewarded."
        f" Mean weight {seen.mean_weight:.3f} ± {seen.mean_weight_error:.3f} (should be 1), largest"
        f" {seen.largest_weight:.1f}; the heaviest 1% carry {seen.top_share:.0%}; {seen.unsupported:.0%} would never"
        " have been done."
    )


def _verdict(report: Report) -> str:
    if report.gain.low > 0:
        return "This policy would have earned more than what served."
    return (
        "This policy would have earned less than what served." if report.gain.high < 0 else "No difference is proven."
    )
