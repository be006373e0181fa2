"""Numbers for the words of the catalogue, which are given up with the last item that has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ranking.features.slots import UNKNOWN, Slots, grown


class Vocabulary:
    """Number by word, and how many rows use it."""

    def __init__(self, words: Sequence[str | None] = (), used: NDArray[np.int32] | None = None) -> None:
        """`words` by number; `used` are the numbers that rows have, each as often as it is used."""
        counts = np.zeros(0, dtype=np.int64) if used is None else np.bincount(used, minlength=len(words))
        self._slots = Slots([word if count else None for word, count in zip(words, counts, strict=True)])
        self._uses = counts.astype(np.int32)

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def size(self) -> int:
        """All numbers are below."""
        return self._slots.size

    @property
    def words(self) -> list[str | None]:
        """By number."""
        return self._slots.keys

    def get(self, word: str) -> int:
        return self._slots.get(word)

    def numbers(self, words: Iterable[str]) -> NDArray[np.int32]:
        """The numbers of words that are about to be used; a new word has one from now on."""
        get, numbers = self._slots.get, []
        for word in words:
            if (number := get(word)) == UNKNOWN:
                number = self._slots.reserve()
                self._slots.publish(word, number)
            numbers.append(number)
        return np.array(numbers, dtype=np.int32)

    def use(self, numbers: NDArray[np.int32]) -> None:
        """These are used once more each."""
        self._uses = grown(self._uses, self.size, 0)
        np.add.at(self._uses, numbers, 1)

    def add(self, words: Iterable[str]) -> NDArray[np.int32]:
        """The numbers of words that are used once more each."""
        added = self.numbers(words)
        self.use(added)
        return added

    def drop(self, numbers: NDArray[np.int32]) -> None:
        """These are used once less each."""
        np.subtract.at(self._uses, numbers, 1)
        gone = sorted({*numbers[self._uses[numbers] == 0].tolist()})
        self._slots.drop(word for number in gone if (word := self.words[number]) is not None)

    def settle(self) -> None:
        """A change is over."""
        self._slots.settle()
