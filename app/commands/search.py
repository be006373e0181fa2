"""bowerbird search: one search without a server, logged nowhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from app.commands.common import Json, print_json, results, started_service

if TYPE_CHECKING:
    from app.search.answer import Answer
    from app.search.explanation import Explanation

_TOLD = 8  # features of a hit in the table


def search(
    context: typer.Context,
    query: str,
    size: Annotated[int, typer.Option(min=1, max=100)] = 10,
    plan: Annotated[str | None, typer.Option(help="Answer by this plan instead of the policy's choice.")] = None,
    explained: Annotated[bool, typer.Option("--explain", help="What made the score of each hit.")] = False,
    as_json: Json = False,
) -> None:
    """Search the catalogue in this process, with the current models; nothing is logged or learned."""
    from app.search.explanation import explain
    from app.service import new_query_id
    from core.types import Query

    with started_service(context) as service:
        asked = Query(id=new_query_id(), text=query, time=service.clock())
        answer = service.search(asked, size=size, plan=plan, preview=True).answer
        rows = range(len(answer.candidates[:size]))
        explanations = explain(answer, rows, service.recall, service.quality_words) if explained else []
    if as_json:
        print_json(_document(answer, size, explanations))
        return
    results.print(_table(answer, size))
    for row, explanation in enumerate(explanations):
        results.print(_explained(answer, row, explanation))


def _document(answer: Answer, size: int, explanations: list[Explanation]) -> dict[str, Any]:
    from app.search.explanation import quality_json

    hits: list[dict[str, Any]] = [
        {"position": n, "id": c.item.id, "title": c.item.fields.get("title"), "ranks": dict(c.ranks)}
        for n, c in enumerate(answer.candidates[:size], start=1)
    ]
    for row, explanation in enumerate(explanations):
        memory = explanation.memory
        quality = explanation.quality and quality_json(explanation.quality)
        remembered = memory and {**memory._asdict(), "prior": memory.prior}
        told = {**asdict(explanation), "memory": remembered, "quality": quality}
        hits[row] |= {"score": float(answer.scores[row]), "explanation": told}
    return {"plan": answer.choice.plan.name, "policy": answer.choice.policy, "hits": hits}


def _table(answer: Answer, size: int) -> Table:
    table = Table(
        "", "type", "title", "found by (rank)", title=f"{answer.query.text!r} by plan {answer.choice.plan.name}"
    )
    for n, candidate in enumerate(answer.candidates[:size], start=1):
        arms = ", ".join(f"{arm} {rank}" for arm, rank in candidate.ranks.items())
        table.add_row(str(n), candidate.item.type, candidate.item.fields.get("title", candidate.item.id), arms)
    return table


def _explained(answer: Answer, row: int, explanation: Explanation) -> Table:
    """The largest contributions, the sum of the others, and what else is to be said of the hit."""
    item = answer.candidates[row].item
    title = f"{row + 1}. {item.fields.get('title', item.id)}: score {answer.scores[row]:.4f}"
    table = Table("feature", "value", "adds", title=title, caption=_remarks(row, explanation), title_justify="left")
    parts = list(explanation.features.items())
    for name, part in parts[:_TOLD]:
        table.add_row(name, "" if part.value is None else f"{part.value:.4g}", f"{part.contribution:+.4f}")
    others = sum(part.contribution for _, part in parts[_TOLD:])
    table.add_row(f"{len(parts[_TOLD:])} others", "", f"{others:+.4f}")
    table.add_row("base", "", f"{explanation.base:+.4f}")
    return table


def _remarks(row: int, explanation: Explanation) -> str:
    remarks = []
    if explanation.ranked != row + 1:
        remarks.append(f"the ranker had it at {explanation.ranked}")
    if explanation.held_back:
        remarks.append(f"held back: {explanation.held_back}")
    if memory := explanation.memory:
        remarks.append(
            f"memory: prior {memory.prior:.3f}, gain {memory.gain:.2f} of {memory.examined:.2f} examined, "
            f"posterior {memory.posterior:.3f}"
        )
    if quality := explanation.quality:
        sides = (("praised", quality.positive), ("blamed", quality.negative))
        remarks += [f"{how}: {', '.join(each.term for each in terms)}" for how, terms in sides if terms]
    return "; ".join(remarks)
