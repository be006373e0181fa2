"""bowerbird ingest: load a catalogue file."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import Json, invocation, print_json, progress_bar, remarks, results


def ingest(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="NDJSON or CSV, also .gz.")],
    mapping: Annotated[Path | None, typer.Option(help="TOML that maps columns to item fields.")] = None,
    as_json: Json = False,
) -> None:
    """Load a catalogue: good rows are stored and made ready for every arm, bad rows are reported by line.

    A running service on the same data directory shows the items within two seconds.
    """
    from app.ingest.items import BadRow, read_items, read_mapping
    from app.wiring.stores import open_catalogue, open_embeddings
    from core.types import Item
    from retrievers.document import passage

    settings = invocation(context).settings()
    mapped = read_mapping(mapping) if mapping else None
    started = time.perf_counter()
    catalogue, embeddings = open_catalogue(settings), open_embeddings(settings)
    stored, bad, seen = 0, list[BadRow](), set[str]()
    with progress_bar("items", None) as advance:
        rows = read_items(file, mapped, seen)
        while batch := list(islice(rows, 1_000)):
            items = [row for row in batch if isinstance(row, Item)]
            bad += [row for row in batch if isinstance(row, BadRow)]
            # Vectors first: a running service then finds them when it sees the items.
            embeddings.encode([passage(item) for item in items], advance)
            catalogue.put(items)
            stored += len(items)
    seconds = time.perf_counter() - started
    unseen, unmapped = (sorted(mapped.columns - seen), sorted(mapped.unmapped(seen))) if mapped else ([], [])
    if as_json:
        rejected = [{"line": row.line, "reason": row.reason} for row in bad]
        columns = {"unseen": unseen, "unmapped": unmapped}
        print_json({"stored": stored, "rejected": rejected, **columns, "seconds": seconds})
    else:
        for row in bad:
            remarks.print(f"{file}:{row.line}: {row.reason}", highlight=False, soft_wrap=True)
        if unseen:
            told = f"The mapping names columns that no row has: {', '.join(unseen)}."
            rest = f"Columns that it does not use: {', '.join(unmapped) or 'none'}."
            remarks.print(told, rest, highlight=False, soft_wrap=True)
        results.print(f"{stored} items stored, {len(bad)} rows refused, in {seconds:.1f} s.")
    if bad and not stored:
        raise typer.Exit(1)
