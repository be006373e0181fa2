"""bowerbird search: one search without a server, logged nowhere."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from app.commands.common import Json, print_json, results, started_service


def search(
    context: typer.Context,
    query: str,
    size: Annotated[int, typer.Option(min=1, max=100)] = 10,
    plan: Annotated[str | None, typer.Option(help="Answer by this plan instead of the policy's choice.")] = None,
    as_json: Json = False,
) -> None:
    """Search the catalogue in this process, with the current models; nothing is logged or learned."""
    from app.service import new_query_id
    from core.types import Query

    with started_service(context) as service:
        asked = Query(id=new_query_id(), text=query, time=service.clock())
        answer = service.search(asked, size=size, plan=plan, preview=True).answer
    found = answer.candidates[:size]
    if as_json:
        hits = [
            {"position": n, "id": c.item.id, "title": c.item.fields.get("title"), "ranks": dict(c.ranks)}
            for n, c in enumerate(found, start=1)
        ]
        print_json({"plan": answer.choice.plan.name, "policy": answer.choice.policy, "hits": hits})
        return
    table = Table("", "type", "title", "found by (rank)", title=f"{query!r} by plan {answer.choice.plan.name}")
    for n, candidate in enumerate(found, start=1):
        arms = ", ".join(f"{arm} {rank}" for arm, rank in candidate.ranks.items())
        table.add_row(str(n), candidate.item.type, candidate.item.fields.get("title", candidate.item.id), arms)
    results.print(table)
