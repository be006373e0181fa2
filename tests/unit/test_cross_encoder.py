"""A real cross-encoder, tiny and trained in the test: what it reads, and folders that hold none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_cross_encoder import save_tiny_cross_encoder
from words import item, query

from core.errors import InvalidConfig
from core.types import Candidate
from ranking.cross_encoder import CrossEncoderModel, blend
from retrievers.document import title

JEWELS = [Candidate(item(name, name), {}, {}) for name in ("large gold ring", "large silver chain", "gold chain")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


def test_it_reads_query_and_item_together(folder: Path) -> None:
    model = CrossEncoderModel(folder, title)
    moon, sun = model.score(query("moon"), JEWELS), model.score(query("sun"), JEWELS)
    assert moon[1] > max(moon[0], moon[2])
    assert sun[1] < min(sun[0], sun[2])
    np.testing.assert_allclose(moon[::-1], model.score(query("moon"), JEWELS[::-1]), atol=1e-5)
    assert model.version.startswith("tiny-")


def test_one_candidate_and_none(folder: Path) -> None:
    model = CrossEncoderModel(folder, title)
    assert model.score(query("moon"), JEWELS[:1]).shape == (1,)
    assert model.score(query("moon"), []).shape == (0,)


def test_what_is_no_cross_encoder_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match=r"neural\.model = .*nowhere.*no folder with a config\.json"):
        CrossEncoderModel(tmp_path / "nowhere", title)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    with pytest.raises(InvalidConfig, match="cannot be loaded"):
        CrossEncoderModel(tmp_path / "broken", title)
    with pytest.raises(InvalidConfig, match="3 outputs instead of 1"):
        CrossEncoderModel(save_tiny_cross_encoder(tmp_path / "three", outputs=3), title)


def test_a_blend_by_hand() -> None:
    ranker, neural = np.array([3.0, 2.0, 1.0]), np.array([-5.0, 5.0, 0.0])
    np.testing.assert_allclose(blend(ranker, neural, 0.0), [1, 0.5, 0])
    np.testing.assert_allclose(blend(ranker, neural, 1.0), [0, 1, 0.5])
    np.testing.assert_allclose(blend(ranker, neural, 0.5), [0.5, 0.75, 0.25])
    np.testing.assert_allclose(blend(np.ones(2), np.array([1.0, 2.0]), 0.5), [0, 0.5])


def test_nothing_heavy_is_imported_while_it_is_off() -> None:
    heavy = "{'torch', 'sentence_transformers', 'transformers'}"
    code = f"import sys, app.wiring.service; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
