"""bowerbird evaluate: judged quality here; policies and experiments in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from app.commands.common import Json, print_json, progress_bar, results, started_service
from app.commands.evaluate_examination import examination
from app.commands.evaluate_experiment import experiment
from app.commands.evaluate_policy import of_policy

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
    from app.jobs.evaluate import evaluate_retrieval
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


app.command("policy")(of_policy)
app.command()(experiment)
app.command()(examination)
