"""Cuts what is sent into requests under the service's limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request carries; below what the service takes as it is shipped. Items are fewer than it takes:
    smaller requests hold up fewer searches."""

    events: int = 1_000
    items: int = 1_000
    body_bytes: int = 1_500_000

    def __post_init__(self) -> None:
        if min(self.events, self.items, self.body_bytes) < 1:
            raise ValueError(f"{self}: every limit is at least 1")


def portions(entries: Iterable[bytes], *, most: int, most_bytes: int) -> Iterator[list[bytes]]:
    """The entries in order, so many and, as a JSON array, so many bytes together at most; a larger one is alone."""
    portion: list[bytes] = []
    size = 2
    for entry in entries:
        if portion and (len(portion) >= most or size + len(entry) > most_bytes):
            yield portion
            portion, size = [], 2
        portion.append(entry)
        size += len(entry) + 1
    if portion:
        yield portion
