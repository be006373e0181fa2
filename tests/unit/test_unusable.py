"""The learner that cannot be made, among those that can."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from builders import click, impression

from app.settings import load_settings
from app.wiring.learning import build_learning
from app.wiring.stores import open_store
from core.errors import InvalidConfig


def test_without_its_judgments_no_ranker_is_learned_and_all_else_is(tmp_path: Path) -> None:
    """Somebody has moved the file while a service runs: without it, a worse model could pass."""
    overrides = {"service": {"data_dir": str(tmp_path)}, "ranking": {"judgments": "moved.csv"}}
    settings = load_settings(overrides=overrides)
    with pytest.raises(InvalidConfig, match=r"ranking\.judgments = 'moved\.csv'"):
        build_learning(settings)
    with closing(open_store(settings)) as store:
        store.append_impression(impression("q1", time=1.0))
        store.append_feedback([click("q1", "a", time=2.0)])
    with closing(build_learning(settings, wait=False)) as loop:
        step = loop.step(10_000.0)
    assert list(step.failed) == ["ranker"]
    assert step.failed["ranker"].startswith("ranking.judgments = 'moved.csv': Cannot read moved.csv")
    assert "memory" in step.made
