"""From text to tokens: the one analyser that indexing, memory and ranking share, so that they agree on what matches."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_KEPT_CHARACTERS = 1_000  # of a text whose tokens are kept
# Words that say nothing about what is wanted in a short English query.
STOP_WORDS = frozenset(["a", "an", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"])


def fold(text: str) -> str:
    """Lower case without accents or compatibility forms: `Beyoncé` -> `beyonce`, `™` -> `tm`."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The S-stemmer: plural endings only (Harman 1991, "How effective is suffixing?")."""
    if len(word) > 3 and word.isalpha():
        if word.endswith("ies") and word[-4] not in "ae":
            return word[:-3] + "y"
        if word.endswith("es") and word[-3] not in "aeo":
            return word[:-1]
        if word.endswith("s") and word[-2] not in "us":
            return word[:-1]
    return word


def words(text: str) -> list[str]:
    """Folded runs of letters and digits, unstemmed."""
    return _WORD.findall(fold(text))


def tokens(text: str) -> list[str]:
    """Folded, stemmed, in order, repeats and stop words kept: what an index holds."""
    return [*_tokens(text)] if len(text) <= _KEPT_CHARACTERS else [stem(word) for word in words(text)]


# Kept for a short while: several arms read the same text, of a query or of a changed item.
@lru_cache(maxsize=8_192)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple([stem(word) for word in words(text)])


def query_tokens(text: str) -> list[str]:
    """Tokens without stop words and repeats, in order; all of them when nothing else is left."""
    found = list(dict.fromkeys(tokens(text)))
    return [token for token in found if token not in STOP_WORDS] or found


def query_key(text: str) -> str:
    """What makes two queries the same to the memory: the same tokens in the same order."""
    return " ".join(tokens(text))
