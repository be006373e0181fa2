"""The coverage model's bytes: damage is refused in words, and serving never loads what trained it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.plans import PlanLibrary
from core.errors import CorruptModel
from core.types import Plan

LIBRARY = PlanLibrary((Plan("a", {"lexical": 10}), Plan("b", {"lexical": 50})), default="a", arms=("lexical",))
MODEL = CoverageModel(LIBRARY, ("x",), np.ones((3, 2)), np.ones((2, 2)), np.ones(2), 1.0, 0.1, 0.0, np.zeros((2, 2)))


@pytest.mark.parametrize("data", [b"", b"nonsense", MODEL.dump()[:-40], MODEL.dump()[:100]])
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(CorruptModel, match="The policy model is damaged: it cannot be read"):
        CoveragePolicy.load(data, seed=1)


def test_no_altered_byte_escapes_as_another_error() -> None:
    data = MODEL.dump()
    for place in range(len(data)):
        with suppress(CorruptModel):
            CoveragePolicy.load(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :], seed=1)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (replace(MODEL, weights=np.ones((2, 2))), "don't fit its 2 heads"),
        (replace(MODEL, head_ms=np.ones(3)), "don't fit its 2 heads"),
        (replace(MODEL, corrections=np.ones((3, 2))), "and 2 plans"),
        (replace(MODEL, novelty=np.ones((3, 3))), "don't fit its 2 heads"),
        (replace(MODEL, weights=np.full((3, 2), np.nan)), "not finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(model: CoverageModel, message: str) -> None:
    with pytest.raises(CorruptModel, match=message):
        CoverageModel.load(model.dump())


def test_neither_serving_nor_naming_the_learner_loads_vw() -> None:
    code = "import bandit.coverage.policy, bandit.coverage.learner, sys; sys.exit('vowpalwabbit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
