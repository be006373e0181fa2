"""Which words an item will be asked with, as far as its own text says: the first half of the memory's cold start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import pairwise

from core.text import STOP_WORDS, tokens
from core.types import Item
from retrievers.document import title

MAX_TERMS = 48
# How likely a word is meant by somebody who wants the item, by where it stands: in the title or another name, in a
# label, in prose. A word of the title that other places repeat is more central than one that only the title has.
_NAME, _LABEL, _PROSE, _REPEATED = 0.9, 0.6, 0.5, 0.1
_SHORT_FIELD = 40  # characters: a name (artist, brand, model) rather than prose
_LONGEST_LABEL = 3  # words
# A phrase ends where a title has one of these.
_BREAK = re.compile(r"[,;:|()\[\]/]|\s[-–]\s")


@dataclass(frozen=True, slots=True)
class Term:
    """A predicted word. `following`: the word right after it in the same phrase of the title."""

    token: str
    weight: float
    titled: bool = False
    following: str | None = None


@dataclass(frozen=True, slots=True)
class ItemTerms:
    """What the table of terms holds of an item; `title_length` is in words without stop words, at least 1."""

    terms: tuple[Term, ...]
    title_length: int
    popularity: float


def item_terms(item: Item) -> ItemTerms:
    """The at most MAX_TERMS likeliest words, each once, with weights in 0..1."""
    found: dict[str, Term] = {}
    titled = list(_titled(title(item)))
    for term in (*titled, *_others(item)):
        known = found.setdefault(term.token, term)
        if known is not term and known.titled and not term.titled:
            found[term.token] = replace(known, weight=min(max(known.weight, term.weight) + _REPEATED, 1.0))
    return ItemTerms(
        terms=tuple(nlargest(MAX_TERMS, found.values(), key=lambda term: (term.weight, term.token))),
        title_length=max(len({term.token for term in titled}), 1),
        popularity=min(max(item.numbers.get("popularity", 0.5), 0.0), 1.0),
    )


def _titled(text: str) -> Iterator[Term]:
    """The words of the title; a stop word ends a phrase, as punctuation does."""
    for phrase in _BREAK.split(text):
        for token, following in pairwise([*tokens(phrase), ""]):
            if token not in STOP_WORDS:
                after = None if following in STOP_WORDS else following or None
                yield Term(token, _NAME, titled=True, following=after)


def _others(item: Item) -> Iterator[Term]:
    """The words of the other fields, of the labels and of the type, each once."""
    weights: dict[str, float] = {}
    for name, text in item.fields.items():
        if name != "title":
            for token in tokens(text[: MAX_TERMS * 10]):
                weights[token] = max(weights.get(token, 0.0), _NAME if len(text) <= _SHORT_FIELD else _PROSE)
    values = [value for name, found in item.attributes.items() if not name.endswith("_id") for value in found]
    for label in [item.type, *values]:
        words = tokens(label[:100])
        if len(words) <= _LONGEST_LABEL:
            for token in words:
                weights[token] = max(weights.get(token, 0.0), _LABEL)
    return (Term(token, weight) for token, weight in weights.items() if token not in STOP_WORDS)
