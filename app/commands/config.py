"""bowerbird config: the configuration in force."""

from __future__ import annotations

import typer

from app.commands.common import Json, invocation, print_json, results


def show(context: typer.Context, as_json: Json = False) -> None:
    """Print every configuration key with its value, and the hash that is logged with each search."""
    settings = invocation(context).settings()
    if as_json:
        print_json({"hash": settings.hash, **settings.model_dump()})
        return
    results.print(f"# hash {settings.hash}", highlight=False)
    for section, values in settings.model_dump().items():
        results.print(f"\n[{section}]", style="bold", highlight=False)
        for key, value in values.items():
            results.print(f"{key} = {value!r}", highlight=False)
