"""bowerbird keys: who may call the HTTP service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from app.commands.common import Json, invocation, print_json, remarks, results
from app.web.keys import Key, Keys

app = typer.Typer(help="Make, list and revoke the API keys of the HTTP service.", no_args_is_help=True)


@app.command()
def create(
    context: typer.Context,
    scope: Annotated[list[str], typer.Option(help="search, events or admin; may be given several times.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    rate: Annotated[float | None, typer.Option(min=0.001, help="Requests a second; else as configured.")] = None,
    burst: Annotated[int | None, typer.Option(min=1, help="Requests at once; else as configured.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key and show its token, this once: only a hash is kept. A running service knows it at once."""
    key, token = _keys(context).create(scope, name=name, rate=rate, burst=burst)
    if as_json:
        print_json({**_shown(key), "token": token})
        return
    remarks.print(f"Key {key.id} for {', '.join(key.scopes)}. Its token, shown this once:", highlight=False)
    results.print(token, highlight=False, soft_wrap=True)


@app.command("list")
def list_keys(context: typer.Context, as_json: Json = False) -> None:
    """All keys, without their tokens."""
    known = (_keys(context).read() or {}).values()
    if as_json:
        print_json([_shown(key) for key in known])
        return
    table = Table("id", "name", "scopes", "created", "rate", "burst")
    for key in known:
        limits = ["as configured" if limit is None else f"{limit:g}" for limit in (key.rate, key.burst)]
        table.add_row(key.id, key.name, ", ".join(key.scopes), _date(key), *limits)
    results.print(table if known else "No keys: the service listens on loopback only.")


@app.command()
def revoke(context: typer.Context, key_id: Annotated[str, typer.Argument(help="As `keys list` shows it.")]) -> None:
    """End a key; a running service refuses it from the next request on."""
    keys = _keys(context)
    gone = keys.revoke(key_id)
    results.print(f"Key {gone.id} ({gone.name or 'without a name'}) is revoked.", highlight=False)
    if not keys.read():
        remarks.print("It was the last one: every request is refused until you make another.")


def _keys(context: typer.Context) -> Keys:
    return Keys(invocation(context).settings().data_dir)


def _shown(key: Key) -> dict[str, Any]:
    limits = {name: limit for name, limit in (("rate", key.rate), ("burst", key.burst)) if limit is not None}
    return {"id": key.id, "name": key.name, "scopes": key.scopes, "created": _date(key), **limits}


def _date(key: Key) -> str:
    return datetime.fromtimestamp(key.created, UTC).isoformat(timespec="seconds")
