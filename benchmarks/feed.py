"""What a shop's feed sends all day: new prices, popularity and stock; now and then a new text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from core.seeds import generator
from core.types import Item


class Feed:
    """Changes of items in random order, none again before all have changed.

    Each also gets a number of its own, `changed`, by which it can be found. With `labelled`, it is a value of the
    attribute `stock` instead: a word that no item had before, which everything that reads words has to take in. A share
    `rewritten` also gets a word in the title that nothing else has. A new title has to be encoded, at some 60 texts a
    second, so only few changes can have one.
    """

    def __init__(self, items: Sequence[Item], *, seed: int, rewritten: float, labelled: bool = False) -> None:
        self._items = items
        self._labelled = labelled
        self._random = generator(seed, "feed")
        self._order = self._random.permutation(len(items))
        self._rewritten = rewritten
        self._count = 0

    def batch(self, size: int) -> list[Item]:
        return [self.change() for _ in range(size)]

    def change(self) -> Item:
        item = self._items[int(self._order[self._count % len(self._order)])]
        self._count += 1
        numbers = {
            "price": float(self._random.integers(5, 2_000)),
            "popularity": float(self._random.random()),
            "stock": float(self._random.integers(0, 200)),
        }
        if self._labelled:
            labels = {**item.attributes, "stock": (f"n{self._count}",)}
            changed = replace(item, numbers=numbers, attributes=labels)
        else:
            changed = replace(item, numbers={**numbers, "changed": float(self._count)})
        if self._random.random() < self._rewritten:
            return replace(changed, fields={**item.fields, "title": f"{item.fields['title']} fresh{self._count}"})
        return changed


def body(item: Item) -> dict[str, Any]:
    """As PUT /v1/items takes it."""
    return {name: value for name, value in asdict(item).items() if value}
