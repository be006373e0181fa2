"""Known-item queries: what somebody types who looks for one product and remembers it more or less well."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from core.seeds import generator
from core.text import STOP_WORDS, words
from core.types import Item, ItemId

_LONG = 5
_KEYS = string.ascii_lowercase


def known_items(items: Sequence[Item], *, count: int = 1_000, seed: int = 1) -> dict[str, list[tuple[str, ItemId]]]:
    """Kind of query -> (query, the item looked for) for each item of a sample that allows it.

    A title that several items have identifies none of them, so items are drawn among those with a title of their own.
    """
    titles = [tuple(words(item.fields.get("title", ""))) for item in items]
    times = Counter(titles)
    random = generator(seed, "known-items")
    chosen = [item for item, title in zip(items, titles, strict=True) if times[title] == 1 and len(title) >= 3]
    sample = [chosen[n] for n in random.permutation(len(chosen))[:count]]
    made: dict[str, list[tuple[str, ItemId]]] = {}
    for kind, make in _KINDS.items():
        queries = [(make(item, random), item.id) for item in sample]
        made[kind] = [(query, item_id) for query, item_id in queries if query]
    return made


def _exact(item: Item, random: np.random.Generator) -> str:
    """Brand and model name, as printed on the box."""
    model, brand = item.fields.get("model", ""), item.fields.get("brand", "")
    return f"{brand} {model}".strip() if model else item.fields["title"]


def _title_words(item: Item, random: np.random.Generator, most: int = 6) -> str:
    """The first words of the title."""
    return " ".join(_content(item)[:most])


def _typos(count: int) -> Callable[[Item, np.random.Generator], str]:
    def make(item: Item, random: np.random.Generator) -> str:
        """Title words with a typo in `count` of the words that have at least five letters."""
        found = _content(item)[:6]
        long = [n for n, word in enumerate(found) if len(word) >= _LONG and word.isalpha()]
        if len(long) < count:
            return ""
        for n in random.permutation(long)[:count]:
            found[n] = _misspelt(found[n], random)
        return " ".join(found)

    return make


def _glued(item: Item, random: np.random.Generator) -> str:
    found = _content(item)[:6]
    n = int(random.integers(len(found) - 1))
    return " ".join([*found[:n], found[n] + found[n + 1], *found[n + 2 :]])


def _split(item: Item, random: np.random.Generator) -> str:
    found = _content(item)[:6]
    long = [n for n, word in enumerate(found) if len(word) >= 6]
    if not long:
        return ""
    n = int(random.choice(long))
    cut = int(random.integers(2, len(found[n]) - 1))
    return " ".join([*found[:n], found[n][:cut], found[n][cut:], *found[n + 1 :]])


def _described(item: Item, random: np.random.Generator) -> str:
    """Brand, and up to four attribute values in any order: what it is like, not what it is called."""
    values = [found[0] for name, found in item.attributes.items() if name != "brand" and 2 < len(found[0]) <= 20]
    if len(values) < 3:
        return ""
    chosen = random.permutation(values)[:4]
    return " ".join([item.fields.get("brand", ""), *chosen]).strip()


_KINDS: dict[str, Callable[[Item, np.random.Generator], str]] = {
    "exact": _exact,
    "title": _title_words,
    "typo1": _typos(1),
    "typo2": _typos(2),
    "glued": _glued,
    "split": _split,
    "described": _described,
}


def _content(item: Item) -> list[str]:
    return [word for word in words(item.fields["title"]) if word not in STOP_WORDS]


def _misspelt(word: str, random: np.random.Generator) -> str:
    """One letter left out, doubled, replaced, or two swapped; the first letter stays, as it mostly does."""
    at = int(random.integers(1, len(word) - 1))
    letter = _KEYS[int(random.integers(len(_KEYS)))]
    return (
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )[int(random.integers(4))]
