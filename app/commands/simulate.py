"""bowerbird simulate: watch the loop learn from simulated clicks on rated queries."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from app.commands.common import DRAWN, Json, invocation, print_json, progress_bar, remarks, results


def simulate(
    context: typer.Context,
    qrels: Annotated[Path, typer.Option(help="Ratings of the queries in the traffic.")],
    heldout_qrels: Annotated[Path, typer.Option(help="Ratings of queries that are never asked.")],
    rounds: Annotated[int, typer.Option(min=10, help="How many searches.")] = 5_000,
    seed: int = 1,
    png: Annotated[Path, DRAWN] = Path("simulation.png"),
    as_json: Json = False,
) -> None:
    """Zipf traffic with position-based, noisy clicks on the true ratings, through the real pipeline and learner."""
    from app.jobs.charts import learning_curve
    from app.jobs.simulate import simulate as run
    from ranking.metrics import read_judgments

    traffic, heldout = read_judgments(qrels), read_judgments(heldout_qrels)
    settings = invocation(context).settings()
    with tempfile.TemporaryDirectory() as state, progress_bar("searches", rounds) as advance:
        result = run(settings, Path(state), traffic, heldout, rounds=rounds, seed=seed, progress=advance)
    if as_json:
        print_json(result)
    else:
        _print(result)
    learning_curve(result, png)
    remarks.print(f"The curve is drawn in {png}.")


def _print(result: Mapping[str, Any]) -> None:
    table = Table("searches", "nDCG@10 traffic", "nDCG@10 held out", "reward", "arms asked", caption=result["stated"])
    day0 = result["day0"]
    table.add_row("0", f"{day0['traffic']['nDCG@10']:.4f}", f"{day0['heldout']['nDCG@10']:.4f}", "", "")
    for point in result["curve"]:
        arms = ", ".join(f"{arm} {share:.0%}" for arm, share in point["arms"].items())
        quality = [f"{point[part]['nDCG@10']:.4f}" for part in ("traffic", "heldout")]
        table.add_row(str(point["round"]), *quality, f"{point['reward']:.3f}", arms)
    results.print(table)
