"""Searches the readings of one query over posting lists, relaxes them, and ranks what they find."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.filters import Filters
from core.text import query_tokens
from core.types import Scored
from retrievers.ascending import once
from retrievers.highest import highest
from retrievers.structure.lexicon import Lexicon
from retrievers.structure.postings import Mask, Rows, Snapshot
from retrievers.structure.readings import Constraint, Reading

# A reading that matches fewer items gives up its least certain constraint, and so on until the last.
ENOUGH = 100
# "Just words" takes the items of further, commoner words only while it has fewer than this.
ENOUGH_WORDS = 1_000
# Log-odds lost by an item that lacks a constraint held for certain, or the rarest of words: one in twenty means it.
_LACKS_VALUE = 3.0
_LACKS_WORD = 3.0
_OVERLAP = 1.0
_BITS = 8  # of a code
T = TypeVar("T")
Likelihoods = NDArray[np.float64]
# What NumPy indexes by without a conversion; posting lists are half as wide.
Indices = NDArray[np.intp]
_NONE: Rows = np.empty(0, dtype=np.int32)


class _Masks:
    """What holds a word or meets a constraint: the dense masks of one request, each made once."""

    def __init__(self, lexicon: Lexicon, snapshot: Snapshot, allowed: Mask) -> None:
        self.snapshot = snapshot
        self._allowed = allowed
        self._lexicon = lexicon
        self._masks: dict[str | Constraint, Mask] = {}

    def __call__(self, asked: str | Constraint) -> Mask:
        if asked not in self._masks:
            self._masks[asked] = self.snapshot.mask(self._list(asked))
        return self._masks[asked]

    def rows(self, asked: str | Constraint) -> Rows:
        """Those that are allowed, each once and ascending."""
        rows = self._list(asked)
        rows = once(rows[: rows.searchsorted(np.int32(len(self._allowed)))])
        return rows.compress(self._allowed.take(rows))

    def rarity(self, word: str) -> float:
        """Inverse document frequency in titles, 0 (in all) to 1 (in one or none)."""
        return 1 - math.log(max(self._lexicon.titles(word), 1)) / math.log(self.snapshot.size + 2)

    def _list(self, asked: str | Constraint) -> Rows:
        postings = self.snapshot.postings
        return postings.titles(asked) if isinstance(asked, str) else postings.satisfying(asked)


class _Held:
    """The masks at some rows, each read once."""

    def __init__(self, masks: _Masks, rows: Rows) -> None:
        self.masks = masks
        self.rows = rows
        self._read: dict[str | Constraint, Mask] = {}

    def __call__(self, asked: str | Constraint) -> Mask:
        if asked not in self._read:
            self._read[asked] = self.masks(asked).take(self.rows)
        return self._read[asked]


def ranked(
    readings: Sequence[Reading], lexicon: Lexicon, snapshot: Snapshot, filters: Filters, depth: int
) -> list[Scored]:
    """At most `depth` items by log of the likelihood summed over readings, plus how much of the title is asked for."""
    masks = _Masks(lexicon, snapshot, snapshot.allowed(filters))
    sought = [_candidates(reading, masks) for reading in readings]
    rows = _united([rows for rows, _ in sought])
    if not len(rows) or depth < 1:
        return []
    held = _Held(masks, rows)
    found = [
        _likelihood(reading, snapshot.mask(there).take(rows), given_up, held)
        for reading, (there, given_up) in zip(readings, sought, strict=True)
    ]
    asked = tuple(dict.fromkeys(word for reading in readings for word in _asked(reading)))
    scores = np.round(np.log(sum(found, np.zeros(len(rows)))) + _OVERLAP * _overlap(asked, held), 6)
    order = _top(scores, rows, snapshot.rank, depth)
    chosen = rows[order]
    speaking = np.argmax([each[order] for each in found], axis=0).tolist()
    return [
        Scored(snapshot.postings.ids[row], score, why=why)
        for row, score, why in zip(
            chosen.tolist(), scores[order].tolist(), _reasons(chosen, readings, speaking, lexicon, masks), strict=True
        )
    ]


def _likelihood(reading: Reading, there: Mask, given_up: Sequence[Constraint], held: _Held) -> Likelihoods:
    """Of each row that it is meant, by one reading; 0 where the reading has not found it."""
    lacks: list[tuple[str | Constraint, float]] = [
        (constraint, math.exp(-_LACKS_VALUE * (0.5 + 0.5 * reading.constraints[constraint]))) for constraint in given_up
    ]
    lacks += [(word, math.exp(-_LACKS_WORD * held.masks.rarity(word))) for word in reading.words]
    likelihood = np.where(there, max(reading.likelihood, 1e-9), 0.0)
    for part in _few(lacks):
        products = np.ones(1)
        for _, lost in part:
            products = np.concatenate([products * lost, products])
        likelihood *= products.take(_code([asked for asked, _ in part], held))
    return likelihood


def _few(things: Sequence[T]) -> Iterator[Sequence[T]]:
    return (things[start : start + _BITS] for start in range(0, len(things), _BITS))


def _code(asked: Sequence[str | Constraint], held: _Held) -> NDArray[np.uint8]:
    """[rows] which of these each row holds, the first in the lowest bit. Rows are many, and the ways to hold a few
    words are few: what follows from them is worked out once for each way, and looked up."""
    code = np.zeros(len(held.rows), dtype=np.uint8)
    for bit, each in enumerate(asked):
        code |= held(each).view(np.uint8) << bit
    return code


def _candidates(reading: Reading, masks: _Masks) -> tuple[Rows, list[Constraint]]:
    """Rows that meet the surest constraints, as many as leave enough rows and always the first; and the others."""
    if not reading.constraints:
        return _with_a_word(reading.words, masks), []
    surest_first = sorted(reading.constraints, key=lambda each: -reading.constraints[each])
    found = masks.rows(surest_first[0])
    for place, constraint in enumerate(surest_first[1:], start=1):
        narrowed = found.compress(masks(constraint).take(found))
        if len(narrowed) < ENOUGH:
            return found, surest_first[place:]
        found = narrowed
    return found, []


def _with_a_word(words: tuple[str, ...], masks: _Masks) -> Rows:
    """Rows with the rarest of the words in their title, and of the next rarest while there are few."""
    found = _NONE
    for word in sorted(words, key=lambda word: (-masks.rarity(word), word)):
        found = _united([found, masks.rows(word)])
        if len(found) >= ENOUGH_WORDS:
            break
    return found


def _united(lists: Sequence[Rows]) -> Rows:
    """Each row once, ascending. To look for them in a mask of all rows takes longer, the more rows there are."""
    there = [rows for rows in lists if len(rows)]
    return once(np.sort(np.concatenate(there))) if len(there) > 1 else [*there, _NONE][0]


def _overlap(asked: Sequence[str], held: _Held) -> Likelihoods:
    """The share of the asked words, by rarity, that the title has, less in long titles."""
    weights = [held.masks.rarity(word) for word in asked]
    shared = np.zeros(len(held.rows))
    for part in _few([*zip(asked, weights, strict=True)]):
        sums = np.zeros(1)
        for _, weight in part:
            sums = np.concatenate([sums, sums + weight])
        shared += sums.take(_code([word for word, _ in part], held))
    return shared * held.masks.snapshot.brevity.take(held.rows) / max(sum(weights), 1e-9)


def _asked(reading: Reading) -> tuple[str, ...]:
    return (*reading.words, *(word for each in reading.constraints for word in query_tokens(each.phrase)))


def _top(scores: Likelihoods, rows: Rows, rank: Rows, depth: int) -> Indices:
    """The positions of the `depth` highest scores, best first; ties, by the thousand for one constraint, by `rank`."""
    kept = highest(scores, depth)
    if len(kept) > depth:
        of = scores[kept]
        above, tied = kept[of > of.min()], kept[of == of.min()]
        room = depth - len(above)
        kept = np.concatenate([above, tied[np.argpartition(rank[rows[tied]], room - 1)[:room]]])
    return kept[np.lexsort((rank[rows[kept]], -scores[kept]))]


def _reasons(
    rows: Rows, readings: Sequence[Reading], speaking: Sequence[int], lexicon: Lexicon, masks: _Masks
) -> list[str]:
    """Per row the reading that is `speaking` most for it, without the constraints that the item does not meet."""
    parts = {reading: _parts(readings[reading], rows, lexicon, masks) for reading in set(speaking)}
    return [", ".join(text for text, held in parts[reading] if held[n]) for n, reading in enumerate(speaking)]


def _parts(reading: Reading, rows: Rows, lexicon: Lexicon, masks: _Masks) -> list[tuple[str, list[bool]]]:
    """Each part of the reading in a few words, and which of the rows hold it."""
    values = [(told(each, lexicon), masks(each).take(rows).tolist()) for each in reading.constraints]
    return values + [(f"word {word}", masks(word).take(rows).tolist()) for word in reading.words]


def told(constraint: Constraint, lexicon: Lexicon) -> str:
    """A constraint in a few words: `brand=HP`, `price up to 300`, `screen size 16.32 to 17.68`."""
    name = constraint.name.replace("_", " ")
    if constraint.phrase:
        return f"{name}={lexicon.spelt(constraint.name, constraint.phrase)}"
    if math.isinf(constraint.low):
        return f"{name} up to {constraint.high:g}"
    if math.isinf(constraint.high):
        return f"{name} from {constraint.low:g}"
    return f"{name} {constraint.low:g} to {constraint.high:g}"
