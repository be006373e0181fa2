"""Analysers: what counts as the same word, by language, and what the lexical arm makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from arms_with_items import Okapi
from words import item, query

from core.errors import InvalidConfig
from core.text import query_tokens, tokens
from retrievers.lexical import LexicalRetriever
from retrievers.words.analyser import LANGUAGES, Analyser, Language, analyser

ENGINES: list[Callable[[Analyser], LexicalRetriever | Okapi]] = [
    lambda found: LexicalRetriever(analyser=found),
    Okapi,
]


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("german", "Häuser", "Haus"), ("german", "HAEUSER", "haus"), ("german", "Straßen", "Strasse"),
        ("german", "Bücher", "Buch"), ("german", "Ha\u0308user", "Häuser"), ("french", "chevaux", "cheval"),
        ("french", "Lampes", "lampe"), ("french", "réputées", "réputé"), ("spanish", "canciones", "canción"),
        ("russian", "книги", "книга"), ("swedish", "böckerna", "böcker"), ("turkish", "IŞIKLAR", "ışıklar"),
        ("turkish", "İSTANBUL", "istanbul"), ("english", "batteries", "battery"),
    ],
)  # fmt: skip
def test_forms_of_one_word(language: Language, one: str, other: str) -> None:
    found = analyser(language)
    assert found.tokens(one) == found.tokens(other) != []
    assert found.tokens(one) == found.query_tokens(other)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("german", "ein Stuhl für die Häuser und das Haus", ["stuhl", "haus"]),
        ("french", "les lampes de la maison", ["lamp", "maison"]),
        ("german", "der die das", ["der", "die", "das"]),
        ("greek", "και λάμπα και", ["κα", "λαμπ"]),
        ("french", "?!", []),
    ],
)
def test_query_tokens_drop_stop_words_unless_nothing_else_is_left(
    language: Language, text: str, expected: list[str]
) -> None:
    assert analyser(language).query_tokens(text) == expected


def test_an_index_keeps_stop_words_order_and_repeats() -> None:
    assert analyser("german").tokens("das Haus, das 17-Zoll-Haus") == ["das", "haus", "das", "17", "zoll", "haus"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["", "\x00", "💡 ½ ﷺ ﬁle", "a" * 100_000, "17-inch dv7-1211ea", "ß İ ı ǅ"])
def test_tokens_of_any_text_have_no_blanks(language: Language, text: str) -> None:
    found = analyser(language)
    assert all(token and not any(map(str.isspace, token)) for token in found.tokens(text) + found.query_tokens(text))


def test_english_is_what_the_other_arms_have() -> None:
    text = "The 17-inch cases for the laptops"
    assert analyser("english").tokens(text) == tokens(text)
    assert analyser("english").query_tokens(text) == query_tokens(text)


def test_an_unknown_language_is_explained() -> None:
    with pytest.raises(InvalidConfig, match=r"'germn'\. Did you mean 'german'\? Allowed: arabic, danish, .*turkish"):
        analyser("germn")  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ENGINES, ids=["tantivy", "okapi"])
def test_the_arm_finds_other_forms(engine: Callable[[Analyser], LexicalRetriever | Okapi]) -> None:
    arm = engine(analyser("german"))
    arm.apply([item("a", "Häuser am Meer"), item("b", "Stühle"), item("c", "Tische")], [])
    assert [hit.item_id for hit in arm.retrieve(query("Haus"), 5)] == ["a"]
    assert [hit.item_id for hit in arm.retrieve(query("ein Stuhl"), 5)] == ["b"]
    assert arm.signals(query("Haus"))["known"] == 1.0


def test_typos_are_forgiven_in_every_language() -> None:
    arm = LexicalRetriever(analyser=analyser("german"))
    arm.apply([item("a", "Lautsprecher"), item("b", "Kühlschränke"), item("c", "Hausboot")], [])
    for text, wanted in (("lautsprehcer", "a"), ("Külschrank", "b"), ("lautspr", "a"), ("haus boot", "c")):
        assert [hit.item_id for hit in arm.retrieve(query(text), 1)] == [wanted]
