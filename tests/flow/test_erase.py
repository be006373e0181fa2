"""`bowerbird erase --user`: rows, tastes, memory and releases of before are gone, and nobody else's."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from http_service import served
from http_words import event, search
from small_service import prepared

from app.settings import Settings
from app.web.user_ids import UserIds
from app.wiring.stores import open_registry, open_store
from ranking.profiles import ProfilesModel
from retrievers.engagements.customers import CustomersModel
from retrievers.q2e.memory_model import MemoryModel

ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    """With a log in which two users have searched and clicked, and with what was learned from it.

    Without shadows, which are rows too: now and then a random id draws one.
    """
    made = prepared(tmp_path_factory, cache, shadow={"share": 0.0})
    with served(made) as (url, _), httpx.Client(base_url=url, timeout=30) as http:
        for user, text in ((ANN, "love story"), (BOB, "taylor swift"), (ANN, "one metallica")):
            answer = search(http, text, user_id=user)
            http.post("/v1/events", json=event(answer, answer["hits"][0]["id"], user_id=user)).raise_for_status()
    learn(made)
    return made


def run(settings: Settings, *arguments: str) -> str:
    file = settings.data_dir / "test.toml"
    file.write_text("[feedback]\nwindow_s = 0.2\n[service]\nlearner = false\n")
    command = [sys.executable, "-m", "app.cli", "--config", str(file), "--data-dir", str(settings.data_dir)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=True).stdout


def learn(settings: Settings) -> None:
    run(settings, "learn", "--once")


def known(settings: Settings) -> tuple[set[str], set[str], set[str]]:
    """Customers with a taste, customers with a profile, and queries in the memory, of the current release."""
    registry = open_registry(settings)
    release = registry.current()
    assert release is not None
    tastes = CustomersModel.load(registry.load(release, "customers"))
    profiles = ProfilesModel.load(registry.load(release, "profiles"))
    memory = MemoryModel.load(registry.load(release, "memory"))
    return set(tastes.customers), set(profiles.customers), set(memory.rows)


def erase(settings: Settings, user: str) -> int:
    removed: int = json.loads(run(settings, "erase", "--user", user, "--json"))["removed"]
    return removed


def test_an_erased_user_is_forgotten_and_nobody_else(settings: Settings) -> None:
    ann, bob = map(UserIds(settings.data_dir).hashed, (ANN, BOB))
    assert known(settings)[:2] == ({ann, bob}, {ann, bob})
    assert len(known(settings)[2]) == 3
    assert erase(settings, ANN) == 4  # two searches with a click each
    assert known(settings)[:2] == (set(), set())  # at once, before anything is learned again
    learn(settings)
    assert known(settings)[:2] == ({bob}, {bob})
    (text,) = known(settings)[2]
    assert "swift" in text
    assert len(open_registry(settings).releases()) == 1
    assert erase(settings, ANN) == 0
    store = open_store(settings)
    assert [row.impression.query.user_id for row in store.impressions(after=0, limit=9)] == [bob]
    store.close()
    left = [path for path in settings.data_dir.rglob("*") if path.is_file() and str(ann).encode() in path.read_bytes()]
    assert left == []


def test_the_last_user_leaves_nothing_behind(settings: Settings) -> None:
    erase(settings, ANN)
    erase(settings, BOB)
    learn(settings)
    assert known(settings) == (set(), set(), set())


def test_a_learner_that_runs_starts_again_by_itself(settings: Settings) -> None:
    bob = UserIds(settings.data_dir).hashed(BOB)
    file = settings.data_dir / "learner.toml"
    file.write_text("[feedback]\nwindow_s = 0.2\n[learner]\ninterval_s = 0.2\n")
    command = [sys.executable, "-m", "app.cli", "--config", str(file), "--data-dir", str(settings.data_dir), "learn"]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as learner:
        assert learner.stdout is not None
        assert '"episodes": 3' in "".join(iter(learner.stdout.readline, "}\n"))
        erase(settings, ANN)
        until = time.monotonic() + 60
        while known(settings)[0] != {bob}:
            assert time.monotonic() < until
            time.sleep(0.1)
        learner.terminate()
    assert len(known(settings)[2]) == 1
