"""Which items a query word stands for: those that say it, and those whose other words imply it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from retrievers.q2e.term_table import Ints, Rows, TermTable

# A word implies another when more of its items than not have the other too: P(other | word) with two pseudo-items
# against, and not from two or three items.
_LIKELY = 0.5
_PSEUDO_ITEMS = 2
_FEWEST = 3
_CAUSES = 32
_IMPLIED_WEIGHT = 0.5
# Words belong together that meet this many times as often as by chance. Right before another word that it belongs to,
# a word is only a part of a name: `notebook` in `notebook case`.
_LIFT = 2.0


class WordBeliefs(NamedTuple):
    """One row per item. `chance`: 1 where the item says the word, P(word | its words) where that is implied.

    `weight` is how central the word is to the item, `compound` whether the word only qualifies the `following` one.
    """

    slots: Ints
    weight: Floats
    chance: Floats
    titled: NDArray[np.bool_]
    following: Ints
    compound: NDArray[np.bool_]


def word_beliefs(table: TermTable, word: str, clicked: Collection[int]) -> WordBeliefs:
    """`clicked`: slots of the items that people took for queries with this word."""
    number = table.number(word)
    rows = table.rows(number)
    chances = _implied(table, number, rows)
    if len(clicked) >= _FEWEST:
        _add_meaning(table, number, np.array(list(clicked), dtype=np.int32), chances)
    chances[rows["slot"]] = 0
    slots = np.flatnonzero(chances).astype(np.int32)
    implied = chances[slots]
    return WordBeliefs(
        slots=np.concatenate([rows["slot"], slots]),
        weight=np.concatenate([rows["weight"], _IMPLIED_WEIGHT * implied]),
        chance=np.concatenate([np.ones(len(rows), dtype=np.float32), implied]),
        titled=np.concatenate([rows["titled"], np.zeros(len(slots), dtype=bool)]),
        following=np.concatenate([rows["following"], np.zeros(len(slots), dtype=np.int32)]),
        compound=np.concatenate([_compound(table, rows), np.zeros(len(slots), dtype=bool)]),
    )


def _implied(table: TermTable, number: int, rows: Rows) -> Floats:
    """[slots] the largest P(word | other word) over the item's other words, 0 where nothing makes the word likely."""
    chances = np.zeros(len(table.ids), dtype=np.float32)
    if len(rows) < _FEWEST:
        return chances
    together = _counts(table, rows["slot"])
    together[number] = 0
    given = together / (table.counts + _PSEUDO_ITEMS)
    least = max(_LIKELY, _LIFT * len(rows) / len(table))
    causes = np.flatnonzero((given >= least) & (together >= _FEWEST) & (together < table.counts))
    # Those that imply it for the most items.
    missing = (table.counts[causes] - together[causes]) * given[causes]
    for cause in causes[np.argsort(-missing, kind="stable")[:_CAUSES]].tolist():
        _raise(chances, table.rows(cause), given[cause])
    return chances


def _add_meaning(table: TermTable, number: int, clicked: Ints, chances: Floats) -> None:
    """Items with the word that best tells what people took for this one from the rest of the catalogue.

    The word's term of the Kullback-Leibler divergence, as in Carpineto et al. 2001, "An information-theoretic approach
    to automatic query expansion".
    """
    share = _counts(table, clicked) / len(clicked)
    likely = np.flatnonzero((share >= _LIKELY) & (table.counts > 0))
    if len(likely):
        told = share[likely] * np.log(share[likely] * len(table) / table.counts[likely])
        best = int(likely[np.argmax(told)])
        if best != number and np.max(told) > 0:
            _raise(chances, table.rows(best), share[best])


def _compound(table: TermTable, rows: Rows) -> NDArray[np.bool_]:
    """Whether the word only qualifies the one that follows, by how often they go together."""
    following = rows["following"]
    pairs = np.bincount(following, minlength=len(table.counts))[following]
    expected = len(rows) * table.counts[following] / max(len(table), 1)
    found: NDArray[np.bool_] = (following > 0) & (pairs >= _FEWEST) & (pairs > _LIFT * expected)
    return found


def _counts(table: TermTable, slots: Ints) -> NDArray[np.int64]:
    """[words] how many of the items have each word."""
    counts = np.bincount(table.words[slots].ravel(), minlength=len(table.counts))
    counts[0] = 0
    return counts


def _raise(chances: Floats, rows: Rows, chance: float) -> None:
    slots = rows["slot"]
    chances[slots] = np.maximum(chances[slots], np.float32(chance))
