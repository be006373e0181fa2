"""The command `bowerbird`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from app.commands import (
    backup,
    config,
    db,
    demo,
    doctor,
    erase,
    evaluate,
    features,
    ingest,
    ingest_events,
    keys,
    learn,
    policy,
    quality,
    search,
    serve,
    simulate,
    train,
)
from app.commands.common import Invocation, remarks
from core.errors import BowerbirdError

app = typer.Typer(
    name="bowerbird",
    help="A search service that learns what to retrieve, not only how to order what was retrieved.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="A TOML file that says what differs from the default.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Instead of the configured service.data_dir.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what happens.")] = False,
) -> None:
    level = logging.INFO if verbose else logging.WARNING  # until `serve` and `learn` have read [logging]
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    context.obj = Invocation(config, data_dir, verbose)


app.command()(demo.demo)
app.command()(serve.serve)
app.command()(ingest.ingest)
app.command("ingest-events")(ingest_events.ingest_events)
app.command()(search.search)
app.command()(simulate.simulate)
app.add_typer(evaluate.app, name="evaluate")
app.command()(learn.learn)
app.command()(features.features)
app.add_typer(train.app, name="train")
app.add_typer(policy.app, name="policy")
app.add_typer(quality.app, name="quality")
app.add_typer(db.app, name="db")
app.add_typer(keys.app, name="keys")
app.command()(backup.export)
app.command()(backup.restore)
app.command()(doctor.doctor)
app.command()(erase.erase)
app.command("config")(config.show)


def main() -> None:
    """Exit codes: 0 done, 1 could not be done, 2 called wrongly."""
    try:
        app()
    except BowerbirdError as error:
        remarks.print(Text(error.code, "red"), error.message, sep=": ", highlight=False)
        remarks.print(error.remedy, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
