"""bowerbird policy: what serves, what there is, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from app.commands import plans
from app.commands.common import Json, invocation, print_json, results, started_service

app = typer.Typer(help="Look at the policy and its releases, or go back to an earlier one.", no_args_is_help=True)
app.add_typer(plans.app, name="plans")


@app.command("list")
def list_releases(context: typer.Context, as_json: Json = False) -> None:
    """All model releases, the current one marked."""
    from app.wiring.stores import open_registry

    registry = open_registry(invocation(context).settings().data_dir)
    current = registry.current()
    rows = [
        {
            "number": release.number,
            "created": datetime.fromtimestamp(release.created, UTC).isoformat(timespec="seconds"),
            "components": {name: digest[:10] for name, digest in release.components.items()},
            "notes": dict(release.notes),
            "current": current is not None and release.number == current.number,
        }
        for release in registry.releases()
    ]
    if as_json:
        print_json(rows)
        return
    if not rows:
        results.print("No release yet: nothing has been learned. `bowerbird doctor` tells what is missing.")
    table = Table("", "release", "created", "components")
    for row in rows:
        parts = ", ".join(f"{name} {digest}" for name, digest in row["components"].items())  # type: ignore[attr-defined]
        table.add_row("*" if row["current"] else "", str(row["number"]), str(row["created"]), parts)
    if rows:
        results.print(table)


@app.command()
def show(
    context: typer.Context,
    query: Annotated[str, typer.Option(help="The query to choose a plan for.")] = "love",
    as_json: Json = False,
) -> None:
    """The probability of every plan for a query, under the policy that serves."""
    from app.service import new_query_id
    from core.types import Query

    with started_service(context) as service:
        asked = Query(id=new_query_id(), text=query, time=service.clock())
        policy = service.serving.policy
        chances = policy.propensities(asked, service.pipeline.context(asked))
    if as_json:
        print_json({"policy": policy.version, "query": query, "propensities": dict(chances)})
        return
    table = Table("plan", "depths", "probability", title=f"{policy.version} for {query!r}")
    for name, chance in sorted(chances.items(), key=lambda entry: -entry[1]):
        depths = ", ".join(f"{arm} {depth}" for arm, depth in service.plans[name].depths.items())
        table.add_row(name, depths, f"{chance:.4f}")
    results.print(table)


@app.command()
def rollback(context: typer.Context, number: int) -> None:
    """Make an earlier release current; running services follow within a second.

    The learner goes on publishing: stop it, or raise its thresholds, if the next release should not come.
    """
    from app.wiring.stores import open_registry

    release = open_registry(invocation(context).settings().data_dir).activate(number)
    results.print(f"Release {release.number} is current.")
