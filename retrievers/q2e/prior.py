"""How much each item is believed to be wanted by a query, by the query's words: before anyone has asked it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from retrievers.q2e.predicted import MAX_TERMS
from retrievers.q2e.term_table import Ints, TermTable, titled_share

MAX_WORDS = 16
# Champions of the most specific words are candidates until there are so many (the last list may go beyond).
_CANDIDATES = 500
# An item is believed in when at least this much of the query's information was predicted for it, and not much less than
# for the best: for `hp notebook` one of the two is not enough while there are items with both.
_LEAST, _NEAR_BEST = 1 / 3, 1 / 2
_ANY_ORDER = 0.7  # what is left of a belief when the words come in another order
_LEAST_BELIEF = 1e-6  # of a candidate, however many share it
_NO_WORD = -1  # in no row, unlike 0
Places = NDArray[np.int64]
_MEANT_WEIGHT = 0.5  # of a word that people mean by the asked one, when they always do
# What people took for a word has another one in common: of at least so many items at least this share, and this many
# times as often as any items.
_FEWEST_TAKEN, _LIKELY, _LIFT = 3, 0.5, 2.0


class Meaning(NamedTuple):
    """The word (by number) that people mean by another one, and how often they do."""

    number: int
    chance: float


class Beliefs(NamedTuple):
    """Slots, each once, and beliefs in 0..1."""

    slots: Ints
    values: Floats


class Asked(NamedTuple):
    """A query word as the catalogue has it; `information` is how much it says to have it, 0..1."""

    number: int
    meaning: Meaning | None
    items: int
    information: float


def believed(
    table: TermTable, words: Sequence[str], seen: Ints, meaning: Callable[[str], Meaning | None]
) -> tuple[Beliefs, Beliefs]:
    """Of the `seen` slots, 0 where they don't fit the query; and of the candidates that fit, in no order.

    The work is bounded whatever the size of the catalogue: at most some 1,300 rows of the table are read.
    """
    asked = [_asked(table, word, meaning(word)) for word in words[:MAX_WORDS]]
    slots = np.concatenate([seen, _candidates(table, asked)])
    values = _score(table, asked, slots)
    fits = np.flatnonzero(values[len(seen) :]) + len(seen)
    return Beliefs(seen, values[: len(seen)]), Beliefs(slots[fits], values[fits])


def meaning_of(table: TermTable, word: str, taken: Ints) -> Meaning | None:
    """The word that best tells what people took when they asked with `word` (slots) from the rest of the catalogue.

    The word's term of the Kullback-Leibler divergence, as in Carpineto et al. 2001, "An information-theoretic approach
    to automatic query expansion". None when it is the word itself, or they took too little to tell.
    """
    rows = table.words[taken]
    if len(taken) < _FEWEST_TAKEN or (rows == (table.number(word) or _NO_WORD)).any(axis=1).mean() >= _LIKELY:
        return None
    numbers, counts = np.unique(rows, return_counts=True)
    share = counts / len(taken)
    lift = share * len(table) / np.maximum(table.counts[numbers], 1)
    likely = (share >= _LIKELY) & (lift >= _LIFT) & (numbers > 0)
    if not likely.any():
        return None
    best = int(np.argmax(np.where(likely, share * np.log(lift), 0)))
    return Meaning(int(numbers[best]), float(share[best]))


def _asked(table: TermTable, word: str, meaning: Meaning | None) -> Asked:
    number = table.number(word)
    items = int(table.counts[number]) + (int(table.counts[meaning.number]) if meaning else 0)
    return Asked(number, meaning, items, _specificity(items, len(table)))


def _candidates(table: TermTable, asked: Sequence[Asked]) -> Ints:
    """Slots, each once."""
    found = [np.empty(0, dtype=np.int32)]
    count = 0
    for word in sorted(asked, key=lambda word: word.items):
        for number in (word.number, word.meaning.number if word.meaning else 0):
            if number and count < _CANDIDATES:
                found.append(table.champions(number))
                count += len(found[-1])
    slots: Ints = np.sort(np.concatenate(found))
    once: Ints = slots[np.append(slots[1:] != slots[:-1], True)[: len(slots)]]  # np.unique takes ten times as long
    return once


def _score(table: TermTable, asked: Sequence[Asked], slots: Ints) -> Floats:
    """[slots] beliefs, 0 where too little of the query was predicted."""
    total = sum(word.information for word in asked)
    if not total or not len(slots):
        return np.zeros(len(slots), dtype=np.float32)
    rows = table.words.take(slots, axis=0)
    word, row, column = _found(rows, [word.number for word in asked])
    information = np.array([word.information for word in asked])[word]
    held = slots[row]
    in_title = column < table.title[held]
    next_word = np.array([*(word.number or _NO_WORD for word in asked[1:]), _NO_WORD])[word]
    followed = in_title & (rows[row, np.minimum(column + 1, MAX_TERMS - 1)] == next_word)
    covered = np.bincount(row, information, len(slots)) + 0.0  # of nothing it is an integer
    central = np.bincount(row, information * table.weights[held, column], len(slots)) + 0.0
    titled = np.bincount(row[in_title], minlength=len(slots))
    adjacent = np.bincount(row[followed], minlength=len(slots))
    for n, each in enumerate(asked):
        if each.meaning:
            meant = np.zeros(len(slots))
            meant[_found(rows, [each.meaning.number])[1]] = each.information * each.meaning.chance
            meant[row[word == n]] = 0  # what says the word itself is not meant otherwise
            covered += meant
            central += meant * _MEANT_WEIGHT
    order = _ANY_ORDER + (1 - _ANY_ORDER) * adjacent / (len(asked) - 1) if len(asked) > 1 else 1.0
    beliefs = central / total * order * titled_share(titled) * table.quality[slots]
    fits = (covered > 0) & (covered >= max(_LEAST * total, _NEAR_BEST * float(covered.max())))
    shared = _specificity(_fitting(asked, fits), len(table))
    return np.where(fits, np.clip(beliefs * shared, _LEAST_BELIEF, 1), 0).astype(np.float32)


def _found(rows: Ints, numbers: Sequence[int]) -> tuple[Places, Places, Places]:
    """Where the words are: each one's place among `numbers`, and its row and column; a row has it once at most."""
    sought = np.array([number or _NO_WORD for number in numbers], dtype=np.int32)
    place, cell = np.divmod(np.flatnonzero(rows.ravel() == sought[:, None]), rows.size)
    row, column = np.divmod(cell, MAX_TERMS)
    return place, row, column


def _fitting(asked: Sequence[Asked], fits: NDArray[np.bool_]) -> int:
    """About how many items fit the query: the candidates that do, or for a single word all that have it."""
    return asked[0].items if len(asked) == 1 else int(fits.sum())


def _specificity(items: int, count: int) -> float:
    """How much it says to be one of so many items of `count`: 1 for a single one (or none), near 0 for all."""
    return log1p(count / max(items, 1)) / log1p(count) if count else 0.0
