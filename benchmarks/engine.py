"""What an engine is to the speed benchmark, and what all of them are given: the same items, vectors and queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.catalogue import SyntheticItems, title_queries
from benchmarks.vectors import realistic
from core.types import Floats, Item

DEPTH = 100
QUERIES = 500
JUDGED = 100  # of the queries' recalls are measured
BATCH = 5_000


class Engine(Protocol):
    """One way of searching. `build` runs in one process, `open` and `ask` in another, as in a service that starts."""

    @property
    def group(self) -> str:
        """What it competes in: lexical, vector, hybrid, or the name of an arm that has no rival here."""
        ...

    @property
    def stated(self) -> str:
        """Kind of index and parameters, for the table."""
        ...

    @property
    def modules(self) -> Sequence[str]:
        """Packages to import before anything is measured."""
        ...

    def build(self, data: Data, folder: Path) -> None:
        """Index everything; leave in the folder what `open` needs."""
        ...

    def open(self, data: Data, folder: Path) -> None:
        """Become ready to answer. What cannot be stored is built again, and that is its load time."""
        ...

    def ask(self, n: int) -> Sequence[int]:
        """Row numbers of the DEPTH best for the n-th query, best first."""
        ...


@dataclass(frozen=True, slots=True)
class Data:
    """Items by row; `vectors` [items, d] and `asked` [QUERIES, d] of length 1, mapped from files; texts of queries.

    `nearest` [JUDGED, DEPTH]: the true nearest rows of the first queries' vectors.
    """

    items: SyntheticItems
    queries: Sequence[str]
    vectors: Floats
    asked: Floats
    nearest: NDArray[np.int64]

    def batches(self) -> Iterator[tuple[list[Item], Floats]]:
        for start in range(0, len(self.items), BATCH):
            yield self.items[start : start + BATCH], self.vectors[start : start + BATCH]

    @classmethod
    def write(cls, folder: Path, count: int, seed: int) -> None:
        """What takes long to make, once for all engines."""
        vectors, asked = realistic(count, QUERIES, seed)
        _, nearest = faiss.knn(asked[:JUDGED], vectors, DEPTH, faiss.METRIC_INNER_PRODUCT)
        for name, array in (("vectors", vectors), ("asked", asked), ("nearest", nearest)):
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def open(cls, folder: Path, count: int, seed: int) -> Data:
        items = SyntheticItems(count, seed)
        vectors, asked, nearest = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("vectors", "asked", "nearest")
        )
        return cls(items, title_queries(items, QUERIES, seed), vectors, np.array(asked), np.array(nearest))


def plain_text(item: Item) -> str:
    """What engines that take one text are given."""
    return f"{item.fields['title']} {item.fields['description']}"
