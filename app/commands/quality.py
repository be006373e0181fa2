"""bowerbird quality: quality from customers' words, and what people who compare items say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from app.commands.common import Json, Picture, invocation, print_json, remarks, results

if TYPE_CHECKING:
    from app.jobs.quality import QualityBuild

app = typer.Typer(help="Learn what customers' words say of quality, and check it with judges.", no_args_is_help=True)


@app.command()
def build(context: typer.Context, as_json: Json = False) -> None:
    """Make a quality model from the catalogue and publish it; find pairs to judge in the log."""
    from app.jobs.quality import build_quality

    built = build_quality(invocation(context).settings())
    if as_json:
        print_json(
            {
                "release": built.release,
                "items": len(built.model.items),
                "rated": int((built.model.reviews > 0).sum()),
                "priced": int(built.model.priced.sum()),
                "terms": {kind: len(found) for kind, found in built.terms.items()},
                "sources": built.sources,
                "pairs": built.pairs,
            }
        )
        return
    _print(built)


def _print(built: QualityBuild) -> None:
    if not built.model.items:
        results.print("No item has a review or a question. See docs/how-to/use-quality.md.")
        return
    table = Table("category", "terms", "by sellers", "by reviews", "by questions", "the strongest")
    for kind, shares in sorted(built.sources.items()):
        found = built.terms[kind]
        percent = [f"{shares[source]:.0%}" for source in ("seller", "review", "question")]
        table.add_row(kind, str(len(found)), *percent, ", ".join(term.text for term in found[:5]))
    results.print(table)
    results.print(
        f"Release {built.release}: {len(built.model.items)} items that customers have written about,"
        f" {int((built.model.reviews > 0).sum())} with reviews. {built.pairs} pairs to judge."
    )


@app.command()
def report(
    context: typer.Context,
    png: Picture = None,
    as_json: Json = False,
) -> None:
    """What the judgments show: sources of the terms, judged quality against price, and against purchase."""
    from app.jobs.quality_report import quality_report

    found = quality_report(invocation(context).settings())
    if as_json:
        print_json(found)
    else:
        _print_report(found)
    if png:
        from app.jobs.charts import quality_judged

        quality_judged(found, png)
        remarks.print(f"The report is drawn in {png}.")


def _print_report(found: dict[str, Any]) -> None:
    if not found["judgments"]:
        results.print("No judgment yet: GET /v1/quality/pairs offers pairs, after `bowerbird quality build`.")
        return
    sources = Table("terms by source", "chosen", "offered", title=f"{found['judgments']} judgments")
    for source, shares in found["sources"].items():
        sources.add_row(source, _percent(shares["chosen"]), _percent(shares["offered"]))
    results.print(sources)
    figures = Table("figure", "value", "low", "high", "of")
    price = found["price"]
    values = (_number(price[name]) for name in ("correlation", "low", "high"))
    figures.add_row("judged quality with log price, correlation", *values, f"{price['items']} items")
    for name, each in found["purchase"].items():
        values = (_number(each[key]) for key in ("accuracy", "low", "high"))
        figures.add_row(f"{name} foretells what was taken", *values, f"{each['pairs']} pairs")
    results.print(figures)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
