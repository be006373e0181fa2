"""What sellers and customers wrote about an item, and the words and word pairs in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from core.text import STOP_WORDS, tokens
from core.types import Item
from ranking.quality.grammar import FUNCTION_WORDS

_SENTENCE = re.compile(r"[.!?;\n]+")


class Source(StrEnum):
    """Who wrote a text."""

    SELLER = "seller"
    REVIEW = "review"
    QUESTION = "question"


SOURCES = tuple(Source)
CUSTOMERS = (Source.REVIEW, Source.QUESTION)


def texts(item: Item, source: Source) -> Iterator[str]:
    """One text of a seller (fields and attribute values; ids are no words), one per review, one per question."""
    if source is Source.SELLER:
        labels = (value for name, found in item.attributes.items() if not name.endswith("_id") for value in found)
        yield "\n".join([*item.fields.values(), *labels])
    elif source is Source.REVIEW:
        yield from (review.text for review in item.reviews)
    else:
        yield from ("\n".join([question.text, *question.answers]) for question in item.questions)


def sentences(text: str) -> list[str]:
    """The parts between full stops, exclamation and question marks, semicolons and line ends, none of them empty."""
    return [part for part in map(str.strip, _SENTENCE.split(text)) if part]


def grams(text: str) -> set[str]:
    """The words of the text, folded and stemmed, and the pairs that stand side by side in a sentence; no stop words."""
    found: set[str] = set()
    for sentence in sentences(text):
        words = tokens(sentence)
        kept = [word not in STOP_WORDS for word in words]
        found.update(word for word, keep in zip(words, kept, strict=True) if keep)
        pairs = zip(words, words[1:], kept, kept[1:], strict=False)
        found.update(f"{first} {second}" for first, second, one, other in pairs if one and other)
    return found


def is_term(gram: str) -> bool:
    """Whether it can name an attribute: words of two letters at least, none only digits or of grammar only."""
    return all(len(word) > 1 and not word.isdigit() and word not in FUNCTION_WORDS for word in gram.split())
