"""Off-policy evaluation on logs whose truth is known, and its refusals."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from bandit_world import COST_PER_MS, LIBRARY, Search, milliseconds, search, visit
from bandit_world import value as value_of
from builders import episode
from logged_world import LOGGING, REWARDS, TARGET, World, value

from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.fixed import FixedPolicy
from bandit.ope import Evidence, Report, assess, evidence_from
from bandit.ope.evidence import effective_size, overlap
from bandit.ope.plan_rates import plan_rates
from bandit.ope.resampling import resampled_means
from bandit.plans import PlanLibrary
from bandit.uniform import UniformPolicy
from core.episodes import Episode
from core.errors import InvalidInput
from core.types import ArmReport, ArmStatus, Choice, Features, Plan

WORLD = World(TARGET, LOGGING, model=REWARDS + 0.1)


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    """Of 200 logs of 500 rows."""
    return [assess(WORLD.log(500, seed), resamples=300, reward_range=(0.0, 1.0)) for seed in range(200)]


@pytest.mark.parametrize("name", ["ips", "snips", "dr", "cressie_read"])
def test_intervals_cover_the_value_about_as_often_as_they_say(reports: list[Report], name: str) -> None:
    truth = value(TARGET)
    covered = np.mean([report.estimates[name].low <= truth <= report.estimates[name].high for report in reports])
    assert 0.90 <= covered <= 0.99


@pytest.mark.parametrize("name", ["gain", "gain_self_normalised"])
def test_the_interval_of_the_gain_covers_the_difference_of_the_values(reports: list[Report], name: str) -> None:
    truth = value(TARGET) - value(LOGGING)
    gains = [getattr(report, name) for report in reports]
    assert 0.90 <= np.mean([gain.low <= truth <= gain.high for gain in gains]) <= 0.99


@pytest.mark.parametrize("name", ["ips", "dr"])
def test_unbiased_estimates_average_to_the_value(reports: list[Report], name: str) -> None:
    found = np.array([report.estimates[name].value for report in reports])
    assert abs(found.mean() - value(TARGET)) < 4 * found.std() / math.sqrt(len(found))


def test_dm_inherits_the_error_of_its_model_and_dr_does_not() -> None:
    found = assess(WORLD.log(100_000, 1), resamples=20).estimates
    assert found["dm"].value == pytest.approx(value(TARGET) + 0.1, abs=0.01)
    assert math.isnan(found["dm"].low)
    assert found["dr"].value == pytest.approx(value(TARGET), abs=0.01)


def test_dr_with_a_perfect_model_has_no_variance_but_that_of_contexts() -> None:
    exact = World(TARGET, LOGGING, model=REWARDS, noise=False).log(500, 1)
    found = assess(exact, resamples=50).estimates
    assert found["dr"].value == found["dm"].value
    one_context = Evidence(exact.rewards, exact.logged, exact.target, exact.predicted, np.full(500, value(TARGET)))
    alike = assess(one_context, resamples=50).estimates["dr"]
    assert alike.low == pytest.approx(value(TARGET)) == alike.high


def test_a_better_policy_gains_and_a_worse_one_loses() -> None:
    better = assess(World(TARGET, LOGGING).log(5_000, 1))
    worse = assess(World(LOGGING, TARGET).log(5_000, 1))
    assert better.refusal is None
    assert better.gain.low > 0 > worse.gain.high


def test_the_policy_that_logged_gains_exactly_nothing() -> None:
    report = assess(World(LOGGING, LOGGING).log(500, 1))
    assert (report.gain.value, report.gain.low, report.gain.high) == (0, 0, 0)
    assert report.gain_self_normalised == report.gain
    assert report.overlap.effective == 500


def test_a_policy_that_the_log_never_followed_is_refused() -> None:
    logging = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
    never = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    seldom = np.array([[0.35, 0.35, 0.3], [0.35, 0.35, 0.3]])
    nothing = assess(World(never, logging).log(2_000, 1))
    assert nothing.refusal == "The log has nothing to say: this policy would never have done anything of what was done."
    assert math.isnan(nothing.estimates["snips"].value)
    assert "weight is 0.7 and should be 1: the policy does what" in str(
        assess(World(seldom, logging).log(2_000, 1)).refusal
    )


def test_logged_probabilities_that_are_too_small_are_refused() -> None:
    log = World(LOGGING, LOGGING).log(2_000, 1)
    wrong = Evidence(log.rewards, log.logged / 2, log.target)
    assert (
        assess(wrong).refusal == "The mean importance weight is 2 and should be 1: the logged probabilities are wrong."
    )


def test_too_few_rows_or_rewards_are_refused() -> None:
    assert "worth 50.0 rows" in str(assess(World(LOGGING, LOGGING).log(50, 1)).refusal)
    rewards = np.zeros(1_000)
    rewards[:3] = 1
    even = np.full(1_000, 0.5)
    assert "Only about 3.0 rewarded rows" in str(assess(Evidence(rewards, even, even)).refusal)


def test_constant_rewards_have_that_value() -> None:
    log = WORLD.log(500, 1)
    found = assess(Evidence(np.full(500, 0.5), log.logged, log.target)).estimates["snips"]
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_one_row_is_reported_and_refused() -> None:
    report = assess(Evidence(np.array([1.0]), np.array([0.5]), np.array([0.25])))
    assert report.estimates["ips"].value == 0.5
    assert report.estimates["snips"].value == 1
    assert "worth 1.0 rows" in str(report.refusal)


def test_no_row_is_refused() -> None:
    nothing = np.array([])
    assert assess(Evidence(nothing, nothing, nothing)).refusal == "There is no row to judge by."


def test_equal_evidence_gives_an_equal_report_and_another_seed_another() -> None:
    log = WORLD.log(300, 1)
    assert assess(log, seed=3) == assess(log, seed=3) != assess(log, seed=4)


def test_a_report_is_json_without_nan() -> None:
    never = assess(Evidence(np.ones(5), np.ones(5), np.zeros(5)))
    printed = json.loads(json.dumps(never.to_json(), allow_nan=False))
    assert printed["estimates"]["snips"]["value"] is None
    assert printed["overlap"]["unsupported"] == 1


def test_overlap_by_hand() -> None:
    seen = overlap(Evidence(np.array([1.0, 0, 1, 0]), np.full(4, 0.5), np.array([1.0, 0.5, 0.5, 0])))
    assert seen.effective == pytest.approx(16 / 6)  # weights 2, 1, 1, 0
    assert seen.rewarded == pytest.approx(9 / 5)
    assert (seen.mean_weight, seen.largest_weight, seen.top_share, seen.unsupported) == (1, 2, 0.5, 0.25)
    assert seen.mean_weight_error == pytest.approx(math.sqrt(2 / 3) / 2)


def test_effective_size_survives_tiny_and_huge_weights() -> None:
    for scale in (1e-300, 1.0, 1e300):
        assert effective_size(np.full(7, scale)) == pytest.approx(7)


def test_resampling_in_pieces_draws_every_row_alike() -> None:
    columns = np.eye(4)
    means = resampled_means(np.tile(columns, (100_000, 1)), resamples=5, seed=1)  # three at a time
    assert means.sum(axis=1) == pytest.approx(1)
    assert means == pytest.approx(0.25, abs=0.005)


@pytest.mark.parametrize(
    ("column", "bad"),
    [("logged", 0.0), ("logged", 1.1), ("target", -0.1), ("target", 1.1), ("rewards", math.nan), ("logged", 1e-320)],
)
def test_a_bad_row_is_named(column: str, bad: float) -> None:
    columns = {name: np.full(3, 0.5) for name in ("rewards", "logged", "target")}
    columns[column][1] = bad
    with pytest.raises(InvalidInput, match=rf"{column}\[1\] is {bad}"):
        Evidence(**columns)


def test_columns_that_do_not_fit_are_refused() -> None:
    three = np.full(3, 0.5)
    with pytest.raises(InvalidInput, match=r"target has the shape \(2,\); rewards has 3 rows"):
        Evidence(three, three, three[:2])
    with pytest.raises(InvalidInput, match="Only one of predicted and expected"):
        Evidence(three, three, three, predicted=three)


def test_an_impossible_reward_or_confidence_is_refused() -> None:
    log = WORLD.log(500, 1)
    with pytest.raises(InvalidInput, match=r"A reward is 1\.0; reward_range is 0 to 0\.5"):
        assess(log, reward_range=(0, 0.5))
    with pytest.raises(InvalidInput, match=r"confidence is 95"):
        assess(log, confidence=95)
    with pytest.raises(InvalidInput, match=r"largest_weight is 0\.5; allowed: 2\.5 or more"):
        assess(log, largest_weight=0.5)


def visits(count: int) -> tuple[list[Search], list[Episode]]:
    """What the uniform policy earned in the toy world."""
    random = np.random.default_rng(1)
    uniform = UniformPolicy(LIBRARY, 1)
    asked = [search(number, random) for number in range(count)]
    return asked, [
        chosen(visit(uniform, each, random), uniform.choose(each.query, each.context), each.context) for each in asked
    ]


def chosen(shown: Episode, choice: Choice, context: Features) -> Episode:
    return replace(shown, impression=replace(shown.impression, choice=choice, context=context))


def test_a_plan_is_valued_from_the_log_of_the_uniform_policy() -> None:
    searches, episodes = visits(4_000)
    plan = LIBRARY.plan("all")
    truth = np.mean([value_of(plan, each.knows) for each in searches]) + COST_PER_MS * milliseconds(plan)
    report = assess(evidence_from(episodes, FixedPolicy(LIBRARY, "all"), library=LIBRARY))
    assert report.refusal is None
    assert report.gain.low > 0
    for name in ("ips", "snips", "cressie_read"):
        assert report.estimates[name].low < truth < report.estimates[name].high


def test_a_reward_model_says_what_every_plan_would_earn() -> None:
    model = dict.fromkeys((plan.name for plan in LIBRARY.plans), 0.25) | {"lexical": 0.5}
    evidence = evidence_from([episode()], UniformPolicy(LIBRARY, 1), model=lambda query, context: model)
    assert evidence.predicted is not None
    assert evidence.expected is not None
    assert (evidence.predicted[0], evidence.expected[0]) == (0.5, pytest.approx(0.25 + 0.25 / len(LIBRARY.plans)))


def test_plan_rates_come_from_the_other_half_of_the_log() -> None:
    _, episodes = visits(400)
    names = [plan.name for plan in LIBRARY.plans]
    rates = plan_rates(episodes, names)
    again = plan_rates([replace(episodes[0], reward=-1.0), *episodes[1:]], names)
    shown = [each.impression for each in episodes]
    changed = [rates(each.query, each.context) != again(each.query, each.context) for each in shown]
    assert not changed[0]
    assert 150 < sum(changed) < 250


def test_rows_that_do_not_count_are_counted() -> None:
    plain = episode()
    shown = plain.impression
    late = {"lexical": ArmReport(ArmStatus.TIMEOUT, 10, 0, 50.0)}
    episodes = [
        plain,
        episode(arms=late),
        replace(plain, impression=replace(shown, query=replace(shown.query, surface="similar"))),
        replace(plain, impression=replace(shown, choice=Choice(shown.choice.plan, 1.0, "forced"))),
        replace(plain, impression=replace(shown, experiment="colours:both")),
    ]
    policy = UniformPolicy(LIBRARY, 1)
    evidence = evidence_from(episodes, policy)
    assert evidence.rows == 1
    assert evidence.left_out == {"degraded": 1, "other_surface": 1, "forced": 1, "interleaved": 1}
    assert evidence_from(episodes, policy, include_degraded=True).rows == 2
    assert assess(evidence).left_out == evidence.left_out


def test_a_row_that_the_policy_cannot_judge_is_left_out() -> None:
    heads = len(LIBRARY.heads)
    weights, times = np.zeros((heads + 1, 2)), np.zeros(heads)
    corrections = np.zeros((len(LIBRARY.plans), 2))
    learned = CoveragePolicy(
        CoverageModel(LIBRARY, ("another",), weights, corrections, times, 1, 0.1, 0.01, np.zeros((2, 2))), seed=1
    )
    evidence = evidence_from([episode()], learned)
    assert (evidence.rows, evidence.left_out) == (0, {"refused": 1})


def test_a_plan_that_only_shares_the_name_is_another_plan() -> None:
    only = Plan("lexical", {"lexical": 10})  # that of the episode
    same, other = (PlanLibrary((plan,), "lexical", {"lexical"}) for plan in (only, Plan("lexical", {"lexical": 99})))
    targets = [evidence_from([episode()], UniformPolicy(each, 1), library=each).target[0] for each in (same, other)]
    assert targets == [1, 0]
