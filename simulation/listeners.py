"""The listeners of the demo: what they type, what pleases them, and what they do with the results."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.types import Item, ItemId
from simulation.traffic import weighted


@dataclass(frozen=True, slots=True)
class Search:
    """One thing somebody types: the grades (1..3) of the items that please, and its share of all searches."""

    text: str
    grades: Mapping[ItemId, int]
    share: float


def read_listeners(toml: str, items: Sequence[Item]) -> list[Search]:
    """The searches of a listeners file; shares sum to 1. An item's grade is the best of the rules that it fits."""
    searches = []
    for intent in tomllib.loads(toml)["intent"]:
        grades: dict[ItemId, int] = {}
        for rule in intent["wants"]:
            for item in items:
                if _fits(item, rule):
                    grades[item.id] = max(grades.get(item.id, 0), rule["grade"])
        total = sum(frequency for _, frequency in intent["queries"])
        searches += [
            Search(text, grades, intent["weight"] * frequency / total) for text, frequency in intent["queries"]
        ]
    whole = sum(search.share for search in searches)
    return [Search(search.text, search.grades, search.share / whole) for search in searches]


def traffic(searches: Sequence[Search], random: np.random.Generator) -> Iterator[Search]:
    """Endless searches by their shares."""
    return weighted(searches, np.array([search.share for search in searches]), random)


def _fits(item: Item, rule: Mapping[str, Any]) -> bool:
    return all(_fits_key(item, key, wanted) for key, wanted in rule.items() if key != "grade")


def _fits_key(item: Item, key: str, wanted: Any) -> bool:
    match key:
        case "ids":
            return item.id in wanted
        case "type":
            return item.type in ([wanted] if isinstance(wanted, str) else wanted)
        case "year_from":
            return item.numbers.get("year", -np.inf) >= float(wanted)
        case "year_to":
            return item.numbers.get("year", np.inf) <= float(wanted)
        case "min_popularity":
            return item.numbers.get("popularity", 0.0) >= float(wanted)
        case "artist_id" | "genre" | "mood":
            return not set(item.attributes.get(key, ())).isdisjoint([wanted] if isinstance(wanted, str) else wanted)
        case _:
            raise ValueError(f"unknown key {key!r} in a `wants` rule")
