"""The nouns of Bowerbird, as frozen values without behaviour; those of one verb alone are beside it.

Times are seconds since the Unix epoch (UTC), durations are milliseconds where the name ends in `_ms`.
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
EventId = NewType("EventId", str)

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
class ValueCount:
    """How many items have this value of an attribute."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class RangeCount:
    """How many items have a figure from `low` to `high`, which are the least and the greatest there is in the range."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The facet of a number: ranges in ascending order that neither overlap nor miss an item."""

    ranges: tuple[RangeCount, ...]


Facet = tuple[ValueCount, ...] | Figures


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


IMPORTED = "imported"  # the surface, and the policy, of what another system has shown
LAST_SWAPPED = 9  # the deepest position whose item may change places with the next
NO_ROWS = Features((), np.empty((0, 0), dtype=np.float32))


class ArmStatus(StrEnum):
    """SKIPPED: it was to be asked and was not, because it failed too often of late, or hangs."""

    OK = "ok"
    TIMEOUT = "timeout"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ArmReport:
    """What became of one asked arm: `found` candidates in `took_ms`."""

    status: ArmStatus
    depth: int
    found: int
    took_ms: float


@dataclass(frozen=True, slots=True)
class Impression:
    """What was shown for a query, in order, with everything a learner needs frozen as it was.

    `features` has one row per shown item. `ranks[arm][i]` is the arm's rank of the i-th shown item, 0 when the arm
    did not find it. `first_position` is the page offset + 1. `release` is the number of the model release that
    served, `ranker` the version of the ranking model, `config` the hash of the configuration. `experiment` is
    `name:first`, `name:second`, or `name:both` when both variants were interleaved. Then `teams[i]` is 1 or 2 for the
    variant that drafted the i-th shown item, 0 for neither, and `choice` is that of the first. `ranked[i]` is the rank
    that the ranking model gave the i-th shown item, empty where a later step moved none of them. `neural` is what
    became of the neural stage, None where there is none; `depth` candidates were to be read, and `found` were.

    `sampled` has the features of a few candidates drawn at random from below the page, which nobody saw. `swapped` is
    the position k (from 1) whose item changed places with that of k + 1, 0 for none, and `swap_propensity` the
    probability of just that, apart from the plan's: it is drawn whatever the plan.
    """

    query: Query
    choice: Choice
    context: Features
    shown: tuple[ItemId, ...]
    features: Features
    ranks: Mapping[str, tuple[int, ...]]
    arms: Mapping[str, ArmReport]
    ranker: str
    release: int
    config: str
    first_position: int = 1
    experiment: str = ""
    teams: tuple[int, ...] = ()
    ranked: tuple[int, ...] = ()
    neural: ArmReport | None = None
    sampled: Features = NO_ROWS
    swapped: int = 0
    swap_propensity: float = 1.0

    @property
    def degraded(self) -> bool:
        """True when an asked arm did not answer: such rows are left out of off-policy evaluation."""
        return any(report.status is not ArmStatus.OK for report in self.arms.values())

    @property
    def mixed(self) -> bool:
        """True when two answers were interleaved: what was shown is not what `choice` alone gives, so such rows are
        left out of off-policy evaluation and teach no policy."""
        return self.experiment.endswith(":both")

    @property
    def imported(self) -> bool:
        """True when another system has shown it: it tells of people and items, but of no arm, plan or ranker."""
        return self.query.surface == IMPORTED


@dataclass(frozen=True, slots=True)
class Shadow:
    """What the arms would have found for a search, whatever its plan asked: all of them, deep, after the answer.

    `ranks[arm][i]` is the arm's rank of the i-th shown item of the impression, 0 when it is not among the first
    `depths[arm]`; `took_ms` is measured in the gaps between searches. All three have the arms that answered.
    """

    query_id: QueryId
    ranks: Mapping[str, tuple[int, ...]]
    depths: Mapping[str, int]
    took_ms: Mapping[str, float]
    time: float


@dataclass(frozen=True, slots=True)
class Feedback:
    """One thing a person did about one shown item. `time` is when it happened, `received` when we heard of it."""

    event_id: EventId
    query_id: QueryId
    item_id: ItemId
    action: str
    time: float
    received: float
    client_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    position: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Episode:
    """An impression joined to its feedback: the only row a learner reads.

    `gains[i]` is the gain of the i-th shown item (0 = nothing happened), `examination[i]` the probability that a person
    looked at it, relative to the first position; `reward` is that of the whole answer, by the reward rule whose version
    is `rule`. Few episodes have a `shadow`.
    """

    impression: Impression
    feedback: tuple[Feedback, ...]
    gains: tuple[float, ...]
    examination: tuple[float, ...]
    reward: float
    shadow: Shadow | None = None
    rule: str = ""
