"""bowerbird db: the tables in PostgreSQL."""

from __future__ import annotations

import typer

from app.commands.common import Json, invocation, print_json, results

app = typer.Typer(help="The tables in PostgreSQL, where database.url names one.", no_args_is_help=True)


@app.callback()
def db() -> None:
    """Without this, typer would take the only command for all of them."""


@app.command()
def upgrade(context: typer.Context, as_json: Json = False) -> None:
    """Run the migrations that the database still needs. Harmless when there are none, or when several do it at once."""
    from app.wiring.database import upgrade_database

    place, count, version = upgrade_database(invocation(context).settings())
    if as_json:
        print_json({"database": place, "migrations": count, "version": version})
    else:
        results.print(f"{place}: {count} migrations run, the tables have version {version}.", highlight=False)
