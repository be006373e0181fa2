"""From releases to what serves: what cannot be read is done without."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from arms_with_items import Popular
from popularity_world import IDS, learner, model_of, searches
from words import item, query

from app.settings import load_settings
from app.wiring.models import Models
from app.wiring.plans import plan_library
from feedback.registry import FileRegistry


def test_a_component_that_cannot_be_read_is_served_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    arm, registry, settings = Popular(), FileRegistry(tmp_path), load_settings()
    arm.apply([item(each, each) for each in IDS], [])
    models = Models(settings, registry, plan_library(settings), (), {"popularity": (arm.load,)})

    def best() -> str:
        return arm.retrieve(query(""), 1)[0].item_id

    learned = learner()
    learned.learn(searches(["i7"] * 20, day=0))
    before = best()
    registry.publish({"popularity": model_of(learned)})
    assert (models().release, best()) == (1, "i7")
    registry.publish({"popularity": b"of another version"})
    with caplog.at_level(logging.CRITICAL):
        assert models().release == 2
    assert best() == before != "i7"
