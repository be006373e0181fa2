"""What stands between text and the sparse index: weighted terms of an item, and of a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.types import Item
from retrievers.impact.bm25 import Bm25
from retrievers.impact.index import ImpactIndex


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """Terms and weights (above 0) of a query: those it was put in, and those that were added. None is in both."""

    own: Mapping[str, float]
    added: Mapping[str, float]


class TermWeights(Protocol):
    """A sparse encoder."""

    @property
    def bm25(self) -> Bm25 | None:
        """How the index is to read the weights: as term frequencies, or (None) as they are."""
        ...

    @property
    def edition(self) -> int:
        """Grows when queries get other terms though nobody has called anything here; see Repeatable."""
        ...

    def load(self, model: bytes | None) -> None:
        """Swap what was learned from clicks in; None forgets it."""
        ...

    def refresh(self, index: ImpactIndex) -> None:
        """The index has changed: learn from it again what needs to be."""
        ...

    def saving(self) -> Callable[[Path], None]:
        """Writes, when called, what is known now of the index to a folder, if anything."""
        ...

    def restore(self, folder: Path, index: ImpactIndex) -> None:
        """Know again what was saved there of `index`, which is restored already."""
        ...

    def documents(self, items: Sequence[Item]) -> list[Mapping[str, float]]:
        """Term -> weight above 0, for each item."""
        ...

    def query(self, text: str) -> QueryTerms: ...

    def signals(self, text: str) -> Mapping[str, float]:
        """What the arm says about the query; see Retriever.signals."""
        ...
