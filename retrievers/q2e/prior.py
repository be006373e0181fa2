"""How much each item is believed to be wanted by a query, by the query's words: before anyone has asked it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from retrievers.ascending import frequent, once
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
Places = NDArray[np.intp]
_MEANT_WEIGHT = 0.5  # of a word that people mean by the asked one, when they always do
# What people took for a word has another one in common: of at least so many items at least this share, and this many
# times as often as any items.
_FEWEST_TAKEN, _LIKELY, _LIFT = 3, 0.5, 2.0
_TITLED_SHARE = titled_share(np.arange(MAX_WORDS + 1))


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
    fits = values[len(seen) :].nonzero()[0] + len(seen)
    return Beliefs(seen, values[: len(seen)]), Beliefs(slots[fits], values[fits])


def meaning_of(table: TermTable, word: str, taken: Ints) -> Meaning | None:
    """The word that best tells what people took when they asked with `word` (slots) from the rest of the catalogue.

    The word's term of the Kullback-Leibler divergence, as in Carpineto et al. 2001, "An information-theoretic approach
    to automatic query expansion". None when it is the word itself, or they took too little to tell.
    """
    if len(taken) < _FEWEST_TAKEN:
        return None
    held = np.sort(table.words.take(taken, axis=0), axis=None)
    numbers, counts = frequent(held[held.searchsorted(1) :], ceil(_LIKELY * len(taken)))
    if not len(numbers) or table.number(word) in numbers:
        return None
    share = counts / len(taken)
    lift = share * len(table) / np.maximum(table.counts[numbers], 1)
    if not (lift >= _LIFT).any():
        return None
    best = int(np.argmax(np.where(lift >= _LIFT, share * np.log(lift), 0)))
    return Meaning(int(numbers[best]), float(share[best]))


def _asked(table: TermTable, word: str, meaning: Meaning | None) -> Asked:
    number = table.number(word)
    items = table.counts.item(number) + (table.counts.item(meaning.number) if meaning else 0)
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
    return once(np.sort(np.concatenate(found)))


def _score(table: TermTable, asked: Sequence[Asked], slots: Ints) -> Floats:
    """[slots] beliefs, 0 where too little of the query was predicted."""
    values = np.zeros(len(slots), dtype=np.float32)
    information = np.array([word.information for word in asked])
    total = sum(information.tolist())
    if not total or not len(slots):
        return values
    rows = table.words.take(slots, axis=0)
    covered: NDArray[np.float64] = information @ _have(rows, [word.number for word in asked])
    meant = _meant(rows, asked) if any(word.meaning for word in asked) else None
    if meant is not None:
        covered += meant
    fits = (covered >= max(_LEAST * total, _NEAR_BEST * float(covered.max()))).nonzero()[0]
    shared = _specificity(_fitting(asked, len(fits)), len(table))
    slots, rows = slots.take(fits), rows.take(fits, axis=0)
    meant = meant.take(fits) if meant is not None else None
    beliefs = _beliefs(table, [word.number for word in asked], information, slots, rows, meant) * (shared / total)
    values[fits] = np.minimum(np.maximum(beliefs, _LEAST_BELIEF), 1)  # np.clip takes twice as long
    return values


def _have(rows: Ints, numbers: Sequence[int]) -> NDArray[np.bool_]:
    """[numbers, rows] which rows have each."""
    eights = (rows == _sought(numbers)).view(np.uint64)  # 8 cells of a row at once: much faster than `any`
    found: NDArray[np.uint64] = eights[..., 0]
    for n in range(1, eights.shape[2]):
        found = found | eights[..., n]
    have: NDArray[np.bool_] = found != 0
    return have


def _meant(rows: Ints, asked: Sequence[Asked]) -> NDArray[np.float64]:
    """[rows] information of the words that they don't have, but what people mean by them."""
    meant = np.zeros(len(rows))
    for word in asked:
        if word.meaning:
            itself, other = _have(rows, [word.number, word.meaning.number])
            meant += word.information * word.meaning.chance * (other & ~itself)
    return meant


def _beliefs(
    table: TermTable,
    numbers: Sequence[int],
    information: NDArray[np.float64],
    slots: Ints,
    rows: Ints,
    meant: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """[slots] information of the words, by their weights and by how they stand in the title."""
    columns = _columns(rows, numbers)
    has = columns >= 0
    in_title = has & (columns < table.title.take(slots))
    weights = table.weights.ravel().take(slots * np.intp(table.width) + columns).astype(np.float32) * has
    beliefs: NDArray[np.float64] = information @ weights
    if meant is not None:
        beliefs += meant * _MEANT_WEIGHT
    beliefs *= _TITLED_SHARE.take(np.add.reduce(in_title, dtype=np.intp))
    if len(numbers) > 1:
        adjacent = np.add.reduce(in_title[:-1] & (columns[1:] == columns[:-1] + 1), dtype=np.intp)
        beliefs *= _ANY_ORDER + (1 - _ANY_ORDER) / (len(numbers) - 1) * adjacent
    beliefs *= table.quality.take(slots)
    return beliefs


def _columns(rows: Ints, numbers: Sequence[int]) -> Places:
    """[numbers, rows] where the rows have each, once at most; -1: nowhere."""
    columns = np.full((len(numbers), len(rows)), -1)
    found = (rows == _sought(numbers)).ravel().nonzero()[0]
    place = found // rows.shape[1]  # np.divmod takes several times as long
    columns.ravel()[place] = found - place * rows.shape[1]
    return columns


def _sought(numbers: Sequence[int]) -> Ints:
    """[numbers, 1, 1]"""
    return np.array([number or _NO_WORD for number in numbers], dtype=np.int32).reshape(-1, 1, 1)


def _fitting(asked: Sequence[Asked], candidates: int) -> int:
    """About how many items fit the query: the candidates that do, or for a single word all that have it."""
    return asked[0].items if len(asked) == 1 else candidates


def _specificity(items: int, count: int) -> float:
    """How much it says to be one of so many items of `count`: 1 for a single one (or none), near 0 for all."""
    return log1p(count / max(items, 1)) / log1p(count) if count else 0.0
