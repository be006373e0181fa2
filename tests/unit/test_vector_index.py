"""The vector index against comparing with everything, while items come and go."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from words import item

from core.types import Floats, Item, ItemId
from retrievers.vector_index import VectorIndex

DIMENSION = 48


def unit(count: int, seed: int) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def upserts(vectors: Floats, start: int = 0) -> dict[ItemId, tuple[Item, Floats]]:
    made = (
        item(f"i{n:06d}", "Lamp", colour="red" if n % 10 == 0 else "blue") for n in range(start, start + len(vectors))
    )
    return {each.id: (each, vector) for each, vector in zip(made, vectors, strict=True)}


def brute(known: dict[ItemId, Floats], query: Floats, depth: int) -> list[ItemId]:
    return sorted(known, key=lambda item_id: (-float(known[item_id] @ query), item_id))[:depth]


def test_exact_after_any_changes() -> None:
    index = VectorIndex(DIMENSION)
    known: dict[ItemId, Floats] = {}
    random = np.random.default_rng(5)
    for step in range(12):
        added = upserts(unit(400, step), start=int(random.integers(3_000)))
        gone = [item_id for item_id in known if random.random() < 0.3]
        index.change(added, gone)
        known = {k: v for k, v in known.items() if k not in set(gone)} | {k: v for k, (_, v) in added.items()}
        query = unit(1, 100 + step)[0]
        assert [hit.item_id for hit in index.nearest(query, 20, {})] == brute(known, query, 20)
        assert len(index) == len(known)
    some = list(known)[:5]
    mean = index.mean({ItemId("never"): 5.0, **dict.fromkeys(some, 2.0)})
    total = np.sum([known[item_id] for item_id in some], axis=0)
    assert mean is not None
    assert np.allclose(mean, total / np.linalg.norm(total), atol=1e-6)
    assert index.mean({ItemId("never"): 1.0}) is None
    found = index.item(some[0])
    assert found is not None
    assert found.id == some[0]


def test_filters_see_the_whole_index() -> None:
    index = VectorIndex(DIMENSION)
    index.change(upserts(unit(2_000, 1)), [])
    hits = index.nearest(unit(1, 2)[0], 150, {"colour": ("red",)})
    assert len(hits) == 150
    assert all(int(hit.item_id[1:]) % 10 == 0 for hit in hits)
    assert len(index.nearest(unit(1, 2)[0], 500, {"colour": ("red",)})) == 200


@pytest.fixture(scope="module")
def clustered() -> Floats:
    """Vectors in clusters, as texts are."""
    random = np.random.default_rng(3)
    centres = unit(200, 4)
    vectors = centres[random.integers(200, size=20_000)] + 0.15 * random.normal(size=(20_000, DIMENSION))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_the_compressed_index_finds_nearly_all_and_what_came_after_it(clustered: Floats) -> None:
    index = VectorIndex(DIMENSION, compress_from=10_000)
    index.change(upserts(clustered[:19_000]), [])
    index.wait()
    assert index._rows.covered == 19_000
    index.change(upserts(clustered[19_000:], start=19_000), [ItemId("i000000")])
    known = {k: v for k, (_, v) in upserts(clustered).items() if k != "i000000"}
    found = []
    for query in clustered[::400]:
        truth = brute(known, query, 50)
        hits = [hit.item_id for hit in index.nearest(query, 50, {})]
        assert hits[0] == truth[0]
        assert "i000000" not in hits
        found.append(len(set(hits) & set(truth)) / 50)
    assert np.mean(found) > 0.95


def test_searches_run_while_items_come_and_go(clustered: Floats) -> None:
    index = VectorIndex(DIMENSION, compress_from=3_000)
    index.change(upserts(clustered[:2_000]), [])
    failures: list[Exception] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                assert len(index.nearest(clustered[7], 30, {})) == 30
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for start in range(2_000, 12_000, 500):
        index.change(upserts(clustered[start : start + 500], start=start), [ItemId(f"i{start - 2_000:06d}")])
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
