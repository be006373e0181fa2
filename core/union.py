"""The candidates of one search, by arm, and by row where somebody looks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from core.types import Candidate, Item, ItemId, Scored


@dataclass(frozen=True, slots=True)
class ArmColumn:
    """What one arm found: `rows` among the candidates, in order of `ranks` (from 1), with the arm's own `scores`;
    `predicted` are the rows that it only predicts."""

    rows: NDArray[np.intp]
    ranks: NDArray[np.float64]
    scores: NDArray[np.float64]
    predicted: NDArray[np.intp]


class Placed(NamedTuple):
    """An arm's answer, and by row of the candidates the rank (from 1) that it has there, best first."""

    hits: Sequence[Scored]
    ranks: Mapping[int, int]

    def column(self) -> ArmColumn:
        whole = len(self.ranks) == len(self.hits)
        hits = self.hits if whole else [self.hits[rank - 1] for rank in self.ranks.values()]
        _, scores, predicted, _ = zip(*hits, strict=True) if hits else ((), (), (), ())
        rows = np.array([*self.ranks], dtype=np.intp)
        return ArmColumn(
            rows,
            np.array([*self.ranks.values()], dtype=np.float64),
            np.array(scores, dtype=np.float64),
            rows[np.array(predicted, dtype=bool)] if any(predicted) else rows[:0],
        )


class _Candidates(Sequence[Candidate]):
    """What all sequences of candidates have in common."""

    @abstractmethod
    def _at(self, row: int) -> Candidate:
        """`row` from 0 on."""

    @overload
    def __getitem__(self, row: int) -> Candidate: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[Candidate, ...]: ...
    def __getitem__(self, row: int | slice) -> Candidate | tuple[Candidate, ...]:
        rows = range(len(self))[row]
        return self._at(rows) if isinstance(rows, int) else tuple([self._at(each) for each in rows])


class Union(_Candidates):
    """A sequence of candidates that are made when somebody looks at them: of 200, ten are shown, and who needs the
    ranks of all has them by arm."""

    def __init__(self, items: Mapping[ItemId, Item], answers: Mapping[str, Placed]) -> None:
        """`items` are the candidates, in their order; they stay as they are."""
        self.ids = tuple(items)
        self.by_arm = {arm: placed.column() for arm, placed in answers.items()}
        self._items = items
        self._answers = answers
        self._made: dict[int, Candidate] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Union) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def _at(self, row: int) -> Candidate:
        if (made := self._made.get(row)) is None:
            made = self._made[row] = self._candidate(row)
        return made

    def _candidate(self, row: int) -> Candidate:
        ranks = {arm: rank for arm, placed in self._answers.items() if (rank := placed.ranks.get(row))}
        found = {arm: self._answers[arm].hits[rank - 1] for arm, rank in ranks.items()}
        return Candidate(
            self._items[self.ids[row]],
            ranks,
            {arm: hit.score for arm, hit in found.items()},
            frozenset([arm for arm, hit in found.items() if hit.predicted]),
            {arm: hit.why for arm, hit in found.items() if hit.why},
        )


class Ordered(_Candidates):
    """Candidates in another order: `rows` of `of`, each there once at most."""

    def __init__(self, of: Sequence[Candidate], rows: Sequence[int]) -> None:
        known = of._rows if isinstance(of, Ordered) else range(len(of))
        self._of: Sequence[Candidate] = of._of if isinstance(of, Ordered) else of
        self._rows: Sequence[int] = [known[row] for row in rows]

    def __len__(self) -> int:
        return len(self._rows)

    def _at(self, row: int) -> Candidate:
        return self._of[self._rows[row]]

    @property
    def ids(self) -> tuple[ItemId, ...]:
        return tuple(map(ids_of(self._of).__getitem__, self._rows))


def ids_of(candidates: Sequence[Candidate]) -> tuple[ItemId, ...]:
    """The ids of candidates from anywhere."""
    if isinstance(candidates, Union | Ordered):
        return candidates.ids
    return tuple([each.item.id for each in candidates])


def by_arm(candidates: Sequence[Candidate]) -> Mapping[str, ArmColumn]:
    """The columns of candidates from anywhere."""
    if isinstance(candidates, Union):
        return candidates.by_arm
    rows: dict[str, list[int]] = {}
    for row, candidate in enumerate(candidates):
        for arm in candidate.ranks:
            rows.setdefault(arm, []).append(row)
    return {arm: _column(arm, found, candidates) for arm, found in rows.items()}


def _column(arm: str, rows: list[int], candidates: Sequence[Candidate]) -> ArmColumn:
    rows = sorted(rows, key=lambda row: candidates[row].ranks[arm])
    found = [candidates[row] for row in rows]
    return ArmColumn(
        np.array(rows, dtype=np.intp),
        np.array([each.ranks[arm] for each in found], dtype=np.float64),
        np.array([each.scores[arm] for each in found], dtype=np.float64),
        np.array([row for row in rows if arm in candidates[row].predicted], dtype=np.intp),
    )
