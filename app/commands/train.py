"""bowerbird train: make a model now, from what is logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from app.commands.common import Json, invocation, make_folder, print_json, progress_bar, remarks, results, write
from app.settings import CONFIGS

if TYPE_CHECKING:
    from ranking.learner import RankerLearner
    from ranking.training.child import Training
    from ranking.training.parameters import Parameters
    from ranking.training.search import Trial

app = typer.Typer(help="Make a model now, from what is logged.", no_args_is_help=True)
_LOOK_S = 0.1


@app.callback()
def group() -> None:
    """Make a model now, from what is logged."""


@app.command()
def ranker(
    context: typer.Context,
    search: Annotated[int, typer.Option(min=0, help="Try so many random settings of the search space.")] = 0,
    space: Annotated[Path, typer.Option(help="TOML: parameter -> values.")] = CONFIGS / "ranker-search.toml",
    out: Annotated[Path, typer.Option(help="Where --search writes the best setting.")] = Path("ranker-best.toml"),
    publish: Annotated[bool, typer.Option(help="Publish the model if the gate lets it pass.")] = True,
    as_json: Json = False,
) -> None:
    """Train the ranking model on all closed searches, compare it with the current one, and publish it if it passes."""
    from app.jobs.train import gathered, publish_ranker
    from ranking.training.search import read_space, settings_drawn

    settings = invocation(context).settings()
    if search:
        make_folder(out)
    learner = gathered(settings)
    if search:
        drawn = settings_drawn(read_space(space), search, base=settings.ranking.parameters, seed=settings.policy.seed)
        trials = [_tried(learner, parameters, f"setting {n} of {search}") for n, parameters in enumerate(drawn, 1)]
        best = max(trials, key=lambda trial: trial.ndcg)
        _print_trials(trials, best, as_json=as_json)
        write(out, best.parameters.to_toml())
        remarks.print(f"The best setting is written to {out}: give it with --config, or copy it to your configuration.")
        return
    training, parts = learner.train(learner.parameters)
    model = _watched(training, learner.parameters.trees, "boosting rounds")
    verdict = learner.judge(model, parts)
    release = publish_ranker(settings, model, verdict, now=time.time()) if publish and verdict.passed else None
    if as_json:
        print_json({"passed": verdict.passed, "reason": verdict.reason, "release": release})
        return
    results.print(verdict.reason)
    results.print(f"Release {release} has it." if release else "Nothing was published.")


def _tried(learner: RankerLearner, parameters: Parameters, what: str) -> Trial:
    """The held-out part decides nothing here: settings are compared by the earlier slice that training stops by."""
    from ranking.training.search import trial_of

    training, parts = learner.train(parameters)
    return trial_of(_watched(training, parameters.trees, what), parts, parameters, learner.schema)


def _watched(training: Training, trees: int, what: str) -> bytes:
    try:
        with progress_bar(what, trees) as advance:
            _follow(training, advance)
        return training.model()
    finally:
        training.stop()


def _follow(training: Training, advance: Callable[[int], Any]) -> None:
    seen = 0
    while training.running:
        time.sleep(_LOOK_S)
        done = training.rounds
        advance(done - seen)
        seen = done


def _print_trials(trials: list[Trial], best: Trial, *, as_json: bool) -> None:
    from dataclasses import asdict

    rows = [{**asdict(trial.parameters), "ndcg": trial.ndcg, "likelihood": trial.likelihood} for trial in trials]
    if as_json:
        print_json({"trials": rows, "best": trials.index(best)})
        return
    varied = [name for name in rows[0] if len({row[name] for row in rows}) > 1]
    table = Table("", *varied, title=f"{len(trials)} settings")
    for trial, row in zip(trials, rows, strict=True):
        table.add_row("*" if trial is best else "", *(f"{row[name]:.4g}" for name in varied))
    results.print(table)
