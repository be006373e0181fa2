"""An experiment while it runs: who is in it, which variant answers, and how the answer is marked for the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from app.interleave import interleave
from app.pipeline import Answer, Pipeline, Serving
from bandit.experiments.assignment import assign, unit
from core.types import Plan, Query


@dataclass(frozen=True, slots=True)
class Experiment:
    """Two variants of what serves. `share` is that of the clients who get the second, or interleaved answers."""

    kind: Literal["ab", "interleave"]
    name: str
    first: Serving
    second: Serving
    share: float
    seed: int

    def answer(self, pipeline: Pipeline, query: Query) -> Answer | None:
        """None for a client who takes no part."""
        taking = assign(self.name, unit(query), {"out": 1 - self.share, "in": self.share}) == "in"
        if self.kind == "ab":
            variant = "second" if taking else "first"
            return self._marked(pipeline.answer(query, self.second if taking else self.first), variant)
        if not taking:
            return None
        first, second = pipeline.answer(query, self.first), pipeline.answer(query, self.second)
        return self._marked(interleave(first, second, seed=self.seed), "both")

    def _marked(self, answer: Answer, variant: str) -> Answer:
        return replace(answer, experiment=f"{self.name}:{variant}")


def conduct(pipeline: Pipeline, query: Query, serving: Serving, *, plan: Plan | None = None) -> Answer:
    """The answer that the running experiment has for the query, or what is served; by a given `plan`, no experiment."""
    answer = serving.experiment.answer(pipeline, query) if serving.experiment and plan is None else None
    return pipeline.answer(query, serving, plan=plan) if answer is None else answer
