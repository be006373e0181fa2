"""What a policy would have earned, from a log on disk, by the command and by what stands behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import click, impression

from app.jobs.policy_value import policy_value
from app.settings import Settings, load_settings
from app.wiring.plans import plan_library
from app.wiring.stores import open_registry, open_store
from bandit.coverage.policy import CoverageModel
from bandit.plans import PlanLibrary
from core.episodes import Impression
from core.errors import BowerbirdError
from core.types import Choice

CLICKED = {"lexical": 0.6, "vector": 0.2}
SEARCHES = 600


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log in which two plans were drawn alike and the lexical one was clicked more, and no release."""
    made = load_settings(overrides={"service": {"data_dir": str(tmp_path_factory.mktemp("data"))}})
    store = open_store(made)
    random = np.random.default_rng(1)
    plans = random.choice(list(CLICKED), size=SEARCHES)
    library = plan_library(made)
    with ThreadPoolExecutor(32) as pool:  # many at a time share a transaction
        list(pool.map(store.append_impression, (_shown(n, plan, library) for n, plan in enumerate(plans))))
    clicked = [n for n, plan in enumerate(plans) if random.uniform() < CLICKED[plan]]
    store.append_feedback([click(f"q{n}") for n in clicked])
    store.close()
    return made


def _shown(number: int, plan: str, library: PlanLibrary) -> Impression:
    return replace(impression(f"q{number}"), choice=Choice(library.plan(plan), 0.5, "coin"))


def test_the_plan_that_was_clicked_more_gains(settings: Settings) -> None:
    found = policy_value(settings, "fixed", plan="lexical")
    assert (found.episodes, found.report.refusal) == (SEARCHES, None)
    assert set(found.report.estimates) == {"ips", "snips", "dm", "dr", "cressie_read"}
    for name in ("ips", "snips", "dr", "cressie_read"):
        assert found.report.estimates[name].low < CLICKED["lexical"] < found.report.estimates[name].high
    assert found.report.gain.low > 0
    assert policy_value(settings, "fixed", plan="vector").report.gain.high < 0


def test_a_policy_of_plans_that_were_never_drawn_is_refused(settings: Settings) -> None:
    assert "the policy does what the log hardly ever did" in str(policy_value(settings, "uniform").report.refusal)
    assert "nothing to say" in str(policy_value(settings, "fixed", plan="memory").report.refusal)


def test_only_the_newest_are_read(settings: Settings) -> None:
    assert policy_value(settings, "fixed", plan="lexical", newest=10).report.rows == 10


def test_a_release_and_its_opposite(settings: Settings, tmp_path: Path) -> None:
    """A model that always wants the lexical plan most, explored so little that the log supports it."""
    library = plan_library(settings)
    lexical = np.array([arm == "lexical" for arm, _ in library.heads])
    weights = np.zeros((len(library.heads) + 1, 2))
    weights[:, 1] = np.append(np.where(lexical, 4.0, -4.0), 4.0)
    dear = np.where(lexical & np.array([depth == 100 for _, depth in library.heads]), 0.0, 5.0)
    model = CoverageModel(
        library, ("query.words",), weights, np.zeros((len(library.plans), 2)), dear, 1e6, 0.001, 0.01, np.zeros((2, 2))
    )
    open_registry(settings).publish({"policy": model.dump()})
    learned, opposite = policy_value(settings, "release", release=1), policy_value(settings, "misguided")
    assert learned.report.gain.low > 0
    assert opposite.report.refusal is not None


def test_the_command_prints_a_verdict_and_draws(settings: Settings, tmp_path: Path) -> None:
    arguments = ["evaluate", "policy", "--policy", "fixed", "--plan", "lexical"]
    told = bowerbird(settings, *arguments, "--png", str(tmp_path / "value.png"))
    assert "This policy would have earned more than what served." in told
    assert "gain, self-normalised" in told
    assert (tmp_path / "value.png").read_bytes().startswith(b"\x89PNG")
    printed = json.loads(bowerbird(settings, *arguments, "--json"))
    assert printed["policy"].startswith("fixed-lexical")
    assert printed["gain"]["low"] > 0


def bowerbird(settings: Settings, *arguments: str) -> str:
    command = [sys.executable, "-m", "app.cli", "--data-dir", str(settings.data_dir), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda settings: policy_value(settings, "uniorm"), "Did you mean 'uniform'"),
        (lambda settings: policy_value(settings, "release", release=7), "There is no release 7"),
        (lambda settings: policy_value(settings, "fixed", plan="lexcal"), "Did you mean 'lexical'"),
    ],
)
def test_a_policy_that_does_not_exist_is_refused(
    settings: Settings, ask: Callable[[Settings], object], words: str
) -> None:
    with pytest.raises(BowerbirdError, match=words):
        ask(settings)


def test_without_a_release_the_remedy_names_the_warm_up(tmp_path: Path) -> None:
    empty = load_settings(overrides={"service": {"data_dir": str(tmp_path)}})
    with pytest.raises(BowerbirdError, match=r"There is no release yet\..*--policy warmup"):
        policy_value(empty, "release")
    assert policy_value(empty, "warmup").report.refusal == "There is no row to judge by."
