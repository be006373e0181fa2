"""What the service answers. Keys of a newer service that are not named here are left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from bowerbird_client.item import Question, Review
from bowerbird_client.wire import keyed


@dataclass(frozen=True, slots=True)
class Found:
    """Where an arm had the item; with `explain`, why, from arms whose answers need a reason."""

    rank: int
    score: float
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The value of a feature, None where it is missing, and what it adds to the score."""

    contribution: float
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the memory holds of an item for a query."""

    belief: float
    prior: float
    gain: float
    examined: float
    posterior: float
    predicted: bool


@dataclass(frozen=True, slots=True)
class Praised:
    """A term, who mentions it, and how customers feel about it beside what is usual in the category."""

    term: str
    sources: tuple[str, ...]
    sentiment: float | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """What customers wrote and rated; `residual` is the quality that price does not explain."""

    reviews: int
    positive: tuple[Praised, ...]
    negative: tuple[Praised, ...]
    rating: float | None = None
    residual: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the hit is where it is. `base` and all contributions sum to its score."""

    base: float
    features: dict[str, Part]
    ranked: int
    held_back: str | None = None
    memory: Remembered | None = None
    quality: Quality | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One shown item, and the arms that found it. `position` counts from 1."""

    position: int
    id: str
    type: str
    fields: dict[str, str]
    attributes: dict[str, tuple[str, ...]]
    numbers: dict[str, float]
    score: float
    arms: dict[str, Found]
    explanation: Explanation | None = None
    team: int | None = None


@dataclass(frozen=True, slots=True)
class ArmReport:
    """What became of one asked arm, or of the neural stage: `ok`, `timeout` or `error`."""

    status: str
    depth: int
    found: int
    took_ms: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The chosen plan: how many candidates each arm was asked for."""

    name: str
    depths: dict[str, int]


@dataclass(frozen=True, slots=True)
class ValueCount:
    """A value of an attribute, and how many items have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class RangeCount:
    """The least and the greatest figure in a range, and how many items are in it."""

    count: int
    low: float = keyed("from")
    high: float = keyed("to")


@dataclass(frozen=True, slots=True)
class Figures:
    """The facet of a number: its bounds, None where no item has one, and ranges of about equally many items."""

    ranges: tuple[RangeCount, ...]
    min: float | None = None
    max: float | None = None


Facet: TypeAlias = tuple[ValueCount, ...] | Figures


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The hits, and how they came about. Events name its `query_id`, if it is `logged`."""

    query_id: str
    hits: tuple[Hit, ...]
    candidates: int
    plan: Plan
    policy: str
    ranker: str
    release: int
    arms: dict[str, ArmReport]
    degraded: bool
    took_ms: float
    neural: ArmReport | None = None
    experiment: str | None = None
    facets: dict[str, Facet] = field(default_factory=dict)
    logged: bool = True


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one entry was refused. `index` counts from 0, over all that the call was given."""

    index: int
    code: str
    message: str
    remedy: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class EventsAnswer:
    """What became of the events. Stored ones are durable; duplicates were stored before."""

    stored: int = 0
    duplicates: int = 0
    rejected: tuple[Rejection, ...] = ()

    def and_then(self, other: EventsAnswer, *, before: int) -> EventsAnswer:
        """Together with the answer about those that came after the first `before` entries."""
        rejected = (*self.rejected, *_moved(other.rejected, before))
        return EventsAnswer(self.stored + other.stored, self.duplicates + other.duplicates, rejected)


@dataclass(frozen=True, slots=True)
class ItemsAnswer:
    """How many items were stored, and which were refused. Stored items are visible to every arm."""

    stored: int = 0
    rejected: tuple[Rejection, ...] = ()

    def and_then(self, other: ItemsAnswer, *, before: int) -> ItemsAnswer:
        """Together with the answer about those that came after the first `before` entries."""
        return ItemsAnswer(self.stored + other.stored, (*self.rejected, *_moved(other.rejected, before)))


def _moved(rejected: tuple[Rejection, ...], by: int) -> tuple[Rejection, ...]:
    return tuple(replace(each, index=each.index + by) for each in rejected)


@dataclass(frozen=True, slots=True)
class MemoryEntry(Remembered):
    """What the memory holds, of one of many items."""

    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another query whose evidence counts for this one, at this weight."""

    query: str
    weight: float


@dataclass(frozen=True, slots=True)
class MemoryAnswer:
    """The entries, best first, and the neighbouring queries."""

    query: str
    entries: tuple[MemoryEntry, ...]
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class OfferedTerm:
    """A term that may explain a judgment, and who mentions it."""

    term: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """What a judge sees of an item."""

    item_id: str
    seller: dict[str, str]
    reviews: tuple[Review, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Which of the two is better, and why?"""

    pair_id: str
    query: str
    category: str
    items: tuple[JudgedItem, ...]
    terms: tuple[OfferedTerm, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    stored: bool


@dataclass(frozen=True, slots=True)
class Health:
    """`alive`, or `ready` with the number of items and the release of the models."""

    status: str
    items: int | None = None
    release: int | None = None
