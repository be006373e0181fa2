"""The way of a query: choose a plan, ask its arms, unite, compute features once, rank, read, diversify, and freeze."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from app.search.answer import Answer
from app.search.fanout import FanOut
from app.search.last_resort import NAME as LAST_RESORT
from app.search.last_resort import LastResort
from app.search.neural import NeuralStage
from app.search.ranked import Ranked
from app.search.request_clock import RequestClock
from app.search.serving import Serving
from core.errors import BowerbirdError, Unavailable
from core.protocols import Policy, Ranker, Retriever
from core.types import ArmReport, ArmStatus, Candidate, Choice, Features, Item, ItemId, Plan, Query
from core.union import Union
from ranking.diversity import Diversity
from ranking.features.extractor import FeatureExtractor
from ranking.rrf import ReciprocalRankFusion
from retrievers.union import union

log = logging.getLogger(__name__)

FALLBACK_ARM = "popular"
_FALLBACK_DEPTH = 100


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
        fan_out: FanOut,
        neural: NeuralStage | None = None,
        diversity: Diversity | None = None,
    ) -> None:
        self._arms = arms
        self._items = items
        self._extractor = extractor
        self._context = context
        self._fallback = fallback
        self._fan_out = fan_out
        self._last_resort = LastResort(fan_out, items, arm=FALLBACK_ARM)
        self._neural = neural
        self._diversity = diversity
        self._fusion = ReciprocalRankFusion()

    def context(self, query: Query) -> Features:
        """What the policy sees: the query's own features and the signals of every arm that has any."""
        return self._context(query, {name: self._signals(arm, query) for name, arm in self._arms.items()})

    def answer(
        self,
        query: Query,
        serving: Serving,
        *,
        plan: Plan | None = None,
        ranker: Ranker | None = None,
        clock: RequestClock | None = None,
    ) -> Answer:
        """Answer with the policy's plan, or with the given one (propensity 1, policy `forced`).

        With a given `ranker`, the order is its own: nothing comes after it. `clock` says how long all of it may take.
        Unavailable when no arm answers and nothing is known to be popular.
        """
        clock = clock or RequestClock()
        context = self.context(query)
        clock.lap("context")
        choice = Choice(plan, 1.0, "forced") if plan else self._choose(serving.policy, query, context)
        clock.lap("choose")
        candidates, reports = self._ask(choice.plan, query, clock)
        features = self._extractor.extract(query, candidates)
        clock.lap("features")
        ranked = self._rank(ranker or serving.ranker, candidates, features)
        clock.lap("rank")
        if ranker is None:
            ranked = self._diversify(query, self._read(query, ranked, clock))
            clock.lap("after")
        return Answer(
            query=query,
            choice=choice,
            context=context,
            ranked=ranked,
            arms=reports,
            release=serving.release,
        )

    def prepare(self, now: float) -> None:
        """Get ready for the time when no arm answers."""
        self._last_resort.refresh(now)

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

    def _ask(self, plan: Plan, query: Query, clock: RequestClock) -> tuple[Union, dict[str, ArmReport]]:
        answers, reports = self._fan_out(plan, query, left_s=clock.left_s())
        clock.lap("arms")
        candidates = union(answers, self._items)
        if not candidates:
            # Nothing found, or every arm absent: what is popular, and the log says that it was asked.
            last = Plan("fallback", {FALLBACK_ARM: _FALLBACK_DEPTH})
            found, report = self._fan_out(last, query, left_s=clock.left_s())
            answers, reports = {**answers, **found}, {**reports, **report}
            candidates = union(answers, self._items)
            candidates = candidates or self._without_arms(query, reports)
        clock.lap("union")
        return candidates, reports

    def _without_arms(self, query: Query, reports: dict[str, ArmReport]) -> Union:
        """What was popular, or nothing; Unavailable when no arm has said that there is nothing."""
        found = self._last_resort(query, _FALLBACK_DEPTH)
        if not found and self._items and all(report.status is not ArmStatus.OK for report in reports.values()):
            message = "No arm answers, and nothing is known to be popular for this query."
            raise Unavailable("no_arm_answers", message, "Try again in a few seconds; /healthz tells what is wrong.")
        if found:
            reports[LAST_RESORT] = ArmReport(ArmStatus.OK, _FALLBACK_DEPTH, len(found), 0.0)
        return union({LAST_RESORT: found}, self._items)

    def _rank(self, ranker: Ranker, candidates: Sequence[Candidate], features: Features) -> Ranked:
        try:
            return Ranked.of(ranker, candidates, ranker.score(candidates, features), features)
        except Exception:  # a broken model must not take search down; RRF needs nothing learned
            log.exception("ranker %s failed, reciprocal rank fusion answers", ranker.version)
            return Ranked.of(self._fusion, candidates, self._fusion.score(candidates, features), features)

    def _read(self, query: Query, ranked: Ranked, clock: RequestClock) -> Ranked:
        if self._neural is None or not query.text.strip() or not ranked.candidates:
            return ranked
        return self._neural(query, ranked, began=clock.began, left_s=clock.left_s())

    def _diversify(self, query: Query, ranked: Ranked) -> Ranked:
        if self._diversity is None:
            return ranked
        order, held_back = self._diversity.order([candidate.item for candidate in ranked.candidates], now=query.time)
        return replace(ranked.reordered(order), held_back=held_back)
