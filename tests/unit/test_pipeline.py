"""What the pipeline does when a part of it is late, broken or out of date: it answers, and says what happened."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from arms_with_items import Okapi, Popular
from words import item, query

from app.degradation.guarded_arm import ArmLimits
from app.indexing.indexer import ItemTable
from app.search.fanout import FanOut
from app.search.pipeline import Pipeline
from app.search.serving import Serving
from bandit.context import context_features
from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.fixed import FixedPolicy
from bandit.plans import PlanLibrary
from core.protocols import Policy, Ranker, Retriever
from core.types import ArmStatus, Candidate, Features, Plan, Query, Scored
from ranking.features.extractor import FeatureExtractor
from ranking.rrf import ReciprocalRankFusion

ITEMS = [item("lamp", "Desk lamp", popularity=0.2), item("chair", "Oak chair", popularity=0.9)]
LIBRARY = PlanLibrary(
    (Plan("both", {"lexical": 10, "late": 10}), Plan("late", {"late": 10}), Plan("broken", {"broken": 10})),
    default="both",
    arms=("lexical", "late", "broken", "popular"),
)


class Late(Okapi):
    """Answers only when it is let go."""

    name = "late"

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        self.go.wait(30)
        return super().retrieve(query, depth)


class Broken(Okapi):
    name = "broken"

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        raise RuntimeError("the index is gone")

    def signals(self, query: Query) -> Mapping[str, float]:
        raise RuntimeError("the index is gone")


class BrokenRanker:
    version = "broken-ranker"

    def score(self, candidates: list[Candidate], features: Features) -> np.ndarray:
        raise ValueError("no such column")


@pytest.fixture
def late() -> Iterator[Late]:
    arm = Late()
    yield arm
    arm.go.set()


@pytest.fixture
def pipeline(late: Late) -> Iterator[Pipeline]:
    arms: Mapping[str, Retriever] = {arm.name: arm for arm in (Okapi(), late, Broken(), Popular())}
    items = ItemTable()
    extractor = FeatureExtractor(tuple(arms))
    for follower in (items, extractor, *arms.values()):
        follower.apply(ITEMS, [])
    fan_out = FanOut(arms, ArmLimits(deadline_ms=50.0, failures=1_000))
    yield Pipeline(
        arms=arms,
        items=items,
        extractor=extractor,
        context=context_features,
        fallback=FixedPolicy(LIBRARY, "broken"),
        fan_out=fan_out,
    )
    late.go.set()
    fan_out.close()


def serving(plan: str = "both", *, policy: Policy | None = None, ranker: Ranker | None = None) -> Serving:
    return Serving(3, policy or FixedPolicy(LIBRARY, plan), ranker or ReciprocalRankFusion())


def test_a_late_arm_is_left_out_and_named(pipeline: Pipeline) -> None:
    answer = pipeline.answer(query("desk lamp"), serving())
    assert [candidate.item.id for candidate in answer.candidates] == ["lamp"]
    assert answer.arms["late"].status is ArmStatus.TIMEOUT
    assert answer.arms["lexical"].status is ArmStatus.OK
    assert answer.impression(start=0, size=10, config="c").degraded


def test_an_arm_in_time_is_not_left_out(pipeline: Pipeline, late: Late) -> None:
    late.go.set()
    answer = pipeline.answer(query("desk lamp"), serving())
    assert dict(answer.candidates[0].ranks) == {"late": 1, "lexical": 1}
    assert not answer.impression(start=0, size=10, config="c").degraded


@pytest.mark.parametrize(("plan", "status"), [("late", ArmStatus.TIMEOUT), ("broken", ArmStatus.ERROR)])
def test_when_no_asked_arm_answers_what_is_popular_does(pipeline: Pipeline, plan: str, status: ArmStatus) -> None:
    answer = pipeline.answer(query("desk lamp"), serving(plan))
    assert [candidate.item.id for candidate in answer.candidates] == ["chair", "lamp"]
    assert {arm: report.status for arm, report in answer.arms.items()} == {plan: status, "popular": ArmStatus.OK}
    assert answer.choice.plan.name == plan


def test_an_arm_without_signals_is_missing_from_the_context(pipeline: Pipeline) -> None:
    context = pipeline.context(query("desk lamp"))
    arms = {name.split(".")[0] for name in context.names} - {"query", "time"}
    assert arms == {"lexical", "late", "popular"}


def test_a_broken_ranker_is_replaced_by_fusion_and_the_log_says_so(pipeline: Pipeline, late: Late) -> None:
    late.go.set()
    answer = pipeline.answer(query("desk lamp"), serving(ranker=BrokenRanker()))
    assert [candidate.item.id for candidate in answer.candidates] == ["lamp"]
    assert answer.ranked.version == ReciprocalRankFusion().version


def test_a_policy_for_other_features_is_replaced_by_the_fallback(pipeline: Pipeline) -> None:
    heads = len(LIBRARY.heads)
    model = CoverageModel(
        LIBRARY,
        ("other",),
        np.zeros((heads + 1, 2)),
        np.zeros((len(LIBRARY.plans), 2)),
        np.ones(heads),
        gamma=1.0,
        floor=0.1,
        cost_per_ms=0.0,
        novelty=np.zeros((2, 2)),
    )
    answer = pipeline.answer(query("desk lamp"), serving(policy=CoveragePolicy(model, seed=1)))
    assert answer.choice.plan.name == "broken"
    assert answer.choice.policy == FixedPolicy(LIBRARY, "broken").version


def test_the_logged_page_is_the_shown_page(pipeline: Pipeline) -> None:
    answer = pipeline.answer(query("desk oak"), serving("late"))
    page = answer.impression(start=1, size=1, config="c")
    assert page.shown == (answer.candidates[1].item.id,)
    assert page.first_position == 2
    np.testing.assert_array_equal(page.features.values, answer.features.values[1:2])
    assert (page.release, page.choice.propensity) == (3, 1.0)
