"""What an item says: its words, where they are, letter trigrams of its title, and hashes to know it again by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from core.text import tokens
from core.types import Item

# Where an item has a word; the bits above are the word's first position in the title.
TITLE, PROSE, LABELS, VOICES = 1, 2, 4, 8
POSITION = 4
LAST_POSITION = (1 << 16 - POSITION) - 1
_MAX_VOICES = 300  # distinct words of what customers wrote: reviews may be without end
_CHARACTERS = 37  # blank, a to z, 0 to 9
TRIGRAM_CODES = 1 << 16
_HASHED_FROM = _CHARACTERS**3
_CODES = np.zeros(128, dtype=np.uint16)
_CODES[[*range(ord("a"), ord("z") + 1), *range(ord("0"), ord("9") + 1)]] = np.arange(1, _CHARACTERS)

Codes = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Said:
    """What an item says. `places`: TITLE, PROSE, ... by word."""

    places: dict[str, int]
    title: list[str]


def said(item: Item) -> Said:
    title = tokens(item.fields.get("title", ""))
    places: dict[str, int] = {}
    for position, word in enumerate(title):
        places.setdefault(word, TITLE | min(position, LAST_POSITION) << POSITION)
    prose = chain.from_iterable(map(tokens, item.fields.values()))
    for words, place in ((prose, PROSE), (labels(item), LABELS)):
        for word in words:
            places[word] = places.get(word, 0) | place
    for word in islice(dict.fromkeys(tokens(_voices(item))), _MAX_VOICES):
        places[word] = places.get(word, 0) | VOICES
    return Said(places, title)


def labels(item: Item) -> list[str]:
    """The words of its type and its attributes' values, without ids of other items."""
    values = (value for name, values in item.attributes.items() if not name.endswith("_id") for value in values)
    return tokens(" ".join([item.type, *values]))


def _voices(item: Item) -> str:
    asked = (text for question in item.questions for text in (question.text, *question.answers))
    return " ".join([*(review.text for review in item.reviews), *asked])


def text_hash(item: Item) -> int:
    """Of 64 bits, the same for the same fields, reviews and questions, now and after a restart."""
    return _hash(repr((item.fields, item.reviews, item.questions)))


def title_hash(words: Sequence[str]) -> int:
    """The same for words in their order."""
    return _hash(" ".join(words))


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def trigrams(words: Sequence[str]) -> Codes:
    """The letter trigrams of the words with a blank around each, in order.

    A code is exact for what is made of a to z and digits; other trigrams share the remaining 14,883 codes.
    """
    if not words:
        return np.empty(0, dtype=np.uint16)
    text = f" {' '.join(words)} "
    if not text.isascii():
        return np.array([_code(text[n : n + 3]) for n in range(len(text) - 2)], dtype=np.uint16)
    letters = _CODES[np.frombuffer(text.encode(), dtype=np.uint8)]
    return (letters[:-2] * _CHARACTERS + letters[1:-1]) * _CHARACTERS + letters[2:]


def distinct(rows: Sequence[Codes]) -> tuple[NDArray[np.int64], Codes]:
    """Lengths, and one row after another, without what is repeated within a row."""
    row = np.repeat(np.arange(len(rows)), [len(codes) for codes in rows])
    codes = np.concatenate([np.empty(0, dtype=np.uint16), *rows])
    ordered = np.sort(row * TRIGRAM_CODES + codes)  # np.unique takes several times as long
    kept = ordered[np.diff(ordered, prepend=-1) > 0]
    return np.bincount(kept // TRIGRAM_CODES, minlength=len(rows)), (kept % TRIGRAM_CODES).astype(np.uint16)


def _code(trigram: str) -> int:
    if trigram.isascii():
        first, second, third = (int(_CODES[ord(letter)]) for letter in trigram)
        return (first * _CHARACTERS + second) * _CHARACTERS + third
    return _HASHED_FROM + crc32(trigram.encode()) % (TRIGRAM_CODES - _HASHED_FROM)
