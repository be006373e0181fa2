"""Small numbers for items and words, so that what belongs to them can lie in arrays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.lookup import look_up, look_up_many

Numbers = NDArray[np.intp]
Scalar = TypeVar("Scalar", bound=np.generic)
UNKNOWN = -1
REST_S = 1.0
_FIRST_ROOM = 1_024


def grown(array: NDArray[Scalar], size: int, empty: object) -> NDArray[Scalar]:
    """The array, or a copy with room for `size` and as many more, filled with `empty`."""
    if size <= len(array):
        return array
    longer = np.full((max(_FIRST_ROOM, 2 * size), *array.shape[1:]), empty, dtype=array.dtype)
    longer[: len(array)] = array
    return longer


class Slots:
    """A number for every key. One thread may change it while others read.

    The number of a dropped key is given again only after `rest_s` seconds: a reader who looked it up just before has
    long been done with it.
    """

    def __init__(self, keys: Sequence[str | None] = (), *, rest_s: float = REST_S) -> None:
        """`keys` by number, None where there is none."""
        self._rest_s = rest_s
        self.restore(keys)

    def restore(self, keys: Sequence[str | None]) -> None:
        """Become these, as in the beginning."""
        self._keys = list(keys)
        self._used = np.array([key is not None for key in keys], dtype=bool)
        self._free = [number for number, key in enumerate(keys) if key is None]
        self._resting: deque[tuple[float, int]] = deque()
        self._of = {key: number for number, key in enumerate(keys) if key is not None}

    def __len__(self) -> int:
        return len(self._of)

    @property
    def size(self) -> int:
        """All numbers are below."""
        return len(self._keys)

    @property
    def keys(self) -> list[str | None]:
        """By number."""
        return self._keys

    def get(self, key: str) -> int:
        """Its number, UNKNOWN when it has none."""
        return self._of.get(key, UNKNOWN)

    def look_up(self, keys: Sequence[str]) -> Numbers:
        """[len(keys)] their numbers, UNKNOWN where there is none."""
        return look_up(keys, self._of, missing=UNKNOWN)

    def look_up_all(self, keys: Sequence[str]) -> Numbers:
        """The same of very many, beside searches."""
        return look_up_many(keys, self._of, missing=UNKNOWN)

    @property
    def used(self) -> Numbers:
        """The numbers that are in use, those that are reserved among them, in ascending order."""
        return np.flatnonzero(self._used)

    def reserve(self) -> int:
        """A number that nobody looks up before `publish`."""
        if self._free:
            number = self._free.pop()
        else:
            number = len(self._keys)
            self._keys.append(None)
            self._used = grown(self._used, number + 1, False)
        self._used[number] = True
        return number

    def publish(self, key: str, number: int) -> None:
        """From now on the key has this number; the one it had is free later."""
        self.drop([key])
        self._keys[number] = key
        self._of[key] = number

    def retire(self, numbers: Sequence[int]) -> None:
        """These are about to be dropped, and not in use any more."""
        self._used[list(numbers)] = False

    def drop(self, keys: Iterable[str]) -> None:
        """Forget these, as far as they are known."""
        for key in keys:
            if (number := self._of.pop(key, None)) is not None:
                self._keys[number] = None
                self._used[number] = False
                self._resting.append((monotonic(), number))

    def release(self, numbers: Sequence[int]) -> None:
        """Give up reserved numbers, which were looked up by nobody else."""
        self.retire(numbers)
        self._free.extend(numbers)

    def settle(self) -> list[int]:
        """A change is over; the numbers that have rested long enough, and may be given again."""
        oldest, rested = monotonic() - self._rest_s, []
        while self._resting and self._resting[0][0] <= oldest:
            rested.append(self._resting.popleft()[1])
        self._free += rested
        return rested
