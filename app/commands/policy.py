"""bowerbird policy: what serves, what there is, and the way back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from app.commands import plans
from app.commands.common import Json, invocation, print_json, results, started_service
from app.commands.rollout import described, group_json, iso, print_decision, print_groups, print_rollout

app = typer.Typer(help="Look at the policy and its releases, or go back to an earlier one.", no_args_is_help=True)
app.add_typer(plans.app, name="plans")


@app.command("list")
def list_releases(context: typer.Context, as_json: Json = False) -> None:
    """All model releases, the current one marked, and how the rollout stands: roles, decisions and their reasons."""
    from app.wiring.stores import open_registry

    settings = invocation(context).settings()
    registry = open_registry(settings)
    current = registry.current()
    rollout = described(settings)
    rows = [
        {
            "number": release.number,
            "created": iso(release.created),
            "components": {name: digest[:10] for name, digest in release.components.items()},
            "notes": dict(release.notes),
            "current": current is not None and release.number == current.number,
        }
        for release in registry.releases()
    ]
    if as_json:
        print_json({"releases": rows, **rollout})
        return
    if rollout:
        print_rollout(rollout)
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
    """The probability of every plan for a query, under the policy that serves; and how the groups of a rollout do."""
    from app.jobs.rollout_operator import group_figures
    from app.service import new_query_id
    from bandit.rollouts.staged import StagedPolicy
    from core.types import Query

    with started_service(context) as service:
        asked = Query(id=new_query_id(), text=query, time=service.clock())
        policy = service.serving.policy
        if isinstance(policy, StagedPolicy):
            policy = policy.champion
        chances = policy.propensities(asked, service.pipeline.context(asked))
    settings = invocation(context).settings()
    groups = group_figures(settings) if settings.rolls_out else {}
    if as_json:
        found = {"policy": policy.version, "query": query, "propensities": dict(chances)}
        print_json({**found, **({"groups": {role: group_json(each) for role, each in groups.items()}})})
        return
    table = Table("plan", "depths", "probability", title=f"{policy.version} for {query!r}")
    for name, chance in sorted(chances.items(), key=lambda entry: -entry[1]):
        depths = ", ".join(f"{arm} {depth}" for arm, depth in service.plans[name].depths.items())
        table.add_row(name, depths, f"{chance:.4f}")
    results.print(table)
    if groups:
        print_groups(groups)


@app.command()
def promote(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Whatever gate and guardrails say.")] = False,
    as_json: Json = False,
) -> None:
    """Move the candidate one stage up; from the last one it becomes the champion."""
    from app.jobs.rollout_operator import promote_candidate

    print_decision(promote_candidate(invocation(context).settings(), force=force), as_json=as_json)


@app.command()
def rollback(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="A release; without one, the rollout goes a step back.")] = None,
    ranker: Annotated[
        bool, typer.Option("--ranker", help="The ranking model: drop its candidate, or the one before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an earlier release current, or drop the candidate, or return to the champion before.

    Running services follow within a second. The learner goes on publishing: stop it, or raise its thresholds, if the
    next release should not come.
    """
    from app.jobs.rollout_operator import take_back
    from app.jobs.train import take_back_ranker
    from app.wiring.stores import open_registry

    settings = invocation(context).settings()
    if ranker:
        told = take_back_ranker(settings)
        print_json({"told": told}) if as_json else results.print(told)
        return
    if number is None:
        print_decision(take_back(settings), as_json=as_json)
        return
    release = open_registry(settings).activate(number)
    if as_json:
        print_json({"release": release.number})
    else:
        results.print(f"Release {release.number} is current.")
