"""The structured arm: reads a query as constraints on the catalogue's attributes and searches by the best readings."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import count
from operator import itemgetter
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.pace import unhurried
from core.types import Item, ItemId, Query, Scored
from retrievers.structure.facts import Facts, facts_of, figures_of
from retrievers.structure.lexicon import Lexicon
from retrievers.structure.postings import Mask, Postings, Row, Snapshot, brevity
from retrievers.structure.readings import Lifts, Reading, readings
from retrievers.structure.readings_model import load_lifts
from retrievers.structure.search import ranked

_KEPT = 512  # readings of queries
# Rows of deleted items are carried along until they are so many, and as many as the others.
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
            postings, alive = self._without([item_id for item_id in deletes if item_id not in latest])
            fresh = count(len(postings.ids))
            told = [(self._rows[item.id] if item.id in self._rows else next(fresh), item) for item in changed]
            old, new = self._before_and_now(told, facts_of)
            self._count(old, new)
            self._change(postings, alive, old, new)
            self.edition = next(self._editions)

    def reprice(self, items: Sequence[Item]) -> None:
        """Nobody looks at the words."""
        with self._writing:
            old, new = self._before_and_now([(self._rows[item.id], item) for item in items], figures_of)
            self._count(old, new)
            self._snapshot.postings.change(old, new)
            self._snapshot = replace(self._snapshot)  # what was read by the one before may be read otherwise now
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

    def _without(self, deletes: Sequence[ItemId]) -> tuple[Postings, Mask]:
        """The rows that there are, and those of them whose items stay."""
        gone = [item_id for item_id in dict.fromkeys(deletes) if item_id in self._rows]
        for item_id in unhurried(gone):
            self._lexicon.remove(facts_of(self._items[item_id]))
        postings, alive = self._snapshot.postings, self._snapshot.alive.copy()
        alive[[self._rows.pop(item_id) for item_id in gone]] = False
        if len(alive) - len(self._rows) > max(_MAX_DEAD, len(self._rows)):
            return self._compacted(postings, alive), np.ones(len(self._rows), dtype=np.bool_)
        return postings, alive

    def _before_and_now(
        self, told: Sequence[tuple[int, Item]], facts: Callable[[Item], Facts]
    ) -> tuple[list[Row], list[Row]]:
        """What the items of these rows said, as far as they were there, and what they say; ascending."""
        now = sorted(told, key=itemgetter(0))
        before = [(number, self._items[item.id]) for number, item in now if item.id in self._rows]
        old, new = ([Row(number, item, facts(item)) for number, item in unhurried(some)] for some in (before, now))
        return old, new

    def _count(self, old: Sequence[Row], new: Sequence[Row]) -> None:
        """Tell the lexicon what items say now, and no longer."""
        before = {row.number: row.facts for row in old}
        for row in unhurried(new):
            if row.number in before:
                self._lexicon.replace(before[row.number], row.facts)
            else:
                self._lexicon.add(row.facts)

    def _change(self, postings: Postings, alive: Mask, old: Sequence[Row], new: Sequence[Row]) -> None:
        """Index what the items say now, and only then show readers the new state."""
        postings.change(old, new)
        lengths = np.concatenate([self._lengths, np.zeros(len(postings.ids) - len(alive))])
        lengths[[row.number for row in new]] = [row.facts.title_length for row in new]
        self._rows |= {row.item.id: row.number for row in new}
        self._lengths = lengths
        self._snapshot = _snapshot(
            postings, np.concatenate([alive, np.ones(len(lengths) - len(alive), np.bool_)]), lengths
        )

    def _compacted(self, postings: Postings, alive: Mask) -> Postings:
        """Postings without the rows of items that are gone."""
        postings = postings.compacted(alive)
        self._lengths = self._lengths[alive]
        self._rows = {item_id: row for row, item_id in enumerate(postings.ids)}
        return postings


def _snapshot(postings: Postings, alive: Mask, lengths: NDArray[np.float64]) -> Snapshot:
    return Snapshot(postings, alive, brevity(lengths, alive), postings.rank, int(np.count_nonzero(alive)))
