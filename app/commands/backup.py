"""bowerbird export and restore: a copy of all that cannot be made again, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import Json, invocation, print_json, results


def export(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help="A new folder, or a new file whose name ends in .tar.")],
    as_json: Json = False,
) -> None:
    """Copy catalogue, events, judgments, models and configuration. The service may go on meanwhile."""
    from app.operating.backup import export as copy

    called = invocation(context)
    backup = copy(called.settings(), called.config, target)
    if as_json:
        print_json({"target": str(target), "files": backup.files, "config": backup.config})
    else:
        results.print(f"{len(backup.files)} files are in {target}.", highlight=False, soft_wrap=True)


def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="What `bowerbird export` wrote.")],
    as_json: Json = False,
) -> None:
    """Put a copy into an empty data directory. Every file is checked before any is written."""
    from app.operating.backup import restore as put_back

    data_dir = invocation(context).settings().data_dir
    backup = put_back(source, data_dir)
    if as_json:
        print_json({"data_dir": str(data_dir), "files": backup.files, "config": backup.config})
        return
    results.print(f"{len(backup.files)} files are in {data_dir}.", highlight=False, soft_wrap=True)
    if (data_dir / "config.toml").is_file():
        results.print(f"The configuration is {data_dir / 'config.toml'}: name it with --config.", soft_wrap=True)
