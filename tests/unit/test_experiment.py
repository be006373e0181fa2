"""What an experiment makes of a search: who takes part, and what an interleaved answer keeps of both variants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from arms_with_items import Okapi, Popular
from words import item

from app.degradation.guarded_arm import ArmLimits
from app.indexing.indexer import ItemTable
from app.search.answer import Answer
from app.search.experiment import conduct
from app.search.fanout import FanOut
from app.search.interleave import interleave
from app.search.pipeline import Pipeline
from app.search.serving import Experiment, Serving
from bandit.context import context_features
from bandit.experiments.interleaving import FIRST, NOBODY, SECOND
from bandit.fixed import FixedPolicy
from bandit.plans import PlanLibrary
from bandit.uniform import UniformPolicy
from core.types import ArmReport, ArmStatus, Plan, Query, QueryId
from ranking.features.extractor import FeatureExtractor
from ranking.rrf import ReciprocalRankFusion

ITEMS = [
    item("desk-lamp", "Desk lamp", popularity=0.2),
    item("oak-lamp", "Oak lamp", popularity=0.1),
    item("chair", "Oak chair", popularity=0.9),
    item("table", "Table", popularity=0.8),
    item("shelf", "Shelf", popularity=0.7),
]
LIBRARY = PlanLibrary(
    (Plan("words", {"lexical": 10}), Plan("popular", {"popular": 3})), default="words", arms=("lexical", "popular")
)
RANKER = ReciprocalRankFusion()
WORDS = Serving(1, FixedPolicy(LIBRARY, "words"), RANKER)
POPULAR = Serving(1, FixedPolicy(LIBRARY, "popular"), RANKER)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    arms = {arm.name: arm for arm in (Okapi(), Popular())}
    items = ItemTable()
    extractor = FeatureExtractor(tuple(arms))
    for follower in (items, extractor, *arms.values()):
        follower.apply(ITEMS, [])
    fan_out = FanOut(arms, ArmLimits(deadline_ms=5_000.0))
    yield Pipeline(
        arms=arms, items=items, extractor=extractor, context=context_features, fallback=WORDS.policy, fan_out=fan_out
    )
    fan_out.close()


def asked(number: int = 0, client: str | None = None, **filters: tuple[str, ...]) -> Query:
    return Query(QueryId(f"q{number}"), "lamp", 0.0, client_id=client, filters=filters)


def serving(kind: str = "interleave", share: float = 1.0, second: Serving = POPULAR) -> Serving:
    experiment = Experiment(kind, "words-or-fame", WORDS, second, share, seed=1)  # type: ignore[arg-type]
    return replace(WORDS, experiment=experiment)


def ids(answer: Answer) -> list[str]:
    return [candidate.item.id for candidate in answer.candidates]


def test_an_interleaved_answer_has_all_that_both_found(pipeline: Pipeline) -> None:
    mixed = conduct(pipeline, asked(), serving())
    assert sorted(ids(mixed)) == ["chair", "desk-lamp", "oak-lamp", "shelf", "table"]
    assert set(mixed.arms) == {"lexical", "popular"}
    assert sorted(mixed.teams) == [NOBODY, FIRST, FIRST, SECOND, SECOND]


def test_every_item_is_as_its_team_knows_it(pipeline: Pipeline) -> None:
    mixed = conduct(pipeline, asked(), serving())
    alone = {team: pipeline.answer(asked(), variant) for team, variant in ((FIRST, WORDS), (SECOND, POPULAR))}
    for row, (candidate, team) in enumerate(zip(mixed.candidates, mixed.teams, strict=True)):
        own = alone[team or SECOND]  # the longer ranking
        place = ids(own).index(candidate.item.id)
        assert candidate == own.candidates[place]
        assert mixed.scores[row] == own.scores[place]
        np.testing.assert_array_equal(mixed.features.values[row], own.features.values[place])


def test_the_logged_page_tells_the_teams_and_is_of_no_single_plan(pipeline: Pipeline) -> None:
    mixed = conduct(pipeline, asked(), serving())
    page = mixed.impression(start=1, size=2, config="c")
    assert (page.experiment, page.mixed) == ("words-or-fame:both", True)
    assert page.teams == mixed.teams[1:3]
    assert page.choice == pipeline.answer(asked(), WORDS).choice
    for place, team in enumerate(page.teams):
        found = {arm for arm, ranks in page.ranks.items() if ranks[place]}
        assert found == {"lexical" if team == FIRST else "popular"}


def test_two_empty_answers_are_an_empty_one(pipeline: Pipeline) -> None:
    page = conduct(pipeline, asked(type=("nothing",)), serving()).impression(start=0, size=10, config="c")
    assert (page.shown, page.teams, page.mixed) == ((), (), True)


def test_a_failure_of_either_variant_degrades_the_answer(pipeline: Pipeline) -> None:
    whole = pipeline.answer(asked(), WORDS)
    late = replace(whole, arms={"lexical": ArmReport(ArmStatus.TIMEOUT, 10, 0, 500.0)})
    for pair in ((whole, late), (late, whole)):
        assert interleave(*pair, seed=1).impression(start=0, size=10, config="c").degraded


def test_of_an_arm_that_both_asked_the_deeper_question_is_told(pipeline: Pipeline) -> None:
    whole = pipeline.answer(asked(), WORDS)
    deeper = replace(whole, arms={"lexical": replace(whole.arms["lexical"], depth=50)})
    for pair in ((whole, deeper), (deeper, whole)):
        assert interleave(*pair, seed=1).arms == deeper.arms


def test_two_rankers_are_both_named(pipeline: Pipeline) -> None:
    one = pipeline.answer(asked(), WORDS)
    other = replace(one, ranked=replace(one.ranked, version="other"))
    assert interleave(one, one, seed=1).ranked.version == "rrf"
    assert interleave(one, other, seed=1).ranked.version == "rrf + other"


@pytest.mark.parametrize("second", [POPULAR, replace(WORDS, policy=UniformPolicy(LIBRARY, 1))])
def test_a_client_keeps_its_variant_and_the_propensity_is_that_of_who_drew(pipeline: Pipeline, second: Serving) -> None:
    variants = set()
    for client in range(20):
        pages = [
            conduct(pipeline, asked(10 * client + n, f"client-{client}"), serving("ab", 0.5, second)).impression(
                start=0, size=10, config="c"
            )
            for n in range(5)
        ]
        (variant,) = {page.experiment for page in pages}
        policy = (WORDS if variant == "words-or-fame:first" else second).policy
        for page in pages:
            assert page.choice == policy.choose(page.query, page.context)
            assert not page.mixed
        variants.add(variant)
    assert variants == {"words-or-fame:first", "words-or-fame:second"}


def test_who_takes_no_part_is_answered_as_without_an_experiment(pipeline: Pipeline) -> None:
    outside = conduct(pipeline, asked(), serving(share=0.0)).impression(start=0, size=10, config="c")
    plain = conduct(pipeline, asked(), WORDS).impression(start=0, size=10, config="c")
    assert (outside.experiment, outside.teams) == (plain.experiment, plain.teams) == ("", ())
    assert (outside.shown, outside.choice) == (plain.shown, plain.choice)


def test_a_chosen_plan_is_no_part_of_an_experiment(pipeline: Pipeline) -> None:
    answer = conduct(pipeline, asked(), serving(), plan=LIBRARY.plan("popular"))
    assert (answer.experiment, answer.choice.plan.name) == ("", "popular")
