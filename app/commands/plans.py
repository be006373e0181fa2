"""bowerbird policy plans: a library of plans, made from what was logged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.common import Json, invocation, make_folder, print_json, results, write

if TYPE_CHECKING:
    from bandit.building.plan_builder import BuiltPlan

app = typer.Typer(help="Make the plans that the policy chooses from.", no_args_is_help=True)


@app.command()
def build(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Where to write the TOML that a configuration can hold.")],
    size: Annotated[int, typer.Option(help="How many plans, 16 to 48.")] = 24,
    as_json: Json = False,
) -> None:
    """Build complementary plans from shadow traffic, and write them as `retrieval.plans` of a configuration."""
    from app.wiring.plans import ARMS
    from app.wiring.stores import closed_episodes
    from bandit.building.plan_builder import build_plans
    from bandit.building.shadowed_pages import ShadowedPages

    settings = invocation(context).settings()
    make_folder(out)
    pages = ShadowedPages.of(closed_episodes(settings), ARMS, settings.shadow.depth)
    plans = build_plans(pages, size=size, cost_per_ms=settings.policy.cost_per_ms, seed=settings.policy.seed)
    write(out, toml(plans, clicks=len(pages.clicks)))
    if as_json:
        rows = [
            {
                "name": each.plan.name,
                "depths": dict(each.plan.depths),
                "reward": each.reward,
                "coverage": each.coverage,
                "cost_ms": each.cost_ms,
            }
            for each in plans
        ]
        print_json({"clicks": len(pages.clicks), "searches": pages.searches, "plans": rows})
    else:
        results.print(f"{len(plans)} plans from {len(pages.clicks)} clicked items are in {out}.")


def toml(plans: Sequence[BuiltPlan], *, clicks: int) -> str:
    """A [retrieval] section with these plans, of which the first is the default; a comment says what each is worth."""
    lines = [
        f"# Built from {clicks} clicked items of searches with a shadow: what a plan would have earned, and",
        "# the share of those items that it finds.",
        "[retrieval]",
        f'default_plan = "{plans[0].plan.name}"',
        "",
        "[retrieval.plans]",
    ]
    for each in plans:
        depths = ", ".join(f"{arm} = {depth}" for arm, depth in each.plan.depths.items())
        line = f"{each.plan.name} = {{ {depths} }}"
        lines.append(f"{line}  # reward {each.reward:.3f}, coverage {each.coverage:.3f}, {each.cost_ms:.2f} ms")
    return "\n".join(lines) + "\n"
