"""An experiment while it runs: who is in it, which variant answers, and how the answer is marked for the log."""

from __future__ import annotations

from dataclasses import replace

from app.interleave import interleave
from app.pipeline import Answer, Pipeline
from app.serving import Experiment, Serving
from bandit.experiments.assignment import assign, unit
from core.types import Plan, Query


def conduct(pipeline: Pipeline, query: Query, serving: Serving, *, plan: Plan | None = None) -> Answer:
    """The answer that the running experiment has for the query, or what is served; by a given `plan`, no experiment."""
    answer = _answer(serving.experiment, pipeline, query) if serving.experiment and plan is None else None
    return pipeline.answer(query, serving, plan=plan) if answer is None else answer


def _answer(experiment: Experiment, pipeline: Pipeline, query: Query) -> Answer | None:
    """None for a client who takes no part."""
    share = experiment.share
    taking = assign(experiment.name, unit(query), {"out": 1 - share, "in": share}) == "in"
    if experiment.kind == "ab":
        variant, serving = ("second", experiment.second) if taking else ("first", experiment.first)
        return replace(pipeline.answer(query, serving), experiment=f"{experiment.name}:{variant}")
    if not taking:
        return None
    first, second = pipeline.answer(query, experiment.first), pipeline.answer(query, experiment.second)
    return replace(interleave(first, second, seed=experiment.seed), experiment=f"{experiment.name}:both")
