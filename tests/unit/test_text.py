"""The analyser."""

import pytest

from core.text import fold, query_key, query_tokens, stem, tokens


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("speakers", "speaker"), ("batteries", "battery"), ("cases", "case"), ("bus", "bus"), ("glass", "glass"),
        ("windows", "window"), ("movies", "movy"), ("gas", "gas"), ("tv", "tv"), ("1080s", "1080s"), ("shoes", "shoe"),
    ],
)  # fmt: skip
def test_only_plural_endings_go(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_folding() -> None:
    assert fold("Beyoncé ÉTÉ Intel® ﬁle") == "beyonce ete intel® file"


def test_tokens_keep_order_and_repeats() -> None:
    assert tokens("The 17-inch HP dv7-1211ea, the best!") == [
        "the", "17", "inch", "hp", "dv7", "1211ea", "the", "best"
    ]  # fmt: skip


def test_query_tokens_drop_stop_words_unless_nothing_else_is_left() -> None:
    assert query_tokens("case for the laptops, for a laptop") == ["case", "laptop"]
    assert query_tokens("The The") == ["the"]
    assert query_tokens("!?") == []


def test_one_key_for_one_meaning() -> None:
    assert query_key("Bluetooth  SPEAKERS!") == query_key("bluetooth speaker")
    assert query_key("speaker bluetooth") != query_key("bluetooth speaker")
