"""bowerbird features: what the ranker sees."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from app.commands.common import Json, print_json, results

_COLUMNS = ("name", "meaning", "unit", "range", "missing", "source", "direction")
_DIRECTION = {1: "up", -1: "down", 0: ""}


def features(
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/reference/features.md.")] = False,
) -> None:
    """Every feature of the ranker: name, meaning, unit, range, when it is missing, and where it comes from."""
    from app.wiring.arms import feature_schema

    schema = feature_schema()
    if as_json:
        print_json({"schema": schema.version, "features": [asdict(feature) for feature in schema.features]})
        return
    rows = [[str(value) for value in _row(asdict(feature))] for feature in schema.features]
    if markdown:
        typer.echo(page(rows), nl=False)
        return
    table = Table(*_COLUMNS)
    for row in rows:
        table.add_row(*row)
    results.print(table)


def page(rows: list[list[str]]) -> str:
    """The reference of features, as Markdown."""
    head = ["| " + " | ".join(cells) + " |" for cells in (_COLUMNS, ["---"] * len(_COLUMNS))]
    body = ["| " + " | ".join([f"`{row[0]}`", *row[1:]]) + " |" for row in rows]
    return "\n".join([*_INTRODUCTION, *head, *body, ""])


def _row(declared: dict[str, object]) -> list[object]:
    return [_DIRECTION[declared[c]] if c == "direction" else declared[c] for c in _COLUMNS]  # type: ignore[index]


_INTRODUCTION = (
    "# Features of the ranker",
    "",
    "Made by `bowerbird features --markdown`. One row of these figures is computed for every candidate of a search,",
    "logged with the impression as 32-bit floats, and never computed again for training. Missing figures are NaN,",
    "which the trees handle as a case of its own; an empty cell under `missing` means never. `direction`: `up` where a",
    "higher value may never lower a score, `down` the other way round.",
    "",
)
