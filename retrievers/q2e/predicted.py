"""Which words an item will be asked with, before anyone has asked: the memory's cold start."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.text import STOP_WORDS, tokens
from core.types import Item
from retrievers.document import label_values, title

MAX_TERMS = 48
_MAX_TITLE = 24
# How likely a word is meant by somebody who wants the item, by where it stands: in the title or another name, in a
# label, in prose or in a query that a model has made up. A word of the title that other places repeat is more central.
NAME, _LABEL, _PROSE, _GENERATED, _REPEATED = 0.9, 0.6, 0.5, 0.5, 0.1
_SHORT_FIELD = 40  # characters: a name (artist, brand, model) rather than prose
_LONGEST_LABEL = 3  # words
_READ = 480  # characters of a field
# A phrase ends where a title has one of these.
_BREAK = re.compile(r"[,;:|()\[\]/]|\s[-–]\s")


@dataclass(frozen=True, slots=True)
class ItemTerms:
    """Predicted words, each once, at most MAX_TERMS: those of the title first and in its order, `""` between phrases.

    `weights` has one entry in 0..1 per word; `title` is how many entries are the title's, `title_words` without gaps.
    """

    words: tuple[str, ...]
    weights: tuple[float, ...]
    title: int
    title_words: int
    popularity: float


def item_terms(item: Item, generated: Sequence[str] = ()) -> ItemTerms:
    """`generated`: queries that a model has made up for the item."""
    named = list(_titled(title(item)))[:_MAX_TITLE]
    others = _others(item, generated)
    titled = {word for word in named if word}
    rest = sorted([(weight, word) for word, weight in others.items() if word not in titled], reverse=True)
    more = rest[: MAX_TERMS - len(named)]
    return ItemTerms(
        words=(*named, *[word for _, word in more]),
        weights=(*[NAME + _REPEATED * (word in others) for word in named], *[weight for weight, _ in more]),
        title=len(named),
        title_words=len(titled),
        popularity=popularity(item),
    )


def popularity(item: Item) -> float:
    """In 0..1, whatever the catalogue says."""
    return min(max(item.numbers.get("popularity", 0.5), 0.0), 1.0)


def _titled(text: str) -> Iterator[str]:
    """The words of the title, each once; a stop word and a repeated one end a phrase, as punctuation does."""
    seen = set(STOP_WORDS)
    gap = True
    for phrase in _BREAK.split(text):
        for word in tokens(phrase):
            if word not in seen:
                seen.add(word)
                yield word
                gap = False
            elif not gap:
                yield ""
                gap = True
        if not gap:
            yield ""
            gap = True


def _others(item: Item, generated: Sequence[str]) -> dict[str, float]:
    """The words of the other fields, of the labels and the type, and of generated queries, with weights."""
    weights: dict[str, float] = {}
    for name, text in item.fields.items():
        if name != "title":
            _offer(weights, tokens(text[:_READ]), NAME if len(text) <= _SHORT_FIELD else _PROSE)
    for label in [item.type, *label_values(item)]:
        words = tokens(label[:100])
        if len(words) <= _LONGEST_LABEL:
            _offer(weights, words, _LABEL)
    for query in generated:
        _offer(weights, tokens(query), _GENERATED)
    return weights


def _offer(weights: dict[str, float], words: Sequence[str], weight: float) -> None:
    for word in words:
        if word not in STOP_WORDS and weights.get(word, 0.0) < weight:
            weights[word] = weight
