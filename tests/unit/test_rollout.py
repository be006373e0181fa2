"""Every step of a rollout, and its sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bandit.ope import Overlap, Report
from bandit.ope.assessment import Estimate
from bandit.rollout import Rollout, Rules, advance, judge, offer, promote, return_to, watch
from bandit.rollouts.gate import Latency, Outcome, Verdict, gate, lighter_gate
from bandit.rollouts.guardrails import Group, Limits, Mean
from core.errors import InvalidConfig

LIMITS = Limits(empty_margin=0.01, slow_factor=1.5, alpha=0.05)
RULES = Rules((0.01, 0.1, 0.5), 0.05, 1000, 100, stage_searches=200, max_searches=2000, margin=0.02, limits=LIMITS)
AT_THE_GATE = offer(Rollout(), "warmup-1", "coverage-a", learned_until=5.0)
CHAMPION = Group(5000, 400, Mean(0.4, 0.005), Mean(0.02, 0.001), Mean(0.0, 0.0), 50.0, 300.0)
SAME = replace(CHAMPION, searches=300, effective_clients=50.0)
BETTER = replace(SAME, reward=Mean(0.5, 0.005))


def at(stage: int) -> Rollout:
    return replace(AT_THE_GATE, stage=stage, began=10.0)


def last(rollout: Rollout) -> tuple[str, str, str]:
    decision = rollout.decisions[-1]
    assert decision.time == 20.0
    return decision.what, decision.policy, decision.reason


def report(low: float, high: float, refusal: str | None = None) -> Report:
    seen = Overlap(500.0, 100.0, 1.0, 0.01, 5.0, 0.1, 0.0)
    return Report(1000, 0.95, seen, gain=Estimate((low + high) / 2, low, high), refusal=refusal)


FAST = Latency(50.0, 50.0)


@pytest.mark.parametrize(
    ("given", "took", "last_look", "outcome", "words"),
    [
        (report(0.01, 0.05), FAST, False, Outcome.PASS, "It would earn more: gain +0.0300 (+0.0100 to +0.0500)"),
        (report(-0.05, -0.01), FAST, False, Outcome.REFUSE, "It would earn less"),
        (report(-0.01, 0.05), FAST, False, Outcome.WAIT, "No gain is proven"),
        (report(-0.01, 0.05), FAST, True, Outcome.REFUSE, "No gain is proven"),
        (report(0.01, 0.05, "Worth few rows."), FAST, False, Outcome.WAIT, "Worth few rows."),
        (report(0.01, 0.05, "Worth few rows."), FAST, True, Outcome.REFUSE, "Worth few rows."),
        (
            report(0.01, 0.05),
            Latency(80.0, 50.0),
            False,
            Outcome.REFUSE,
            "80 ms per search, more than 1.5",
        ),
    ],
)
def test_the_gate(given: Report, took: Latency, last_look: bool, outcome: Outcome, words: str) -> None:
    verdict = gate(given, took, slow_factor=1.5, last_look=last_look)
    assert verdict.outcome is outcome
    assert words in verdict.reason


FINE, WORSE, UNSURE = report(-0.01, 0.01), report(-0.05, -0.01), report(-0.04, 0.04)
UNKNOWN = report(-0.05, -0.01, "Nothing to say.")


@pytest.mark.parametrize(
    ("fresh", "past", "last_look", "outcome", "words"),
    [
        (FINE, FINE, False, Outcome.PASS, "It is not worse than the version before"),
        (WORSE, FINE, False, Outcome.REFUSE, "less on searches it has not seen"),
        (FINE, WORSE, False, Outcome.REFUSE, "less on the searches before"),
        (FINE, UNKNOWN, False, Outcome.PASS, "not worse"),
        (UNKNOWN, FINE, False, Outcome.WAIT, "Its choices differ too much from the champion's. Nothing to say."),
        (UNKNOWN, FINE, True, Outcome.REFUSE, "differ too much"),
        (UNSURE, FINE, False, Outcome.WAIT, "It may earn more than 0.02 less"),
        (UNSURE, FINE, True, Outcome.REFUSE, "It may earn more than 0.02 less"),
    ],
)
def test_the_lighter_gate(fresh: Report, past: Report, last_look: bool, outcome: Outcome, words: str) -> None:
    verdict = lighter_gate(fresh, past, FAST, margin=0.02, slow_factor=1.5, last_look=last_look)
    assert verdict.outcome is outcome
    assert words in verdict.reason


def verdict(outcome: Outcome) -> Verdict:
    return Verdict(outcome, "So it is.", {"gain": 0.1})


def test_what_passes_the_gate_gets_one_percent() -> None:
    passed = judge(AT_THE_GATE, verdict(Outcome.PASS), RULES, now=20.0)
    assert (passed.stage, passed.began, passed.share(RULES)) == (1, 20.0, 0.01)
    assert last(passed) == ("passed", "coverage-a", "So it is. It gets 1% of the clients.")
    assert passed.decisions[-1].figures == {"gain": 0.1}


def test_what_is_refused_is_gone_and_what_waits_stays() -> None:
    refused = judge(AT_THE_GATE, verdict(Outcome.REFUSE), RULES, now=20.0)
    assert (refused.candidate, last(refused)) == ("", ("dropped", "coverage-a", "So it is."))
    assert judge(AT_THE_GATE, verdict(Outcome.WAIT), RULES, now=20.0) == AT_THE_GATE


def test_a_retrained_version_is_champion_at_once() -> None:
    retrained = offer(Rollout(), "coverage-a", "coverage-b", learned_until=5.0)
    shipped = judge(retrained, verdict(Outcome.PASS), RULES, now=20.0)
    assert (shipped.champion, shipped.candidate) == ("coverage-b", "")
    assert last(shipped) == ("shipped", "coverage-b", "So it is.")


def test_a_share_grows_when_nothing_speaks_against_it() -> None:
    grown = advance(at(1), SAME, CHAMPION, RULES, now=20.0)
    assert (grown.stage, grown.share(RULES)) == (2, 0.1)
    assert last(grown)[2] == "300 searches at 1% break no guardrail. It gets 10% of the clients."
    for few in (replace(SAME, searches=199), replace(SAME, effective_clients=29.0)):
        assert advance(at(1), few, CHAMPION, RULES, now=20.0) == at(1)


def test_champion_it_becomes_by_proof_only() -> None:
    assert advance(at(3), SAME, CHAMPION, RULES, now=20.0) == at(3)
    crowned = advance(at(3), BETTER, CHAMPION, RULES, now=20.0)
    assert (crowned.champion, crowned.candidate, crowned.stage) == ("coverage-a", "", 0)
    what, _, reason = last(crowned)
    assert what == "promoted"
    assert "A search earns 0.1000 more than the champion's" in reason


def test_without_proof_it_goes_after_the_longest_wait() -> None:
    gone = advance(at(3), replace(SAME, searches=2000), CHAMPION, RULES, now=20.0)
    assert "After 2000 searches it is not proven better (-0.0" in last(gone)[2]
    lonely = advance(at(1), replace(SAME, searches=2000, effective_clients=3.0), CHAMPION, RULES, now=20.0)
    assert last(lonely)[2] == "After 2000 searches they are of too few clients."


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (replace(SAME, reward=Mean(0.3, 0.005)), "A search earns 0.100 less than the champion's 0.400."),
        (replace(SAME, empty=Mean(0.2, 0.01)), "20.0% of its searches find nothing, of the champion's 2.0%."),
        (
            replace(SAME, late=Mean(0.3, 0.02), p99_ms=120.0),
            "Its p99 is 120 ms, more than 1.5 times the champion's 50 ms.",
        ),
    ],
)
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_broken_guardrail_drops_it_at_any_stage(candidate: Group, words: str, stage: int) -> None:
    dropped = advance(at(stage), candidate, CHAMPION, RULES, now=20.0)
    assert (dropped.candidate, dropped.champion) == ("", "warmup-1")
    assert last(dropped) == ("dropped", "coverage-a", words)
    few = replace(candidate, effective_clients=29.0, searches=50)
    assert advance(at(stage), few, CHAMPION, RULES, now=20.0) == at(stage)


def test_back_to_an_earlier_champion() -> None:
    back = return_to(at(2), "warmup-0", "So be it.", now=20.0)
    assert (back.champion, back.candidate, back.stage) == ("warmup-0", "", 0)
    assert last(back) == ("rolled back", "warmup-1", "So be it.")


def test_a_champion_worse_than_the_control_makes_way_for_it() -> None:
    reigning = replace(return_to(Rollout("coverage-0"), "coverage-a", "", now=3.0), candidate="coverage-b")
    assert reigning.reigning_since == 3.0
    assert watch(reigning, SAME, CHAMPION, RULES, "warmup-1", now=20.0) == reigning
    bad = replace(SAME, reward=Mean(0.3, 0.005))
    gone = watch(reigning, bad, CHAMPION, RULES, "warmup-1", now=20.0)
    assert (gone.champion, gone.candidate) == ("warmup-1", "")
    assert last(gone) == ("rolled back", "coverage-a", "A search earns 0.100 less than the control's 0.400.")


def test_to_json_and_back() -> None:
    decided = promote(at(1), RULES, "Why not.", now=20.0, numbers={"gain": 0.1})
    assert Rollout.from_json(json.loads(json.dumps(decided.to_json()))) == decided


@pytest.mark.parametrize(
    ("stages", "control"), [((), 1.05), ((0.5, 0.1), 0.05), ((0.0, 0.5), 0.05), ((0.5, 0.96), 0.05)]
)
def test_shares_that_make_no_sense(stages: tuple[float, ...], control: float) -> None:
    with pytest.raises(InvalidConfig, match=r"beside a control share of [01]\."):
        replace(RULES, stages=stages, control=control)
