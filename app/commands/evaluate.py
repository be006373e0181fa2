"""bowerbird evaluate: judged quality, and what experiments have shown."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from app.commands.common import Json, invocation, print_json, progress_bar, results, started_service

app = typer.Typer(help="Measure quality: on ratings, or by what people clicked.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Measure quality: on ratings, or by what people clicked."""


@app.command()
def retrieval(
    context: typer.Context,
    qrels: Annotated[Path, typer.Option(help="CSV with `query,docid,rating`, or TREC qrels (with --queries).")],
    queries: Annotated[Path | None, typer.Option(help="For TREC qrels: one `id<TAB>text` a line.")] = None,
    tuning_qrels: Annotated[
        Path | None, typer.Option(help="CSV with ratings of other queries, to choose the weights of `fusion` on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """nDCG@10, RR, R@100 and Judged@10 of every arm, of fixed fusions, of the best arm per query, of the pipeline."""
    from app.evaluate import evaluate_retrieval
    from ranking.metrics import answerable, read_judgments

    judgments = read_judgments(qrels, queries)
    with started_service(context) as service, progress_bar("queries", len(answerable(judgments))) as advance:
        tuning = read_judgments(tuning_qrels) if tuning_qrels else None
        report = evaluate_retrieval(service, judgments, advance, tuning=tuning)
    if as_json:
        print_json(report)
        return
    measures = list(next(iter(report["systems"].values())))
    table = Table("system", *measures, title=f"{report['queries']} queries", caption=report["stated"])
    for system, values in report["systems"].items():
        table.add_row(system, *(f"{values[measure]:.4f}" for measure in measures))
    results.print(table)
    results.print(f"Recall of all arms' first hundreds together: {report['union_recall']:.4f}.")


@app.command()
def experiment(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="By default the one that is configured.")] = None,
    as_json: Json = False,
) -> None:
    """Which variant of an experiment people prefer, by the closed searches of the log."""
    from app.experiment_report import report_experiment
    from app.wiring.stores import open_store

    settings = invocation(context).settings()
    store = open_store(settings.data_dir)
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
