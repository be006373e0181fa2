"""The structured arm: reads a query as constraints on the catalogue's attributes and searches by the best readings."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.pace import unhurried
from core.types import Item, ItemId, Query, Scored
from retrievers.structure.facts import Facts, facts_of
from retrievers.structure.lexicon import Lexicon
from retrievers.structure.postings import Mask, Postings, Snapshot, brevity
from retrievers.structure.readings import Lifts, Reading, readings
from retrievers.structure.readings_model import load_lifts
from retrievers.structure.search import ranked

_KEPT = 512  # readings of queries
# Rows of replaced and deleted items are carried along until they are so many, and as many as the others.
_MAX_DEAD = 1_000


class _Known(NamedTuple):
    """The readings of queries, by text, under one state of the catalogue and of what clicks say."""

    snapshot: Snapshot
    lifts: Lifts
    readings: dict[str, Sequence[Reading]]


class StructuredRetriever:
    """Items by the likelihood that they are what the query means, summed over its best few readings."""

    name = "structured"

    def __init__(self, items: Mapping[ItemId, Item]) -> None:
        """`items` is kept up to date by somebody else, but only after `apply`: what an item said is taken back."""
        self._writing = Lock()
        self._items = items
        self._rows: dict[ItemId, int] = {}
        self._lexicon = Lexicon()
        self._lengths: NDArray[np.float64] = np.empty(0)
        self._lifts: Lifts = {}
        self._snapshot = _snapshot(Postings(), np.empty(0, dtype=np.bool_), self._lengths)
        self._known = _Known(self._snapshot, self._lifts, {})
        self._editions = count(1)
        self.edition = 0  # another one with every change of what is found

    def load(self, model: bytes | None) -> None:
        """Swap in what clicks say of readings; None forgets it."""
        self._lifts = load_lifts(model) if model else {}
        self.edition = next(self._editions)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            latest = {item.id: item for item in upserts}
            changed = [item for item in latest.values() if item.id not in self._rows or self._items[item.id] != item]
            gone = [item_id for item_id in deletes if item_id not in latest]
            read = [(item, facts_of(item)) for item in unhurried(changed)]
            self._count(read, gone)
            alive = self._snapshot.alive.copy()
            for item_id in (*gone, *(item.id for item in changed)):
                if (row := self._rows.pop(item_id, None)) is not None:
                    alive[row] = False
            postings = self._snapshot.postings
            if len(alive) - len(self._rows) > max(_MAX_DEAD, len(self._rows)):
                postings = self._compacted(postings, alive)
                alive = np.ones(len(self._rows), dtype=np.bool_)
            self._append(postings, alive, read)
            self.edition = next(self._editions)

    def save(self, folder: Path) -> None:
        self.saving()(folder)

    def saving(self) -> Callable[[Path], None]:
        """Writes, when called, what is there now."""
        with self._writing:  # the lexicon is read in portions
            alive, lengths = self._snapshot.alive, self._lengths
            postings, lexicon = self._snapshot.postings.saving(), self._lexicon.dump()

        def write(folder: Path) -> None:
            postings(folder)
            (folder / "lexicon.json").write_bytes(lexicon)
            np.savez(folder / "rows.npz", alive=alive, lengths=lengths)

        return write

    def restore(self, folder: Path) -> None:
        postings, lexicon = Postings.saved(folder), Lexicon.load((folder / "lexicon.json").read_bytes())
        with np.load(folder / "rows.npz") as rows:
            alive, lengths = rows["alive"], rows["lengths"]
        self._rows = {item_id: row for row, item_id in enumerate(postings.ids) if alive[row]}
        self._lexicon, self._lengths = lexicon, lengths
        self._snapshot = _snapshot(postings, alive, lengths)
        self.edition = next(self._editions)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        snapshot = self._snapshot
        return ranked(self._read(snapshot, query.text), self._lexicon, snapshot, query.filters, depth)

    def read(self, text: str) -> list[Reading]:
        """How the query is read, the likeliest first; see `readings`."""
        return [*self._read(self._snapshot, text)]

    def signals(self, query: Query) -> Mapping[str, float]:
        """How sure the best reading is, how much of the query it explains, and how much it narrows the catalogue."""
        snapshot = self._snapshot
        found = self._read(snapshot, query.text)
        best = found[0] if found else Reading({}, (), 0.0, 0.0)
        sizes = [snapshot.postings.count(constraint) for constraint in best.constraints]
        return {
            "likelihood": best.likelihood,
            "explained": best.explained,
            "constraints": min(len(best.constraints) / 5, 1.0),
            "certainty": min(best.constraints.values(), default=0.0),
            "matches": math.log1p(min(sizes)) / math.log(len(snapshot.alive) + 2) if sizes else 0.0,
            "has_range": float(any(not constraint.phrase for constraint in best.constraints)),
            "has_value": float(any(constraint.phrase for constraint in best.constraints)),
        }

    def _read(self, snapshot: Snapshot, text: str) -> Sequence[Reading]:
        """Read once for the signals and the answer, and for all who ask the same until something changes."""
        known, lifts = self._known, self._lifts
        if known.snapshot is not snapshot or known.lifts is not lifts or len(known.readings) >= _KEPT:
            known = self._known = _Known(snapshot, lifts, {})
        if (found := known.readings.get(text)) is None:
            found = known.readings[text] = readings(text, self._lexicon, lifts, snapshot.postings.share)
        return found

    def _count(self, read: list[tuple[Item, Facts]], gone: Sequence[ItemId]) -> None:
        """Tell the lexicon what items say now, and no longer."""
        for item, facts in unhurried(read):
            if item.id in self._rows:
                self._lexicon.replace(facts_of(self._items[item.id]), facts)
            else:
                self._lexicon.add(facts)
        for item_id in dict.fromkeys(gone):
            if item_id in self._rows:
                self._lexicon.remove(facts_of(self._items[item_id]))

    def _append(self, postings: Postings, alive: Mask, items: list[tuple[Item, Facts]]) -> None:
        """Index the items on new rows, and only then show readers the new state."""
        for row, (item, _) in enumerate(items, start=len(postings.ids)):
            self._rows[item.id] = row
        postings.append(items)
        self._lengths = np.concatenate([self._lengths, np.array([facts.title_length for _, facts in items], float)])
        self._snapshot = _snapshot(postings, np.concatenate([alive, np.ones(len(items), np.bool_)]), self._lengths)

    def _compacted(self, postings: Postings, alive: Mask) -> Postings:
        """Postings without the rows of items that are gone."""
        postings = postings.compacted(alive)
        self._lengths = self._lengths[alive]
        self._rows = {item_id: row for row, item_id in enumerate(postings.ids)}
        return postings


def _snapshot(postings: Postings, alive: Mask, lengths: NDArray[np.float64]) -> Snapshot:
    return Snapshot(postings, alive, brevity(lengths, alive), postings.rank, int(np.count_nonzero(alive)))
