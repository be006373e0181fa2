"""The way of a query: choose a plan, ask its arms, unite, compute features once, rank, and freeze what was shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.fanout import fan_out
from app.serving import Serving
from core.errors import BowerbirdError
from core.protocols import Policy, Ranker, Retriever
from core.types import ArmReport, Candidate, Choice, Features, Impression, Item, ItemId, Plan, Query
from ranking.features.extractor import FeatureExtractor
from ranking.rrf import ReciprocalRankFusion
from retrievers.union import union

log = logging.getLogger(__name__)

FALLBACK_ARM = "popular"
_FALLBACK_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """Candidates in final order with their scores and features, and how they came about.

    `experiment` and `teams` are those of an Impression, for all candidates.
    """

    query: Query
    choice: Choice
    context: Features
    candidates: tuple[Candidate, ...]
    scores: NDArray[np.float64]
    features: Features
    arms: Mapping[str, ArmReport]
    ranker: str
    release: int
    experiment: str = ""
    teams: tuple[int, ...] = ()

    def impression(self, *, start: int, size: int, config: str) -> Impression:
        """The page [start, start + size) as it is shown and logged."""
        page = self.candidates[start : start + size]
        return Impression(
            query=self.query,
            choice=self.choice,
            context=self.context,
            shown=tuple(candidate.item.id for candidate in page),
            features=Features(self.features.names, self.features.values[start : start + size]),
            ranks={arm: tuple(candidate.ranks.get(arm, 0) for candidate in page) for arm in self.arms},
            arms=self.arms,
            ranker=self.ranker,
            release=self.release,
            config=config,
            first_position=start + 1,
            experiment=self.experiment,
            teams=self.teams[start : start + size],
        )


class Pipeline:
    """Pure towards the outside: it reads models and indexes, and changes nothing."""

    def __init__(
        self,
        *,
        arms: Mapping[str, Retriever],
        items: Mapping[ItemId, Item],
        extractor: FeatureExtractor,
        context: Callable[[Query, Mapping[str, Mapping[str, float]]], Features],
        fallback: Policy,
        pool: Executor,
        deadline_ms: float,
    ) -> None:
        self._arms = arms
        self._items = items
        self._extractor = extractor
        self._context = context
        self._fallback = fallback
        self._pool = pool
        self._deadline_ms = deadline_ms
        self._last_resort = ReciprocalRankFusion()

    def context(self, query: Query) -> Features:
        """What the policy sees: the query's own features and the signals of every arm that has any."""
        return self._context(query, {name: self._signals(arm, query) for name, arm in self._arms.items()})

    def answer(
        self, query: Query, serving: Serving, *, plan: Plan | None = None, ranker: Ranker | None = None
    ) -> Answer:
        """Answer with the policy's plan, or with the given one (propensity 1, policy `forced`)."""
        context = self.context(query)
        choice = Choice(plan, 1.0, "forced") if plan else self._choose(serving.policy, query, context)
        answers, reports = fan_out(self._pool, self._arms, choice.plan, query, deadline_ms=self._deadline_ms)
        if not any(answers.values()):
            # Nothing found, or every arm absent: what is popular, and the log says that it was asked.
            last = Plan("fallback", {FALLBACK_ARM: _FALLBACK_DEPTH})
            found, report = fan_out(self._pool, self._arms, last, query, deadline_ms=self._deadline_ms)
            answers, reports = {**answers, **found}, {**reports, **report}
        candidates = union(answers, self._items)
        features = self._extractor.extract(query, candidates)
        scores, version = self._rank(ranker or serving.ranker, candidates, features)
        order = np.argsort(-scores, kind="stable")
        return Answer(
            query=query,
            choice=choice,
            context=context,
            candidates=tuple(candidates[row] for row in order),
            scores=scores[order],
            features=Features(features.names, features.values[order]),
            arms=reports,
            ranker=version,
            release=serving.release,
        )

    def _signals(self, arm: Retriever, query: Query) -> Mapping[str, float]:
        try:
            return arm.signals(query)
        except Exception:  # search goes on; the missing names tell the policy and its learner to leave the row out
            log.exception("arm %s has no signals for query %s", arm.name, query.id)
            return {}

    def _choose(self, policy: Policy, query: Query, context: Features) -> Choice:
        try:
            return policy.choose(query, context)
        except BowerbirdError as error:  # trained on other context features: an arm was added or removed
            log.error("policy %s cannot choose (%s), %s does", policy.version, error.message, self._fallback.version)
            return self._fallback.choose(query, context)

    def _rank(self, ranker: Ranker, candidates: list[Candidate], features: Features) -> tuple[NDArray[np.float64], str]:
        try:
            return ranker.score(candidates, features), ranker.version
        except Exception:  # a broken model must not take search down; RRF needs nothing learned
            log.exception("ranker %s failed, reciprocal rank fusion answers", ranker.version)
            return self._last_resort.score(candidates, features), self._last_resort.version
