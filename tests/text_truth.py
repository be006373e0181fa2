"""How the words of query and item agree, as obviously as can be: the truth that the quick evaluation is held to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.text import query_tokens, tokens
from core.types import Item


def text_features(text: str, item: Item, catalogue: Sequence[Item]) -> dict[str, float]:
    """By name, for one item of the catalogue."""
    asked = query_tokens(text)
    title, prose, labels = _title(item), _prose(item), _labels(item)
    weights = {word: _idf(word, catalogue) for word in asked}
    places = [title.index(word) for word in asked if word in title]
    wanted = {_padded(asked)[n : n + 3] for n in range(len(_padded(asked)) - 2)} if asked else set()
    return {
        "text.title_share": _share(weights, title),
        "text.prose_share": _share(weights, prose),
        "text.label_share": _share(weights, labels),
        "text.voice_share": _share(weights, _voices(item)) if item.reviews or item.questions else math.nan,
        "text.title_filled": len(places) / len(title) if title else 0.0,
        "text.title_exact": float(title == asked),
        "text.title_first": 1 / (1 + min(places)) if places else 0.0,
        "text.title_last": 1 / (1 + title.index(asked[-1])) if asked and asked[-1] in title else 0.0,
        "text.title_trigrams": sum(each in _padded(title) for each in wanted) / len(wanted) if wanted else 0.0,
        "text.title_words": math.log1p(len(title)),
        "query.words": float(len(asked)),
    }


def _title(item: Item) -> list[str]:
    return tokens(item.fields.get("title", ""))


def _prose(item: Item) -> list[str]:
    return tokens(" ".join(item.fields.values()))


def _labels(item: Item) -> list[str]:
    named = (value for name, values in item.attributes.items() if not name.endswith("_id") for value in values)
    return tokens(" ".join([item.type, *named]))


def _voices(item: Item) -> list[str]:
    questions = [text for each in item.questions for text in (each.text, *each.answers)]
    return tokens(" ".join([*(review.text for review in item.reviews), *questions]))


def _idf(word: str, catalogue: Sequence[Item]) -> float:
    having = sum(word in _prose(item) or word in _labels(item) for item in catalogue)
    return math.log(1 + (len(catalogue) + 1) / (having + 0.5))


def _share(weights: dict[str, float], words: list[str]) -> float:
    return sum(weight for word, weight in weights.items() if word in words) / (sum(weights.values()) or 1.0)


def _padded(words: list[str]) -> str:
    return f" {' '.join(words)} "
