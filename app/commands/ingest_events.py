"""bowerbird ingest-events: load what people did with another search engine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.common import Json, invocation, print_json, progress_bar, remarks, results
from core.errors import InvalidInput, unknown

if TYPE_CHECKING:
    from app.ingest.events import Report


def ingest_events(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="One JSON object a line, also .gz; queries and events together.")],
    format_: Annotated[str, typer.Option("--format", help="ubi, algolia or metarank.")] = "ubi",
    as_json: Json = False,
) -> None:
    """Load the event files of another system: what it showed becomes searches, what people did becomes feedback.

    Loading a file again changes nothing. Counts every row that was not taken, with the reason.
    """
    from app.ingest.events import FORMATS, EventFiles
    from app.web.user_ids import UserIds
    from app.wiring.stores import open_store

    if format_ not in FORMATS:
        raise InvalidInput("unknown_format", unknown("format", format_, FORMATS), "Name one of these with --format.")
    settings = invocation(context).settings()
    store = open_store(settings)
    try:
        with progress_bar("rows, read twice", None) as advance:
            loading = EventFiles(
                files,
                FORMATS[format_],
                hashed=UserIds(settings.data_dir).hashed,
                received=time.time(),
                advance=advance,
            )
            report = loading.load(store, settings.feedback.weights, settings.hash)
    finally:
        store.close()
    if as_json:
        print_json(report.figures())
    else:
        _print(report)
    if report.refused and not (report.pages or report.known_pages or report.events or report.duplicates):
        raise typer.Exit(1)


def _print(report: Report) -> None:
    for example in report.examples:
        remarks.print(example, highlight=False, soft_wrap=True)
    results.print(f"{report.pages} searches stored, {report.known_pages} known before.")
    results.print(f"{report.events} events stored, {report.duplicates} known before.")
    parts = (("refused", report.refused), ("not used", report.not_used), ("unknown field", report.unknown_fields))
    for what, counts in parts:
        for reason, count in counts.most_common():
            results.print(f"{what}: {reason}: {count}", highlight=False)
