"""An experiment while it runs: who is in it, which variant answers, and how the answer is marked for the log."""

from __future__ import annotations

from dataclasses import replace

from app.search.answer import Answer
from app.search.interleave import interleave
from app.search.pipeline import Pipeline
from app.search.request_clock import RequestClock
from app.search.serving import Experiment, Serving
from bandit.experiments.assignment import assign, unit
from core.types import Plan, Query


def conduct(
    pipeline: Pipeline,
    query: Query,
    serving: Serving,
    *,
    plan: Plan | None = None,
    clock: RequestClock | None = None,
) -> Answer:
    """The answer that the running experiment has for the query, or what is served; by a given `plan`, no experiment."""
    answer = _answer(serving.experiment, pipeline, query, clock) if serving.experiment and plan is None else None
    return pipeline.answer(query, serving, plan=plan, clock=clock) if answer is None else answer


def _answer(experiment: Experiment, pipeline: Pipeline, query: Query, clock: RequestClock | None) -> Answer | None:
    """None for a client who takes no part."""
    share = experiment.share
    taking = assign(experiment.name, unit(query), {"out": 1 - share, "in": share}) == "in"
    if experiment.kind == "ab":
        variant, serving = ("second", experiment.second) if taking else ("first", experiment.first)
        return replace(pipeline.answer(query, serving, clock=clock), experiment=f"{experiment.name}:{variant}")
    if not taking:
        return None
    variants = (experiment.first, experiment.second)
    first, second = (pipeline.answer(query, variant, clock=clock) for variant in variants)
    return replace(interleave(first, second, seed=experiment.seed), experiment=f"{experiment.name}:both")
