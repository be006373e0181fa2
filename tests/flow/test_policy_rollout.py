"""A learned policy's whole way through a real service and learner: gate, shares, champion, and back."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import click
from small_service import prepared

from app.jobs.rollout_operator import group_figures, promote_candidate, standing, take_back
from app.operating.diagnosis import diagnose
from app.service import Service, new_query_id
from app.settings import Settings
from app.wiring.learning import build_learning
from app.wiring.service import build_service
from bandit.rollouts.staged import in_control
from core.errors import Conflict, NotFound
from core.types import Query

CLIENTS = [f"client-{n}" for n in range(60)]
OWN = """
[feedback]
window_s = 1.0
[policy]
explore = 0.5
min_clicked = 20
[rollout]
enabled = true
control = 0.2
stages = [0.3, 0.6]
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    rollout = {"enabled": True, "control": 0.2, "stages": [0.3, 0.6]}
    return prepared(tmp_path_factory, cache, rollout=rollout, policy={"explore": 0.5, "min_clicked": 20})


@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[Service]:
    built = build_service(settings)
    built.start()
    yield built
    built.close()


def visit(service: Service) -> dict[str, set[str]]:
    """Every client searches and clicks once, under what is released now: version that drew the plan -> clients."""
    service.reload()
    drew = defaultdict(set)
    for client in CLIENTS:
        asked = Query(new_query_id(), "love", time.time(), client_id=client)
        page = service.search(asked)
        service.record([click(asked.id, page.impression.shown[0], time=time.time(), client_id=client)])
        drew[page.impression.choice.policy].add(client)
    return dict(drew)


def learn(settings: Settings) -> None:
    time.sleep(settings.feedback.window_s + 0.1)
    loop = build_learning(settings)
    loop.step(time.time())
    loop.close()


def bowerbird(settings: Settings, folder: Path, *arguments: str) -> Any:
    (folder / "own.toml").write_text(OWN)
    options = ["--config", str(folder / "own.toml"), "--data-dir", settings.service.data_dir]
    command = [sys.executable, "-m", "app.cli", *options, "policy", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_from_warm_up_to_champion_and_back(service: Service, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no candidate"):
        promote_candidate(settings, force=True)
    (warmup,) = visit(service)
    learn(settings)
    candidate = standing(settings).rollout.candidate
    assert candidate.startswith("coverage-")
    assert set(visit(service)) == {warmup}  # at the gate it serves nobody
    with pytest.raises(Conflict, match="The gate cannot tell yet"):
        promote_candidate(settings, force=False)

    passed = bowerbird(settings, tmp_path, "promote", "--force")
    assert (passed["what"], passed["policy"]) == ("passed", candidate)
    assert passed["reason"] == "The operator promoted it by force. It gets 30% of the clients."
    first = visit(service)
    assert (
        f"{candidate} is at 30% of the clients." in {each.part: each for each in diagnose(settings)}["policy"].message
    )
    promote_candidate(settings, force=True)
    second = visit(service)
    assert first[candidate] < second[candidate] < set(CLIENTS)
    roles = {role["role"]: role for role in bowerbird(settings, tmp_path, "list")["roles"]}
    assert roles["candidate"] == {"role": "candidate", "policy": candidate, "share": 0.6}
    time.sleep(settings.feedback.window_s + 0.1)
    assert group_figures(settings)["candidate"].clients == len(second[candidate])

    promote_candidate(settings, force=True)
    third = visit(service)
    assert set(third) == {warmup, candidate}
    control = third[warmup]  # for ever
    assert 0 < len(control) < 30
    assert not control & second[candidate]
    learn(settings)  # the learner does not undo what was decided
    assert standing(settings).rollout.champion == candidate

    listed = bowerbird(settings, tmp_path, "list")
    assert [each["what"] for each in listed["decisions"]] == ["passed", "promoted", "promoted"]
    take_back(settings)  # the newer version that the learner has offered meanwhile
    back = take_back(settings)
    assert back.reason == f"The operator returned to {warmup}."
    assert set(visit(service)) == {warmup}
    rows = [row.impression for row in service.store.impressions(after=0, limit=1_000)]
    assert all(row.choice == service.serving.policy.choose(row.query, row.context) for row in rows[-len(CLIENTS) :])


def test_without_stages_the_newest_policy_serves_all_but_the_control(
    tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> None:
    rollout = {"enabled": True, "control": 0.2, "stages": []}
    settings = prepared(tmp_path_factory, cache, rollout=rollout, policy={"explore": 0.5, "min_clicked": 20})
    service = build_service(settings)
    service.start()
    visit(service)
    learn(settings)
    drew = visit(service)
    (control,) = (version for version in drew if version.startswith("warmup"))
    (learned,) = (version for version in drew if version.startswith("coverage"))
    found = standing(settings)
    assert {role: policy.version for role, (policy, _) in found.serving.parts.items()} == {
        "champion": learned,
        "control": control,
    }
    assert drew[control] == {
        client for client in CLIENTS if in_control(Query(new_query_id(), "", 0.0, client_id=client), 0.2)
    }
    with pytest.raises(NotFound):
        promote_candidate(settings, force=True)
    service.close()
