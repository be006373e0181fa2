"""Vectors are computed once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.types import Floats
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings


class Letters:
    """An encoder that counts letters, and what it was asked."""

    dimension = 26

    def __init__(self, version: str = "letters-1") -> None:
        self.version = version
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Floats:
        self.asked += texts
        counts = np.array([[text.count(chr(97 + n)) + 1e-3 for n in range(26)] for text in texts], dtype=np.float32)
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        return self.encode(texts)


def test_a_text_is_encoded_once_even_after_a_restart(tmp_path: Path) -> None:
    first, told = Letters(), list[int]()
    stored = StoredEmbeddings(first, tmp_path / "v.sqlite")
    vectors = stored.encode(["a long one about lamps", "lamp", "chair"], told.append)
    assert sorted(first.asked) == ["a long one about lamps", "chair", "lamp"]
    assert sum(told) == 3
    stored.close()
    second = Letters()
    again = StoredEmbeddings(second, tmp_path / "v.sqlite")
    mixed = again.encode(["chair", "sofa", "a long one about lamps"])
    assert second.asked == ["sofa"]
    assert np.array_equal(mixed[[0, 2]], vectors[[2, 0]])
    assert np.allclose(mixed[1], Letters().encode(["sofa"])[0])
    again.close()


def test_other_weights_never_reuse_a_vector(tmp_path: Path) -> None:
    for encoder in (Letters("letters-1"), Letters("letters-2")):
        stored = StoredEmbeddings(encoder, tmp_path / "v.sqlite")
        stored.encode(["lamp"])
        assert encoder.asked == ["lamp"]
        stored.close()


def test_queries_that_were_just_searched_are_not_encoded_again(tmp_path: Path) -> None:
    encoder = Letters()
    stored, newest = StoredEmbeddings(encoder, tmp_path / "v.sqlite"), QueryVectors(encoder)
    stored.look_first(newest)
    searched = newest("lamp")
    vectors = stored.encode_queries(["chair", "lamp", "sofa"])
    assert sorted(encoder.asked) == ["chair", "lamp", "sofa"]
    assert np.array_equal(vectors[1], searched)
    assert np.array_equal(vectors, Letters().encode_queries(["chair", "lamp", "sofa"]))
    assert stored.encode_queries([]).shape == (0, 26)
    assert stored.encode_queries(["lamp"]).shape == (1, 26)
    stored.close()


def test_many_askers_share_one_computation() -> None:
    encoder, gate = Letters(), threading.Barrier(8)
    vectors = QueryVectors(encoder)

    def ask(_: int) -> Floats:
        gate.wait()
        return vectors("lamp")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert encoder.asked == ["lamp"]
    assert all(np.array_equal(vector, found[0]) for vector in found)


def test_the_oldest_query_is_forgotten_and_a_failure_is_not_remembered() -> None:
    encoder = Letters()
    vectors = QueryVectors(encoder, capacity=2)
    for text in ("a", "b", "a", "c"):
        vectors(text)
    assert "a" in vectors
    assert "b" not in vectors
    encoder.encode = _fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="no memory"):
        vectors("d")
    assert "d" not in vectors


def _fail(texts: Sequence[str]) -> Floats:
    raise RuntimeError("no memory")
