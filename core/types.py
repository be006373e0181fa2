"""What a search is made of, from the query to the candidates' features: frozen values without behaviour.

What is kept of a search is in core.episodes; nouns of one verb alone are beside their verb. Times are seconds since the
Unix epoch (UTC), durations are milliseconds where the name ends in `_ms`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, NewType

import numpy as np
from numpy.typing import NDArray

ItemId = NewType("ItemId", str)
QueryId = NewType("QueryId", str)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Review:
    """What a customer wrote; `rating` on the shop's own scale."""

    text: str
    rating: float | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer asked about an item, and the answers."""

    text: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that can be shown.

    `fields` hold text to read and search (`title`, `description`, ...), `attributes` hold exact values to filter
    by (`brand`, `genre`), `numbers` hold finite figures (`price`, `year`, `popularity` in 0..1), `dates` hold times
    (`released`), `images` addresses of pictures, `relations` other items by kind (`tracks` of an artist).
    """

    id: ItemId
    type: str
    fields: Mapping[str, str]
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    dates: Mapping[str, float] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    relations: Mapping[str, tuple[ItemId, ...]] = field(default_factory=dict)
    reviews: tuple[Review, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """Figures from `low` to `high`, both included; without a bound, infinite on that side."""

    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked, by whom as far as known, and when. `history`: items engaged with in this session, newest last.

    `filters`: attribute (or `type`) -> the wanted values, number -> the wanted range; see core.filters.
    """

    id: QueryId
    text: str
    time: float
    surface: str = "search"
    user_id: str | None = None
    session_id: str | None = None
    client_id: str | None = None
    filters: Mapping[str, tuple[str, ...] | Range] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    history: tuple[ItemId, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """One action of the bandit: how many candidates to ask of each arm. An arm that is missing is not asked."""

    name: str
    depths: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan, the probability it was drawn with, and the policy version that drew it."""

    plan: Plan
    propensity: float
    policy: str


class Scored(NamedTuple):
    """What an arm returns: an item and the arm's own score, comparable only within that arm's answer.

    `predicted`: an arm that learns from clicks has seen none of this item for this query yet. `why`: the reason in a
    few words, from arms whose answers need one.
    """

    item_id: ItemId
    score: float
    predicted: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item in the union, with the rank (from 1) and the score of every arm that found it.

    `predicted` names the arms whose score is still a prediction, `why` holds the reasons of those that gave one.
    """

    item: Item
    ranks: Mapping[str, int]
    scores: Mapping[str, float]
    predicted: frozenset[str] = frozenset()
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Features:
    """Named float32 features: `values` is [len(names)] for a query, [rows, len(names)] for candidates.

    `schema` is the version of their declarations: equal names under another schema may mean something else.
    """

    names: tuple[str, ...]
    values: Floats
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Contributions:
    """How scores came about: row by row, `amounts` plus `base` sum to the score.

    `values` is what the ranker saw, `amounts` what each of it added; both are [rows, len(names)] float64.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    amounts: NDArray[np.float64]
    base: float


class ArmStatus(StrEnum):
    """SKIPPED: it was to be asked and was not, because it failed too often of late, or hangs."""

    OK = "ok"
    TIMEOUT = "timeout"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ArmReport:
    """What became of one asked arm: `found` candidates in `took_ms`, or remembered, and found in that time before."""

    status: ArmStatus
    depth: int
    found: int
    took_ms: float
