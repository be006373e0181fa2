"""The vector index against comparing with everything, while items come and go."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import numpy as np
import pytest
from words import item

from core.types import Floats, Item, ItemId
from retrievers.vectors.index import VectorIndex
from retrievers.vectors.rows import TAIL

DIMENSION = 48


def unit(count: int, seed: int) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def upserts(vectors: Floats, start: int = 0) -> dict[ItemId, Floats]:
    return {ItemId(f"i{n:06d}"): vector for n, vector in enumerate(vectors, start=start)}


def table(count: int) -> dict[ItemId, Item]:
    """Every tenth is red."""
    made = (item(f"i{n:06d}", "Lamp", colour="red" if n % 10 == 0 else "blue") for n in range(count))
    return {each.id: each for each in made}


def brute(known: dict[ItemId, Floats], query: Floats, depth: int) -> list[ItemId]:
    return sorted(known, key=lambda item_id: (-float(known[item_id] @ query), item_id))[:depth]


def test_exact_after_any_changes() -> None:
    index = VectorIndex(DIMENSION, {})
    known: dict[ItemId, Floats] = {}
    random = np.random.default_rng(5)
    for step in range(12):
        added = upserts(unit(400, step), start=int(random.integers(3_000)))
        gone = [item_id for item_id in known if random.random() < 0.3]
        index.change(added, gone)
        known = {k: v for k, v in known.items() if k not in set(gone)} | added
        query = unit(1, 100 + step)[0]
        assert [hit.item_id for hit in index.nearest(query, 20, {})] == brute(known, query, 20)
        assert len(index) == len(known)
    some = list(known)[:5]
    mean = index.now().mean({ItemId("never"): 5.0, **dict.fromkeys(some, 2.0)})
    total = np.sum([known[item_id] for item_id in some], axis=0)
    assert mean is not None
    assert np.allclose(mean, total / np.linalg.norm(total), atol=1e-6)
    assert index.now().mean({ItemId("never"): 1.0}) is None


def test_filters_see_the_whole_index() -> None:
    index = VectorIndex(DIMENSION, table(2_000))
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


def recall(index: VectorIndex, known: dict[ItemId, Floats], queries: Floats) -> float:
    """At 50; the nearest of all must be found, and nothing that isn't there."""
    ids, vectors, found = list(known), np.array(list(known.values())), []
    for query in queries:
        truth = [ids[row] for row in np.argsort(-(vectors @ query))[:50]]
        hits = [hit.item_id for hit in index.nearest(query, 50, {})]
        assert hits[0] == truth[0]
        assert set(hits) <= set(known)
        found.append(len(set(hits) & set(truth)) / 50)
    return float(np.mean(found))


def test_the_compressed_index_finds_nearly_all_and_what_came_after_it(clustered: Floats) -> None:
    index = VectorIndex(DIMENSION, {}, compress_from=10_000)
    index.change(upserts(clustered[:19_000]), [])
    index.wait()
    assert index._rows.covered == 19_000
    index.change(upserts(clustered[19_000:], start=19_000), [ItemId("i000000")])
    known = {k: v for k, v in upserts(clustered).items() if k != "i000000"}
    assert 0.95 < recall(index, known, clustered[::400]) <= 1


def test_a_long_tail_is_compressed_without_training_again(clustered: Floats) -> None:
    index = VectorIndex(DIMENSION, {}, compress_from=10_000)
    index.change(upserts(clustered[:11_000]), [])
    index.wait()
    for start in range(11_000, 20_000, 500):
        index.change(upserts(clustered[start : start + 500], start=start), [])
        assert index._rows.count - index._rows.covered <= TAIL
    index.wait()
    assert index._rows.trained == 11_000
    assert index._rows.covered > 11_000
    assert 0.95 < recall(index, upserts(clustered), clustered[::400]) <= 1


def test_replacing_every_item_again_and_again(clustered: Floats) -> None:
    """Rows are renumbered beside the changes: neither a new vector nor a deleted item may get lost."""
    index = VectorIndex(DIMENSION, {}, compress_from=3_000)
    known: dict[ItemId, Floats] = {}
    random = np.random.default_rng(8)
    for step in range(60):
        start, gone = int(random.integers(5_500)), [ItemId(f"i{n:06d}") for n in random.integers(6_000, size=20)]
        added = {k: v for k, v in upserts(clustered[step * 330 :][:330], start=start).items() if k not in set(gone)}
        index.change(added, gone)
        known = {k: v for k, v in known.items() if k not in set(gone)} | added
    index.wait()
    assert len(index) == len(known)
    assert index._rows.count < 2 * len(known)
    assert all(np.array_equal(index._rows.vectors[row], known[item_id]) for item_id, row in index._row.items())
    assert 0.95 < recall(index, known, np.array(list(known.values())[::100])) <= 1


@pytest.mark.parametrize("count", [100, 2_000, 12_000])
def test_what_was_saved_comes_back(clustered: Floats, count: int, tmp_path: Path) -> None:
    index = VectorIndex(DIMENSION, {}, compress_from=10_000)
    index.change(upserts(clustered[:count]), [])
    index.wait()
    index.change({}, [ItemId("i000007")])
    index.save(tmp_path)
    restored = VectorIndex(DIMENSION, {}, compress_from=10_000)
    restored.restore(tmp_path)
    assert len(restored) == len(index)
    for query in clustered[::1_000]:
        assert restored.nearest(query, 30, {}) == index.nearest(query, 30, {})
    # Changes go on from there, and nothing is compressed anew.
    known = {k: v for k, v in upserts(clustered[: count + 1_000]).items() if k not in {"i000007", "i000008"}}
    for each in (index, restored):
        each.change(upserts(clustered[count : count + 1_000], start=count), [ItemId("i000007"), ItemId("i000008")])
    assert restored._rebuilding is None
    assert recall(restored, known, clustered[5:19_000:800]) > 0.95
    assert all(restored.nearest(query, 9, {}) == index.nearest(query, 9, {}) for query in clustered[::1_000])


@pytest.mark.parametrize("late", [100, 3_000, 15_000])
def test_what_is_written_late_is_of_its_moment(clustered: Floats, late: int, tmp_path: Path) -> None:
    """Meanwhile rows are emptied, filled, moved to a larger place, and numbered anew."""
    index = VectorIndex(DIMENSION, {}, compress_from=10_000)
    index.change(upserts(clustered[:3_000]), [])
    expected = [index.nearest(query, 30, {}) for query in clustered[:3_000:100]]
    write = index.saving()
    for start in range(0, late, 100):
        index.change(upserts(clustered[3_000 + start :][:100], start=start), [ItemId(f"i{start + 7:06d}")])
    index.wait()
    write(tmp_path)
    restored = VectorIndex(DIMENSION, {}, compress_from=10_000)
    restored.restore(tmp_path)
    assert len(restored) == 3_000
    assert [restored.nearest(query, 30, {}) for query in clustered[:3_000:100]] == expected
    del write
    gc.collect()
    assert not index._moments


def test_searches_run_while_items_come_and_go(clustered: Floats) -> None:
    index = VectorIndex(DIMENSION, {}, compress_from=3_000)
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
