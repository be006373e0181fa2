"""Pairs of items for people to judge, and their judgments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from core.errors import Conflict, InvalidInput, NotFound, unknown
from core.types import ItemId


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items of one category that were shown for the same query; people preferred `taken`.

    `items` are in an order that says nothing of that. `offered` maps each term that may explain a judgment to the
    sources (seller, review, question) that mention it.
    """

    pair_id: str
    query: str
    category: str
    items: tuple[ItemId, ItemId]
    taken: ItemId
    offered: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Judgment:
    """Somebody finds `better` the better of the pair, because of `terms`."""

    judgment_id: str
    pair_id: str
    better: ItemId
    terms: tuple[str, ...]
    judge: str | None = None


class JudgmentStore(Protocol):
    """For several threads and processes. Every write is durable when it returns."""

    def replace_pairs(self, pairs: Sequence[Pair]) -> None:
        """From now on these are offered. Earlier ones that were served may still be judged."""
        ...

    def offered(self) -> Iterator[Pair]:
        """Current pairs, those with the fewest judgments first, then those that were served least often."""
        ...

    def serve(self, pairs: Sequence[Pair]) -> None:
        """Note that somebody is shown these: only such pairs can be judged."""
        ...

    def judge(self, judgment: Judgment, *, received: float) -> bool:
        """True when it is new, False when it was there already with the same content.

        NotFound for a pair that was never served, InvalidInput for an item that is not in it or a term that was not
        offered, Conflict for a judgment_id that was used for something else.
        """
        ...

    def judged(self) -> list[tuple[Pair, Judgment]]:
        """Every judgment with its pair, in the order in which they came."""
        ...

    def close(self) -> None: ...


def reused(judgment_id: str) -> Conflict:
    message = f"judgment_id {judgment_id!r} was used before for another judgment."
    return Conflict("judgment_id_reused", message, "Give every judgment an id of its own.")


def check(judgment: Judgment, pair: Pair | None) -> None:
    """As `judge` says; `pair`: the one it names, if that was served."""
    if pair is None:
        message = f"No pair {judgment.pair_id!r} was served."
        raise NotFound("unknown_pair", message, "Judge a pair from GET /v1/quality/pairs.")
    if judgment.better not in pair.items:
        message = unknown("item of this pair", judgment.better, pair.items)
        raise InvalidInput("item_not_in_pair", message, "Name one of these as better.")
    for term in judgment.terms:
        if term not in pair.offered:
            message = unknown("term", term, pair.offered)
            raise InvalidInput("term_not_offered", message, "Choose among the terms that came with the pair, or none.")


def pair_from(body: bytes) -> Pair:
    """What `asdict` and orjson made of it."""
    raw = orjson.loads(body)
    first, second = map(ItemId, raw["items"])
    offered = {term: tuple(sources) for term, sources in raw["offered"].items()}
    return Pair(raw["pair_id"], raw["query"], raw["category"], (first, second), ItemId(raw["taken"]), offered)


def judgment_from(body: bytes) -> Judgment:
    """What `asdict` and orjson made of it."""
    raw = orjson.loads(body)
    return Judgment(raw["judgment_id"], raw["pair_id"], ItemId(raw["better"]), tuple(raw["terms"]), raw["judge"])
