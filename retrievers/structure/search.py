"""Searches the readings of one query over posting lists, relaxes them, and ranks what they find."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.filters import Filters
from core.text import query_tokens
from core.types import Scored
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
Likelihoods = NDArray[np.float64]
# What NumPy indexes by without a conversion; posting lists are half as wide.
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one reading finds: rows, and per row the likelihood that it is meant."""

    reading: Reading
    rows: Indices
    likelihood: Likelihoods

    def of(self, rows: Indices) -> Likelihoods:
        """The likelihood of these rows, 0 for those that were not found."""
        at = np.minimum(np.searchsorted(self.rows, rows), max(len(self.rows) - 1, 0))
        if not len(self.rows):
            return np.zeros(len(rows))
        return np.where(self.rows[at] == rows, self.likelihood[at], 0.0)


class _Masks:
    """The dense masks of one request, each made once."""

    def __init__(self, lexicon: Lexicon, snapshot: Snapshot, allowed: Mask) -> None:
        self.snapshot = snapshot
        self.allowed = allowed
        self._lexicon = lexicon
        self._words: dict[str, Mask] = {}
        self._values: dict[Constraint, Mask] = {}

    def word(self, word: str) -> Mask:
        if word not in self._words:
            self._words[word] = self.snapshot.mask(self.snapshot.postings.titles(word))
        return self._words[word]

    def value(self, constraint: Constraint) -> Mask:
        if constraint not in self._values:
            self._values[constraint] = self.snapshot.mask(self.snapshot.postings.satisfying(constraint))
        return self._values[constraint]

    def rarity(self, word: str) -> float:
        """Inverse document frequency in titles, 0 (in all) to 1 (in one or none)."""
        return 1 - math.log(max(self._lexicon.titles(word), 1)) / math.log(self.snapshot.size + 2)


def ranked(
    readings: Sequence[Reading], lexicon: Lexicon, snapshot: Snapshot, filters: Filters, depth: int
) -> list[Scored]:
    """At most `depth` items by log of the likelihood summed over readings, plus how much of the title is asked for."""
    masks = _Masks(lexicon, snapshot, snapshot.allowed(filters))
    found = [_search(reading, masks) for reading in readings]
    total = np.zeros(len(snapshot.alive))
    for each in found:
        total[each.rows] += each.likelihood
    rows = np.flatnonzero(total > 0)
    if not len(rows) or depth < 1:
        return []
    asked = tuple(dict.fromkeys(word for reading in readings for word in _asked(reading)))
    scores = np.round(np.log(total[rows]) + _OVERLAP * _overlap(asked, rows, masks), 6)
    order = _top(scores, snapshot.rank[rows], depth)
    chosen = rows[order]
    return [
        Scored(snapshot.postings.ids[row], score, why=why)
        for row, score, why in zip(
            chosen.tolist(), scores[order].tolist(), _reasons(chosen, found, lexicon, masks), strict=True
        )
    ]


def _search(reading: Reading, masks: _Masks) -> _Found:
    found, given_up = _candidates(reading, masks)
    rows = np.flatnonzero(found)
    likelihood = np.full(len(rows), max(reading.likelihood, 1e-9))
    for constraint in given_up:
        lack = math.exp(-_LACKS_VALUE * (0.5 + 0.5 * reading.constraints[constraint]))
        likelihood *= np.where(masks.value(constraint)[rows], 1.0, lack)
    for word in reading.words:
        likelihood *= np.where(masks.word(word)[rows], 1.0, math.exp(-_LACKS_WORD * masks.rarity(word)))
    return _Found(reading, rows, likelihood)


def _candidates(reading: Reading, masks: _Masks) -> tuple[Mask, list[Constraint]]:
    """Items that meet the surest constraints, as many as leave enough items and always the first; and the others."""
    if not reading.constraints:
        return _with_a_word(reading.words, masks), []
    surest_first = sorted(reading.constraints, key=lambda each: -reading.constraints[each])
    found = masks.allowed & masks.value(surest_first[0])
    for place, constraint in enumerate(surest_first[1:], start=1):
        narrowed = found & masks.value(constraint)
        if np.count_nonzero(narrowed) < ENOUGH:
            return found, surest_first[place:]
        found = narrowed
    return found, []


def _with_a_word(words: tuple[str, ...], masks: _Masks) -> Mask:
    """Items with the rarest of the words in their title, and of the next rarest while there are few."""
    found = np.zeros(len(masks.allowed), dtype=np.bool_)
    for word in sorted(words, key=lambda word: (-masks.rarity(word), word)):
        found |= masks.word(word) & masks.allowed
        if np.count_nonzero(found) >= ENOUGH_WORDS:
            break
    return found


def _overlap(asked: tuple[str, ...], rows: Indices, masks: _Masks) -> Likelihoods:
    """The share of the asked words, by rarity, that the title has, less in long titles."""
    weights: Mapping[str, float] = {word: masks.rarity(word) for word in asked}
    shared = np.zeros(len(rows))
    for word, weight in weights.items():
        shared += weight * masks.word(word)[rows]
    return shared * masks.snapshot.brevity[rows] / max(sum(weights.values()), 1e-9)


def _asked(reading: Reading) -> tuple[str, ...]:
    return (*reading.words, *(word for each in reading.constraints for word in query_tokens(each.phrase)))


def _top(scores: Likelihoods, rank: Rows, depth: int) -> Indices:
    """The positions of the `depth` highest scores, best first; ties, by the thousand for one constraint, by `rank`."""
    depth = min(depth, len(scores))
    last = np.partition(scores, len(scores) - depth)[len(scores) - depth]
    above, tied = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
    room = depth - len(above)
    if len(tied) > room:
        tied = tied[np.argpartition(rank[tied], room - 1)[:room]]
    kept = np.concatenate([above, tied])
    return kept[np.lexsort((rank[kept], -scores[kept]))]


def _reasons(rows: Indices, found: list[_Found], lexicon: Lexicon, masks: _Masks) -> list[str]:
    """Per row the reading that speaks most for it, without the constraints that the item does not meet."""
    most = np.argmax([each.of(rows) for each in found], axis=0)
    parts = [_parts(each.reading, rows, lexicon, masks) for each in found]
    return [", ".join(text for text, held in parts[reading] if held[n]) for n, reading in enumerate(most.tolist())]


def _parts(reading: Reading, rows: Indices, lexicon: Lexicon, masks: _Masks) -> list[tuple[str, list[bool]]]:
    """Each part of the reading in a few words, and which of the rows hold it."""
    values = [(told(each, lexicon), masks.value(each)[rows].tolist()) for each in reading.constraints]
    return values + [(f"word {word}", masks.word(word)[rows].tolist()) for word in reading.words]


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
