"""bowerbird evaluate examination: how likely people look at each position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from rich.table import Table

from app.commands.common import Json, Picture, invocation, print_json, remarks, results


def examination(
    context: typer.Context,
    png: Picture = None,
    as_json: Json = False,
) -> None:
    """How likely people look at each position, relative to the first: estimated from clicks, beside what is assumed."""
    from app.jobs.examination import report_examination
    from app.wiring.stores import closed_episodes

    report = report_examination(closed_episodes(invocation(context).settings()))
    if as_json:
        print_json(report)
    else:
        _print(report)
    if png:
        from app.jobs.charts import examination_curve

        examination_curve(report, png)
        remarks.print(f"The curve is drawn in {png}.")


def _print(report: Mapping[str, Any]) -> None:
    counts = f"{report['searches']} searches, {report['clicked']} with a click, {report['swapped']} with a swap"
    below = f"Below an item that was clicked: {report['after_click']:.2f} times that"
    table = Table("position", "assumed", "estimated", "95 % from", "to", title=counts, caption=below)
    for row in report["positions"]:
        figures = [f"{row[name]:.3f}" for name in ("assumed", "estimated", "low", "high")]
        table.add_row(str(row["position"]), *figures)
    results.print(table)
