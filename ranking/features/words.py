"""The words and letter trigrams of every item, as numbers in arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from zlib import crc32

import numpy as np
import orjson
from numpy.typing import NDArray

from core.long_json import write_list
from core.pace import unhurried
from core.text import tokens
from core.types import Item
from ranking.features.ragged import Ragged
from ranking.features.slots import Numbers, grown
from ranking.features.vocabulary import Vocabulary

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
class _Said:
    """What an item says. `places`: TITLE, PROSE, ... by word."""

    places: dict[str, int]
    title: list[str]


class Words:
    """By slot: distinct words with where they are, distinct trigrams of the title, its length and its hash, and whether
    customers wrote about the item; and a hash of all that this was made of, 0 after a restart."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._frequency = np.zeros(0, dtype=np.int32)
        self.words = Ragged(np.int32, np.uint16)
        self.trigrams = Ragged(np.uint16)
        self.lengths = np.zeros(0, dtype=np.int32)
        self.titles = np.zeros(0, dtype=np.uint64)
        self.voiced = np.zeros(0, dtype=bool)
        self._sources = np.zeros(0, dtype=np.int64)

    def said(self, slot: int, item: Item) -> bool:
        """Whether what is in this slot was made of the very words of this item."""
        return slot < len(self._sources) and bool(self._sources[slot] == _source(item))

    def number(self, word: str) -> int:
        """UNKNOWN when no item has it."""
        return self._vocabulary.get(word)

    def frequency(self, number: int) -> int:
        """How many items have the word in their text fields, type or attributes."""
        return int(self._frequency[number]) if 0 <= number < len(self._frequency) else 0

    def put(self, slots: Sequence[int], items: Sequence[Item]) -> None:
        said = [_said(item) for item in unhurried(items)]
        self._put_words(slots, [each.places for each in said])
        self.trigrams.put(slots, *_distinct([trigrams(each.title) for each in said]))
        size = max(slots, default=-1) + 1
        self.lengths, self.titles = grown(self.lengths, size, 0), grown(self.titles, size, 0)
        self.voiced, self._sources = grown(self.voiced, size, False), grown(self._sources, size, 0)
        self._sources[slots] = [_source(item) for item in items]
        self.lengths[slots] = [len(each.title) for each in said]
        self.titles[slots] = np.array([title_hash(each.title) for each in said], dtype=np.uint64)
        self.voiced[slots] = [bool(item.reviews or item.questions) for item in items]

    def retire(self, slots: Sequence[int]) -> None:
        """The items of these slots are gone, though they may still be read."""
        flat = self.words.flat(np.array(slots, dtype=np.int64))
        numbers, places = (part[flat.at] for part in flat.parts)
        np.subtract.at(self._frequency, numbers[places & (PROSE | LABELS) > 0], 1)

    def drop(self, slots: Sequence[int]) -> None:
        """Nobody reads these slots any more."""
        flat = self.words.flat(np.array(slots, dtype=np.int64))
        self._vocabulary.drop(flat.parts[0][flat.at])
        self.words.drop(slots)
        self.trigrams.drop(slots)

    def settle(self) -> None:
        """A change is over."""
        self._vocabulary.settle()

    def saving(self, alive: Numbers) -> Callable[[Path], None]:
        """Writes, when called, all that there is now, `alive` being the slots in use."""
        words, trigrams, vocabulary = self.words.saving(alive), self.trigrams.saving(alive), [*self._vocabulary.words]
        frequency, lengths, titles = self._frequency.copy(), self.lengths.copy(), self.titles.copy()
        voiced = self.voiced.copy()

        def write(folder: Path) -> None:
            words(folder, "words")
            trigrams(folder, "trigrams")
            write_list(folder / "vocabulary.json", vocabulary)
            with (folder / "titles.npz").open("wb") as file:
                np.savez(file, frequency=frequency, lengths=lengths, titles=titles, voiced=voiced)

        return write

    def restore(self, folder: Path) -> None:
        words = orjson.loads((folder / "vocabulary.json").read_bytes())
        with np.load(folder / "titles.npz", allow_pickle=False) as stored:
            self._frequency, self.lengths = stored["frequency"], stored["lengths"]
            self.titles, self.voiced = stored["titles"], stored["voiced"]
        self.words.restore(folder, "words")
        self.trigrams.restore(folder, "trigrams")
        self._vocabulary = Vocabulary(words, self.words.entries(0))
        self._sources = np.zeros(len(self.voiced), dtype=np.int64)

    def _put_words(self, slots: Sequence[int], rows: Sequence[dict[str, int]]) -> None:
        lengths = np.array([len(places) for places in rows], dtype=np.int64)
        numbers = self._vocabulary.add(chain.from_iterable(rows))
        places = np.fromiter(chain.from_iterable(row.values() for row in rows), np.uint16, len(numbers))
        self._frequency = grown(self._frequency, self._vocabulary.size, 0)
        np.add.at(self._frequency, numbers[places & (PROSE | LABELS) > 0], 1)
        self.words.put(slots, lengths, numbers, places)


def _source(item: Item) -> int:
    """Of 64 bits, the same in this process for the same type, fields, attributes, reviews and questions."""
    return hash((item.type, *item.fields.items(), *item.attributes.items(), item.reviews, item.questions))


def _said(item: Item) -> _Said:
    title = tokens(item.fields.get("title", ""))
    places: dict[str, int] = {}
    for position, word in enumerate(title):
        places.setdefault(word, TITLE | min(position, LAST_POSITION) << POSITION)
    labels = (value for name, values in item.attributes.items() if not name.endswith("_id") for value in values)
    prose = chain.from_iterable(map(tokens, item.fields.values()))
    for words, place in ((prose, PROSE), (tokens(" ".join([item.type, *labels])), LABELS)):
        for word in words:
            places[word] = places.get(word, 0) | place
    for word in islice(dict.fromkeys(tokens(_voices(item))), _MAX_VOICES):
        places[word] = places.get(word, 0) | VOICES
    return _Said(places, title)


def _voices(item: Item) -> str:
    asked = (text for question in item.questions for text in (question.text, *question.answers))
    return " ".join([*(review.text for review in item.reviews), *asked])


def title_hash(words: Sequence[str]) -> int:
    """Of 64 bits, the same for the same words in the same order."""
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest(), "little")


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


def _distinct(rows: Sequence[Codes]) -> tuple[NDArray[np.int64], Codes]:
    """Lengths, and one row after another, without what is repeated within a row."""
    row = np.repeat(np.arange(len(rows)), [len(codes) for codes in rows])
    codes = np.concatenate([np.empty(0, dtype=np.uint16), *rows])
    ordered = np.sort(row * TRIGRAM_CODES + codes)  # np.unique takes several times as long
    distinct = ordered[np.diff(ordered, prepend=-1) > 0]
    return np.bincount(distinct // TRIGRAM_CODES, minlength=len(rows)), (distinct % TRIGRAM_CODES).astype(np.uint16)


def _code(trigram: str) -> int:
    if trigram.isascii():
        first, second, third = (int(_CODES[ord(letter)]) for letter in trigram)
        return (first * _CHARACTERS + second) * _CHARACTERS + third
    return _HASHED_FROM + crc32(trigram.encode()) % (TRIGRAM_CODES - _HASHED_FROM)
