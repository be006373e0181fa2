"""What kind of query it is; the same for all candidates, and of use together with what differs among them."""

from __future__ import annotations

from core.text import query_tokens
from core.types import Floats
from ranking.features.asked import Asked
from ranking.features.feature import Feature
from ranking.features.slots import UNKNOWN
from ranking.features.words import Words

_SHORTEST_MODEL = 4


class QueryFeatures:
    """Length, figures, and what the catalogue doesn't know."""

    features = (
        Feature("query.words", "length of the query", "query", "words", "0.."),
        Feature("query.digits", "of the query's characters, blanks left out, those that are digits", "query", "share",
                "0..1", "an empty query"),
        Feature("query.model", "1 when a word has letters and digits and at least four of both, as model numbers do",
                "query", "flag", "0..1"),
        Feature("query.unknown", "of the query's words, those that no item has", "words of query and catalogue",
                "share", "0..1", "an empty query"),
    )  # fmt: skip

    def __init__(self, words: Words) -> None:
        """`words` are kept up to date by somebody else."""
        self._words = words

    def compute(self, asked: Asked, out: Floats) -> None:
        words = query_tokens(asked.query.text)
        characters = [each for each in asked.query.text if not each.isspace()]
        out[0] = len(words)
        out[1] = sum(map(str.isdigit, characters)) / len(characters) if characters else float("nan")
        out[2] = any(map(_looks_like_a_model, words))
        unknown = sum(self._words.number(word) == UNKNOWN for word in words)
        out[3] = unknown / len(words) if words else float("nan")


def _looks_like_a_model(word: str) -> bool:
    return len(word) >= _SHORTEST_MODEL and any(map(str.isdigit, word)) and any(map(str.isalpha, word))
