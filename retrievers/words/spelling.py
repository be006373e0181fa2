"""Words that the catalogue doesn't know: what was probably meant, from the index's own dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from rapidfuzz import process
from rapidfuzz.distance import OSA

# How much of a sure match a guess is worth.
_ONE_TYPO, _TWO_TYPOS, _SPLIT, _BEGINNING = 0.8, 0.5, 0.8, 0.5
_GUESSES = 4
_NEAR = 5_000  # dictionary words compared, the most frequent first
_SHORTEST_PART = 2


class Dictionary(Protocol):
    """The terms of an index."""

    def frequency(self, term: str) -> int:
        """In how many items the term is."""
        ...

    def beginning(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Terms with that prefix and their frequencies, the most frequent first."""
        ...


class Spelling:
    """Guesses for one state of the index, each computed once."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self.guesses = lru_cache(maxsize=10_000)(self._guesses)

    def _guesses(self, token: str, unfinished: bool) -> Mapping[tuple[str, ...], float]:
        """(one term, or two to be found together) -> weight; empty for a token without a likely meaning.

        `unfinished`: the token ends the query, so it may be the beginning of a word.
        """
        found: dict[tuple[str, ...], float] = dict(self._corrected(token))
        if halves := self._split(token):
            found[halves] = _SPLIT
        if unfinished and len(token) > 1:
            for term, _ in self._dictionary.beginning(token, _GUESSES):
                found[(term,)] = max(found.get((term,), 0.0), _BEGINNING)
        return found

    def _corrected(self, token: str) -> dict[tuple[str, ...], float]:
        """The nearest terms, the more frequent first among equally near ones."""
        most = edit_distance(token)
        if not most:
            return {}
        # A typo in the first two letters is rare; then the first alone, then any word are tried.
        for letters in (2, 1, 0):
            words = dict(self._dictionary.beginning(token[:letters], _NEAR))
            near = process.extract(token, words.keys(), scorer=OSA.distance, score_cutoff=most, limit=_GUESSES * 4)
            if near:
                best = sorted(near, key=lambda match: (match[1], -words[match[0]], match[0]))
                closest = best[0][1]
                weight = _ONE_TYPO if closest == 1 else _TWO_TYPOS
                return {(term,): weight for term, distance, _ in best[:_GUESSES] if distance == closest}
        return {}

    def _split(self, token: str) -> tuple[str, str] | None:
        """`deskjet` -> desk, jet: the two known words of which the rarer is the most frequent."""
        frequency = self._dictionary.frequency
        parts = [(token[:n], token[n:]) for n in range(_SHORTEST_PART, len(token) - _SHORTEST_PART + 1)]
        known = [(min(frequency(left), frequency(right)), left, right) for left, right in parts]
        best = max(known, default=(0, "", ""))
        return (best[1], best[2]) if best[0] else None


def edit_distance(token: str) -> int:
    """How many typos to forgive: none in short words, where they change the meaning; one in model numbers."""
    if len(token) < 4:
        return 0
    if not token.isalpha():
        return 1 if len(token) > 5 else 0
    return 1 if len(token) < 8 else 2
