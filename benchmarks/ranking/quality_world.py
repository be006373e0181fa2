"""A shop whose truth is known: what price buys, what it does not, what people write, judge and buy.

The latent quality of an item is its price's part plus its residual. Customers rate and write about aspects by the
latent quality; sellers praise everything alike; judges compare latent quality; buyers want much for their money, so a
purchase depends on the residual. With `thrift` below 1, buyers also like what price buys; at 0 they do not mind the
price at all. Only `items` and `searches` are for those who learn; `latent`, `residual` and `aspects` are for the one
who checks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import Item, ItemId, Question, Review

Doubles = NDArray[np.float64]

_ASPECTS = {
    "shoe": ("sole", "lace", "heel", "insole", "stitching", "tongue"),
    "lamp": ("shade", "switch", "bulb", "cable", "base", "dimmer"),
    "kettle": ("lid", "spout", "handle", "element", "filter", "thermostat"),
    "chair": ("backrest", "cushion", "armrest", "castor", "frame", "tilt"),
}
_GOOD = ("great", "sturdy", "lovely", "solid", "superb")
_BAD = ("flimsy", "broken", "poor", "wobbly", "awful")
_FILLER = ("bought it last month", "it came in a box", "for my mother", "second one in the house", "used every day")
_PRICE_PART = 0.7  # of latent quality, per standard deviation of log price
_RESIDUAL = 0.5
_ASPECT_NOISE, _RATING_NOISE, _TASTE = 0.4, 0.8, 0.5
_STEEPNESS = 2.5  # of buying, per unit of residual
_UNREVIEWED = 0.1


@dataclass(frozen=True, slots=True)
class Search:
    """Two items of one category that somebody looked at, and which one was bought."""

    items: tuple[ItemId, ItemId]
    bought: ItemId


@dataclass(frozen=True, slots=True)
class World:
    items: tuple[Item, ...]
    searches: tuple[Search, ...]
    judgments: tuple[tuple[ItemId, ItemId], ...]
    latent: dict[ItemId, float]
    residual: dict[ItemId, float]
    aspects: dict[tuple[ItemId, str], float]


def world(seed: int, *, items: int = 800, searches: int = 4_000, judgments: int = 4_000, thrift: float = 1.0) -> World:
    random = np.random.default_rng(seed)
    kinds = [str(kind) for kind in random.choice(list(_ASPECTS), items)]
    log_price = random.normal(3.5, 0.6, items)
    residual = random.normal(0, _RESIDUAL, items)
    latent = _PRICE_PART * (log_price - 3.5) / 0.6 + residual
    aspects = [_aspects(kinds[n], float(latent[n]), random) for n in range(items)]
    made = [_item(n, kinds[n], float(np.exp(log_price[n])), float(latent[n]), aspects[n], random) for n in range(items)]
    worth = residual + (1 - thrift) * (latent - residual)
    ids = [item.id for item in made]
    by_kind = {kind: np.flatnonzero(np.array(kinds) == kind) for kind in _ASPECTS}
    pairs = [_two(by_kind, random) for _ in range(searches)]
    asked = [_two(by_kind, random) for _ in range(judgments)]
    return World(
        items=tuple(made),
        searches=tuple(Search((ids[a], ids[b]), ids[_choice(a, b, _STEEPNESS * worth, random)]) for a, b in pairs),
        judgments=tuple(_judged(ids, a, b, latent / _TASTE, random) for a, b in asked),
        latent=dict(zip(ids, latent.tolist(), strict=True)),
        residual=dict(zip(ids, residual.tolist(), strict=True)),
        aspects={(ids[n], name): worth for n, found in enumerate(aspects) for name, worth in found.items()},
    )


def _two(by_kind: dict[str, NDArray[np.int64]], random: np.random.Generator) -> tuple[int, int]:
    one, other = random.choice(by_kind[str(random.choice(list(by_kind)))], 2, replace=False)
    return int(one), int(other)


def _choice(one: int, other: int, worth: Doubles, random: np.random.Generator) -> int:
    return one if random.random() < 1 / (1 + np.exp(worth[other] - worth[one])) else other


def _judged(
    ids: list[ItemId], one: int, other: int, worth: Doubles, random: np.random.Generator
) -> tuple[ItemId, ItemId]:
    better = _choice(one, other, worth, random)
    return ids[better], ids[other if better == one else one]


def _aspects(kind: str, latent: float, random: np.random.Generator) -> dict[str, float]:
    return {name: latent + float(random.normal(0, _ASPECT_NOISE)) for name in _ASPECTS[kind]}


def _item(
    number: int, kind: str, price: float, latent: float, aspects: dict[str, float], random: np.random.Generator
) -> Item:
    count = 0 if random.random() < _UNREVIEWED else int(random.geometric(0.15))
    praise = [f"{random.choice(_GOOD)} {name}" for name in random.permutation(_ASPECTS[kind])[:4]]
    return Item(
        id=ItemId(f"{kind}-{number}"),
        type=kind,
        fields={"title": f"{kind} model {number}", "description": ", ".join(praise)},
        numbers={"price": price},
        reviews=tuple(_review(aspects, latent, random) for _ in range(count)),
        questions=(Question(f"Is the {random.choice(list(aspects))} spare?", ("Yes.",)),) if count else (),
    )


def _review(aspects: dict[str, float], latent: float, random: np.random.Generator) -> Review:
    """Two aspects, each praised or blamed by what it is like; every fifth review comes without a rating."""
    named = [str(name) for name in random.choice(list(aspects), 2, replace=False)]
    said = [_said(name, aspects[name], random) for name in named]
    rating = float(np.clip(np.round(3.7 + 0.8 * latent + random.normal(0, _RATING_NOISE)), 1, 5))
    text = ". ".join([*said, str(random.choice(_FILLER))])
    return Review(text, None if random.random() < 0.2 else rating)


def _said(name: str, worth: float, random: np.random.Generator) -> str:
    words = _GOOD if random.random() < 1 / (1 + np.exp(-2.5 * worth)) else _BAD
    return f"{random.choice(words)} {name}"
