"""Training in a child process: what it makes, what bounds it, and what happens when it fails."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import episode, schema

from core.errors import InvalidConfig
from ranking.learner import RankerLearner
from ranking.ltr import LambdaMart
from ranking.training.child import Training, TrainingFailed
from ranking.training.clicks import calibrated, debiased_ndcg
from ranking.training.gate import compare
from ranking.training.judged import JudgedPages
from ranking.training.parameters import Parameters
from ranking.training.rows import ClickedPage, Split, matrix, split
from ranking.training.search import read_space, settings_drawn
from ranking.training.train import boost

NAMES = ("arms.rrf", "good", "noise", "memory.score")
SCHEMA = schema(*NAMES)
FAST = replace(Parameters(), trees=40, min_data_in_leaf=20)
CURVE = 1 / np.arange(1, 11)


def pages(count: int, seed: int = 1, *, sampled: int = 0) -> list[ClickedPage]:
    """Ten results in no order, clicked where they are looked at and good."""
    random = np.random.default_rng(seed)
    made = []
    while len(made) < count:
        features = random.random((10, len(NAMES))).astype(np.float32)
        clicked = random.random(10) < CURVE * (0.05 + 0.9 * (features[:, 1] > 0.7))
        below = random.random((sampled, len(NAMES))).astype(np.float32)
        if clicked.any():
            key = f"q{len(made) % 40}"
            made.append(ClickedPage(key, features, clicked.astype(float), np.arange(1, 11), CURVE, below))
    return made


def good(features: np.ndarray) -> np.ndarray:
    return features[:, 1].astype(np.float64)


def noise(features: np.ndarray) -> np.ndarray:
    return features[:, 2].astype(np.float64)


def test_it_learns_stops_by_later_clicks_and_leaves_nothing_behind(tmp_path: Path) -> None:
    parts = split(pages(700))
    training = Training(parts.fit, parts.stop, SCHEMA, Parameters(trees=400, learning_rate=0.3), memory_mib=4_096)
    model = training.model()
    assert debiased_ndcg(parts.judge, LambdaMart(model, SCHEMA).predict) > debiased_ndcg(parts.judge, noise) + 0.05
    assert 0 < model.count(b"Tree=") < 400
    assert not training.running
    assert training.rounds == 0  # its folder is gone


def test_a_killed_training_says_so() -> None:
    training = Training(pages(2_000), [], SCHEMA, Parameters(trees=50_000), memory_mib=4_096)
    os.kill(training.pid, signal.SIGKILL)
    with pytest.raises(TrainingFailed, match="SIGKILL"):
        training.model()


def test_one_that_needs_more_memory_than_it_may_have_fails_in_words() -> None:
    wide = schema(*(f"x{n}" for n in range(200)))
    random = np.random.default_rng(1)
    page = ClickedPage(
        "q", random.random((400, 200), dtype=np.float32), np.eye(400)[0], np.arange(1, 401), np.ones(400),
        np.empty((0, 200), dtype=np.float32),
    )  # fmt: skip
    with pytest.raises(TrainingFailed, match=r"more than 150 MiB") as failed:
        Training([page] * 400, [], wide, FAST, memory_mib=150).model()
    assert "ranking.memory_mib" in failed.value.remedy


def learner(*, wait: bool = True, memory_mib: int = 4_096) -> RankerLearner:
    return RankerLearner(
        SCHEMA,
        min_clicked=100,
        retrain_every=100,
        max_episodes=10_000,
        parameters=FAST,
        memory_mib=memory_mib,
        wait=wait,
    )


def teach(ranker: RankerLearner, count: int) -> None:
    for n, page in enumerate(pages(count)):
        ranker.learn(
            [
                episode(
                    query_id=str(n), text=page.key, gains=page.gains.tolist(), feature_names=NAMES,
                    features=page.features, schema=SCHEMA.version, shown=[f"i{k}" for k in range(10)],
                    ranks={"lexical": range(1, 11)},
                )
            ]
        )  # fmt: skip


def test_the_learner_goes_on_while_a_training_runs_and_has_the_model_later() -> None:
    ranker = learner(wait=False)
    teach(ranker, 300)
    assert ranker.snapshot() is None
    assert not ranker.finished
    until = time.monotonic() + 120
    while not ranker.finished and time.monotonic() < until:
        time.sleep(0.05)
    assert ranker.snapshot() is not None
    assert ranker.note.startswith("Passed")
    assert not ranker.finished
    assert ranker.snapshot() is None


def test_a_failed_training_is_told_once_and_the_next_comes_with_new_clicks() -> None:
    ranker = learner(memory_mib=64)
    teach(ranker, 300)
    with pytest.raises(TrainingFailed):
        ranker.snapshot()
    assert ranker.snapshot() is None


def test_sampled_rows_are_labelled_as_not_wanted_with_their_weight() -> None:
    rows = matrix(pages(3, sampled=2), SCHEMA, replace(Parameters(), sampled_weight=0.5))
    assert rows.groups.tolist() == [12] * 6
    assert rows.labels.reshape(6, 12)[:, 10:].max() == 0
    assert rows.weights[10] / rows.weights[0] == pytest.approx(0.5)
    assert np.isnan(rows.values[36:, 3]).all()
    assert set(rows.stands) == {1.0}
    standing = [replace(page, stands_for=45.0) for page in pages(1, sampled=2)]
    assert matrix(standing, SCHEMA, Parameters()).stands.tolist() == [*[1.0] * 10, 45.0, 45.0] * 2
    assert len(matrix(pages(3), SCHEMA, replace(Parameters(), history_dropout=0.0)).groups) == 3


def lone_clicks(count: int) -> list[ClickedPage]:
    """Items that nobody prefers to one another, clicked where people look."""
    random = np.random.default_rng(1)
    clicked = random.choice(10, size=count, p=CURVE / CURVE.sum())
    places = (np.arange(10, dtype=np.float32) / 10)[:, None].repeat(len(NAMES), axis=1)
    return [
        ClickedPage(f"q{n}", places, np.eye(10)[row], np.arange(1, 11), CURVE, places[:0])
        for n, row in enumerate(clicked.tolist())
    ]


def test_a_lone_click_counts_for_more_where_few_people_look() -> None:
    first, tenth = (page for row in (0, 9) for page in [next(p for p in lone_clicks(500) if p.gains[row])])
    rows = matrix([first, tenth], SCHEMA, Parameters())
    assert rows.weights[10] / rows.weights[0] == pytest.approx(CURVE[0] / CURVE[9])


def test_the_order_that_was_shown_is_no_better_than_its_reverse_when_nothing_is_preferred() -> None:
    made = lone_clicks(20_000)
    forwards, backwards = (debiased_ndcg(made, lambda f, sign=sign: sign * f[:, 1].astype(float)) for sign in (-1, 1))
    assert forwards == pytest.approx(backwards, rel=0.03)


def test_trees_are_not_stopped_by_the_luck_of_the_first() -> None:
    parts = split(pages(700))
    luck = iter([1.0, *[0.5] * 100])
    held = matrix(parts.stop, SCHEMA, replace(FAST, history_dropout=0.0))
    fit = matrix(parts.fit, SCHEMA, FAST)
    trees = boost(fit, NAMES, [0] * len(NAMES), replace(FAST, trees=90), later=(held, lambda _: next(luck)))
    assert trees.count("Tree=") == 20


def test_calibration_recovers_the_attraction_that_made_the_clicks() -> None:
    random = np.random.default_rng(1)
    made = []
    for _ in range(3_000):
        features = random.normal(0, 1, (10, len(NAMES))).astype(np.float32)
        clicked = random.random(10) < CURVE / (1 + np.exp(-(2 * features[:, 1] - 1)))
        made.append(ClickedPage("q", features, clicked.astype(float), np.arange(1, 11), CURVE, features[:0]))
    found = calibrated(made, good)
    assert (found.slope, found.level) == (pytest.approx(2, abs=0.2), pytest.approx(-1, abs=0.2))
    assert found.log_likelihood(made, good) > calibrated(made, noise).log_likelihood(made, noise)
    assert calibrated(made, lambda features: -good(features)).slope == 0


def test_the_gate_tells_better_from_worse_in_a_sentence() -> None:
    parts = split(pages(600))
    better, worse = compare(good, noise, parts, RATED), compare(noise, good, parts, RATED)
    assert better.passed
    assert better.reason.startswith("Passed: debiased nDCG 0.")
    assert "too few rated queries" in better.reason
    assert not worse.passed
    assert worse.reason.startswith("Refused, it orders the clicks worse")


RATED = JudgedPages({}, SCHEMA)


def test_ratings_refuse_what_clicks_let_pass() -> None:
    rated = JudgedPages({f"q{n}": {"i9": 3} for n in range(20)}, SCHEMA)
    for n, page in enumerate(pages(20)):
        features = page.features.copy()
        features[9, 2] = 2.0
        shown = [f"i{k}" for k in range(10)]
        rated.add(episode(query_id=str(n), text=f"q{n}", gains=[0.0] * 10, shown=shown, feature_names=NAMES,
                          features=features, schema=SCHEMA.version, ranks={}))  # fmt: skip
    assert rated.ndcg(noise) == pytest.approx(1.0)
    verdict = compare(good, lambda features: 0.9 * good(features) + 1e3 * (noise(features) > 1), SAME, rated)
    assert verdict.reason.startswith("Refused, it orders rated items worse")


SAME = Split(*[pages(200)] * 3)


def test_parameters_are_checked_by_name_and_value(tmp_path: Path) -> None:
    assert Parameters.of({"trees": 50}).trees == 50
    with pytest.raises(InvalidConfig, match="Did you mean 'num_leaves'"):
        Parameters.of({"num_leafs": 3})
    with pytest.raises(InvalidConfig, match="a whole number"):
        Parameters.of({"trees": 2.5})
    space = tmp_path / "space.toml"
    space.write_text("trees = [5, 6]\nlearning_rate = { low = 0.01, high = 0.1 }\n")
    drawn = settings_drawn(read_space(space), 40, base={"num_leaves": 9}, seed=1)
    assert drawn[0] == Parameters.of({"num_leaves": 9})
    assert {each.trees for each in drawn[1:]} == {5, 6}
    assert all(0.01 <= each.learning_rate <= 0.1 and each.num_leaves == 9 for each in drawn[1:])
    space.write_text("trees = 5\n")
    with pytest.raises(InvalidConfig, match="trees = 5 is neither"):
        read_space(space)
