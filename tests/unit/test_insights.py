"""What service and learner notice, in bounded memory: sums against numpy, estimates against a known truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from builders import click, impression, shadow

from app.insights.course import MOST, Course
from app.insights.kinds import kind_of
from app.insights.learned import Insights, StoredInsights
from app.insights.live import Live
from app.insights.loggers import Loggers
from app.insights.memory_course import MemoryCourse
from app.insights.off_policy import verdict
from app.insights.plan_figures import PlanFigures
from app.insights.queries import Queries
from app.insights.storage import Storage
from app.insights.sums import Sum
from app.search.gaps import Gaps
from bandit.ope import Evidence, assess
from bandit.plans import PlanLibrary
from bandit.rollouts.staged import in_control
from core.episodes import Episode
from core.protocols import Outcome
from core.types import ArmReport, ArmStatus, Choice, ItemId, Plan
from feedback.reward import RewardRule
from retrievers.memory import Entry, Recollection

RULE = RewardRule({"click": 1.0})
LEXICAL, VECTOR = Plan("lexical", {"lexical": 10}), Plan("vector", {"vector": 10})


def episode(
    number: int = 0, *, clicked: bool = True, plan: Plan = LEXICAL, text: str = "lamp", **fields: object
) -> Episode:
    shown = impression(f"q{number}", text=text, **fields)  # type: ignore[arg-type]
    shown = replace(shown, choice=Choice(plan, 0.5, "logger-1"))
    feedback = (click(f"q{number}"),) if clicked else ()
    gains = RULE.gains(shown, feedback)
    return Episode(shown, feedback, gains, (1.0,) * 3, RULE.reward(gains, 1))


def test_a_mean_has_the_usual_interval() -> None:
    values = np.random.default_rng(1).normal(0.4, 0.3, 500)
    added = Sum()
    for value in values:
        added.add(value)
    error = 1.96 * values.std(ddof=1) / np.sqrt(500)
    assert added.to_json() == pytest.approx(
        {"count": 500, "mean": values.mean(), "low": values.mean() - error, "high": values.mean() + error}
    )


def test_one_figure_has_no_interval_and_none_no_mean() -> None:
    added = Sum()
    assert added.to_json() == {"count": 0}
    added.add(0.0)
    assert added.to_json() == {"count": 1, "mean": 0.0}


def test_plans_are_valued_from_loggers_that_differ() -> None:
    """`vector` earns 0.3 and `lexical` 0.6 of the time; one logger draws evenly, one nearly always lexical."""
    random, loggers = np.random.default_rng(2), Loggers()
    for version, chance in (("even", 0.5), ("sure", 0.98)):
        for _ in range(4_000):
            lexical = random.random() < chance
            plan, propensity = (LEXICAL, chance) if lexical else (VECTOR, 1 - chance)
            loggers.add(Choice(plan, propensity, version), float(random.random() < (0.6 if lexical else 0.3)))
    found = {name: each.to_json() for name, each in loggers.rewards().items()}
    for name, truth in (("lexical", 0.6), ("vector", 0.3)):
        assert found[name]["low"] < truth < found[name]["high"]
        assert found[name]["high"] - found[name]["low"] < 0.06
    assert found["lexical"]["effective"] == pytest.approx(2_000 + 3_920, rel=0.05)


@pytest.mark.parametrize("most", [2, 5])
def test_a_logger_that_never_tried_a_plan_where_it_fails_does_not_praise_it(most: int) -> None:
    loggers = Loggers()
    for number in range(400):  # `vector` is drawn for half, or four fifths, of the queries only, and always earns there
        choice = Choice(VECTOR, 0.99, "sly") if number % most else Choice(LEXICAL, 0.99, "sly")
        loggers.add(choice, float(number % most > 0))
    assert loggers.rewards() == {}


def test_many_versions_are_folded_without_loss() -> None:
    loggers = Loggers()
    for version in range(200):
        for _ in range(20):
            loggers.add(Choice(LEXICAL, 1.0, f"v{version}"), 1.0)
    assert len(loggers._open) == 50
    assert loggers.rewards()["lexical"].to_json() == pytest.approx(
        {"effective": 4_000.0, "mean": 1.0, "low": 1.0, "high": 1.0}
    )


def test_a_course_keeps_every_search_in_bounded_steps() -> None:
    course = Course(1.0)
    times = np.random.default_rng(3).uniform(0, 100_000, 3_000)
    for number, time in enumerate(times):
        course.add(100 + time, episode(number, clicked=number % 4 == 0))
    assert len(course._steps) <= MOST
    found = course.to_json(None)
    assert 30 <= len(found) <= 45
    assert sum(step["searches"] for step in found) == 3_000
    assert all(before["end"] <= after["begin"] for before, after in pairwise(found))
    mean = sum(step["reward"]["mean"] * step["reward"]["count"] for step in found) / 3_000
    assert mean == pytest.approx(0.25)


def test_a_lone_search_after_a_pause_is_no_step_of_its_own() -> None:
    course = Course(1.0)
    for number in range(100):
        course.add(number, episode(number))
    course.add(5_000, episode(101, clicked=False))
    assert course.to_json(None)[-1]["searches"] > 1


def test_the_control_is_told_apart_over_thirty_of_its_searches() -> None:
    """Ten searches a step: five of the control, of which the first twenty have a click."""
    course = Course(10.0)
    for number in range(100):
        of_control = number % 2 == 0
        course.add(number, episode(number, clicked=of_control and number < 40), control=of_control)
    steps = course.to_json(None)
    assert [step["searches"] for step in steps] == [10] * 10
    assert {step["reward"]["mean"] for step in steps} == {0.0}
    assert [step["control"] for step in steps[:5]] == [{"count": count} for count in (5, 10, 15, 20, 25)]
    assert [step["control"]["count"] for step in steps[5:]] == [30] * 5
    assert [step["control"]["mean"] for step in steps[5:]] == pytest.approx([20 / 30, 15 / 30, 10 / 30, 5 / 30, 0.0])


def test_the_control_is_its_clients_also_while_its_policy_serves_all(tmp_path: Path) -> None:
    library = PlanLibrary((LEXICAL, VECTOR), "lexical", ["lexical", "vector"])
    noticed = Insights(tmp_path, library, dict, control=0.2, window_s=1.0)
    episodes = [episode(number, client_id=f"client-{number}") for number in range(500)]
    noticed.learn(episodes)
    found = noticed.to_json()
    expected = sum(in_control(each.impression.query, 0.2) for each in episodes)
    assert (found["control"]["share"], found["control"]["count"], found["control"]["mean"]) == (0.2, expected, 1.0)
    assert expected == pytest.approx(100, abs=30)
    assert sum(step["reward"]["count"] for step in found["over_searches"]) == 500 - expected


def test_coverage_is_of_shadowed_clicks() -> None:
    figures = PlanFigures({"lexical": LEXICAL, "vector": VECTOR, "other": Plan("other", {"popular": 5})})
    figures.add(episode())
    assert "coverage" not in figures.to_json()[0]
    figures.add(replace(episode(1), shadow=shadow("q1", ranks={"lexical": (1, 2, 3), "vector": (11, 7, 0)})))
    lexical, vector, other = figures.to_json()
    assert (lexical["coverage"], vector["coverage"]) == (1.0, 0.0)
    assert "coverage" not in other  # its arm was not asked by the shadow
    assert figures.best is None


def test_queries_that_are_asked_often_stay() -> None:
    queries = Queries(most=100)
    for number in range(1_000):
        queries.add(episode(number, text=f"rare {number}"))
        queries.add(episode(number, text="Lamp", clicked=False, arms={"lexical": ArmReport(ArmStatus.OK, 10, 0, 1.0)}))
    found = queries.to_json()
    assert found["known"] <= 100
    assert found["known"] + found["forgotten"] == 1_001
    assert found["frequent"][0] | {"last": 0} == {
        "query": "Lamp",
        "searches": 1_000,
        "empty": 1_000,
        "clicked": 0,
        "last": 0,
    }
    assert [each["query"] for each in found["low"]] == ["Lamp"]


@pytest.mark.parametrize(
    ("text", "context", "kind"),
    [
        ("", {}, "no words"),
        ("dv7 case", {"query.model_number": 1.0}, "with a model number"),
        ("lamp", {"memory.observed": 1.0}, "one word, asked before"),
        ("red lamp", {"memory.observed": 0.0}, "several words, new"),
    ],
)
def test_kinds(text: str, context: dict[str, float], kind: str) -> None:
    assert kind_of(impression(text=text, context={"query.words": 0.1, **context})) == kind


def test_live_forgets_the_oldest_and_counts_on() -> None:
    now = [1_000.0]
    live = Live(clock=lambda: now[0], window_s=5.0)
    for number in range(2_100):
        live.searched(impression(f"q{number}", time=1_000.0), logged=True)
    assert live.search("q0") is None
    assert live.search("q2099") is not None
    assert live.arms()["lexical"].calls == 500
    in_time, late, old = click("q2099", time=1_001.0), click("q2098", time=1_006.0), click("q0", time=1_001.0)
    received = [replace(event, received=1_010.0) for event in (in_time, late, old)]
    live.taken(received, [Outcome.STORED, Outcome.STORED, Outcome.NOT_SHOWN])
    live.taken(received[2:], [Outcome.STORED])
    seen = live.events()
    assert [event.late for event in seen.events] == [None, True, False]
    assert (seen.outcomes, seen.late) == ({"stored": 3}, 1)


def test_an_arms_percentiles_are_of_answers() -> None:
    live = Live(clock=lambda: 0.0, window_s=5.0)
    for took in (*range(1, 101), 9_999):
        status = ArmStatus.OK if took < 9_999 else ArmStatus.TIMEOUT
        live.searched(impression(arms={"lexical": ArmReport(status, 10, 1, float(took))}), logged=True)
    found = live.arms()["lexical"]
    assert (found.p50_ms, found.p99_ms, dict(found.statuses)) == (50.0, 99.0, {"ok": 100, "timeout": 1})


def test_the_memorys_course_keeps_changes_only() -> None:
    held = [0.1]
    course = MemoryCourse(
        lambda text, most: Recollection([Entry(ItemId("a"), 0.5, 0.0, 0.0, held[0])], {}), lambda: 7.0, Gaps()
    )
    course.watch(["Lamp", ""], 1)
    for release in range(2, 500):
        held[0] += release % 2
        course.released(release)
    points = course.points("lamp")
    assert len(points) <= 120
    assert points[0].entries[0].posterior == 0.1
    assert points[-1].entries[0].posterior == held[0]
    assert course.points("unwatched") == []
    course.watch([f"query {number}" for number in range(50)], 500)
    assert course.points("lamp") == []


def test_a_refusal_comes_first_in_a_verdict() -> None:
    rewards, half = np.tile([1.0, 0.0], 500), np.full(1_000, 0.5)
    better = assess(Evidence(rewards, half, np.tile([1.0, 0.0], 500)))
    worse = assess(Evidence(rewards, half, np.tile([0.0, 1.0], 500)))
    assert verdict(better).startswith("Better: +0.5")
    assert verdict(worse).startswith(("Worse: -0.5", "Cannot tell."))
    assert verdict(assess(Evidence(rewards[:20], half[:20], half[:20]))).startswith(
        "Cannot tell. The log is worth 20.0"
    )


def test_a_file_that_is_not_there_or_broken_is_no_insight(tmp_path: Path) -> None:
    stored = StoredInsights(tmp_path)
    assert stored.now() is None
    (tmp_path / "insights.json").write_text("{")
    assert stored.now() is None
    (tmp_path / "insights.json").write_text('{"format": 0, "episodes": 3}')
    assert stored.now() is None
    (tmp_path / "insights.json").write_text('{"format": 2, "episodes": 3}')
    assert stored.now() == {"format": 2, "episodes": 3}


def test_storage_counts_the_files_of_each_part(tmp_path: Path) -> None:
    (tmp_path / "models" / "objects").mkdir(parents=True)
    (tmp_path / "models" / "objects" / "x").write_bytes(b"12345")
    (tmp_path / "events.sqlite").write_bytes(b"123")
    (tmp_path / "events.sqlite-wal").write_bytes(b"1")
    found = Storage(tmp_path).now()
    assert (found.parts["models"], found.parts["events"], found.parts["indexes"]) == (5, 4, 0)
    assert found.free > 0
