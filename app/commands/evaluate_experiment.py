"""bowerbird evaluate experiment: which variant people prefer."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Table

from app.commands.common import Json, invocation, print_json, results


def experiment(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="By default the one that is configured.")] = None,
    as_json: Json = False,
) -> None:
    """Which variant of an experiment people prefer, by the closed searches of the log."""
    from app.jobs.experiment_report import report_experiment
    from app.wiring.stores import open_store

    settings = invocation(context).settings()
    store = open_store(settings)
    try:
        report = report_experiment(store, settings, name or settings.experiment.name, now=time.time())
    finally:
        store.close()
    if as_json:
        print_json(report)
        return
    for kind in ("interleaving", "ab"):
        if (result := report[kind]) is not None:
            table = Table("", "", title=f"{report['name']}, {kind}", show_header=False)
            for key, value in result.items():
                table.add_row(key.replace("_", " "), _figure(value))
            results.print(table)


def _figure(value: object) -> str:
    if isinstance(value, tuple):
        return " to ".join(map(_figure, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)
