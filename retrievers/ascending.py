"""What arrays in ascending order tell quickly; np.unique, which sorts them once more, takes several times as long."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.number[Any])


def once(ascending: NDArray[Number]) -> NDArray[Number]:
    """Each value once."""
    first = np.ones(len(ascending), dtype=bool)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return ascending.compress(first)


def frequent(ascending: NDArray[Number], least: int) -> tuple[NDArray[Number], NDArray[np.intp]]:
    """The values that are there at least so many times (1 or more), each once, and how many times they are."""
    last = ascending[least - 1 :]
    values = last[last == ascending[: len(last)]]  # `least` equal ones in order, from every one but the last of them
    if not len(values):
        return values, np.empty(0, dtype=np.intp)
    values = once(values)
    return values, ascending.searchsorted(values, "right") - ascending.searchsorted(values)
