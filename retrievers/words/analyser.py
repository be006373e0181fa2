"""From text to tokens in the language of the catalogue: what the lexical arm indexes and asks for."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, Protocol, get_args

import tantivy

import core.text
from core.errors import InvalidConfig, unknown
from core.text import fold

Language = Literal[
    "arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hungarian", "italian",
    "norwegian", "portuguese", "romanian", "russian", "spanish", "swedish", "turkish",
]  # fmt: skip
LANGUAGES: tuple[Language, ...] = get_args(Language)
# Those for which tantivy knows no stop words: every word of a query counts, the common ones for little.
_NO_STOP_WORDS = frozenset(["arabic", "greek", "romanian", "turkish"])
# Letters and digits, with the marks that no single letter holds.
_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")


class Analyser(Protocol):
    """What counts as the same word."""

    def tokens(self, text: str) -> list[str]:
        """Folded, stemmed, in order, repeats and stop words kept: what an index holds."""
        ...

    def query_tokens(self, text: str) -> list[str]:
        """Tokens without stop words and repeats, in order; all of them when nothing else is left."""
        ...


class English:
    """core.text: plural endings only, as the other arms and the ranker have it."""

    def tokens(self, text: str) -> list[str]:
        return core.text.tokens(text)

    def query_tokens(self, text: str) -> list[str]:
        return core.text.query_tokens(text)


ENGLISH = English()


class Snowball:
    """The language's Snowball stemmer and stop words, both tantivy's; what is left of a word loses its accents.

    Accents go last, because endings are told by them: `été` is a stop word, and `réputée` is stemmed, only with them.
    """

    def __init__(self, language: Language) -> None:
        # Turkish has an i with a dot and one without, and capitals of both.
        self._capitals = str.maketrans("Iİ", "ıi") if language == "turkish" else {}
        stemmer = tantivy.Filter.stemmer(language)
        self._stems = _analyser(stemmer)
        stopped = language not in _NO_STOP_WORDS
        self._contents = _analyser(tantivy.Filter.stopword(language), stemmer) if stopped else self._stems

    def tokens(self, text: str) -> list[str]:
        return [_plain(stem) for stem in self._stems.analyze(self._words(text))]

    def query_tokens(self, text: str) -> list[str]:
        words = self._words(text)
        return list(dict.fromkeys(map(_plain, self._contents.analyze(words) or self._stems.analyze(words))))

    def _words(self, text: str) -> str:
        """Lower-case words with their accents, a blank between them."""
        lower = unicodedata.normalize("NFKC", text).translate(self._capitals).lower()
        return " ".join(_WORD.findall(lower))


def analyser(language: Language) -> Analyser:
    """InvalidConfig lists the languages there are."""
    if language not in LANGUAGES:
        raise InvalidConfig("unknown_language", unknown("language", language, LANGUAGES), "Name one of these.")
    return ENGLISH if language == "english" else Snowball(language)


def _analyser(*filters: tantivy.Filter) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    for each in filters:
        builder = builder.filter(each)
    return builder.build()


def _plain(stem: str) -> str:
    return fold(stem).replace("ı", "i")
