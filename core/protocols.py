"""Every verb of Bowerbird, as Protocols. tests/contracts/ holds one suite per Protocol."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.types import (
    Candidate,
    Choice,
    Episode,
    Features,
    Feedback,
    Floats,
    Impression,
    Item,
    ItemId,
    Query,
    QueryId,
    Scored,
    Shadow,
)


class Indexed(Protocol):
    """Anything derived from the catalogue that follows its changes, and needs not be derived again at every start."""

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        """Take the changes in: afterwards every upsert is visible and no deleted id is. Idempotent."""
        ...

    def save(self, folder: Path) -> None:
        """Write what `restore` needs into this empty folder. No `apply` runs meanwhile; reading goes on."""
        ...

    def restore(self, folder: Path) -> None:
        """Become what was saved: called on a new object instead of applying all items. Any error means: start anew.

        The folder may be gone afterwards.
        """
        ...


class Retriever(Protocol):
    """An arm: here is a query, which items could answer? Many are Indexed too; others use another's index."""

    @property
    def name(self) -> str: ...

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        """At most `depth` distinct items, best first, scores not increasing, query.filters respected.

        Equal input gives equal output. Finding nothing is an empty list, never an error.
        """
        ...

    def signals(self, query: Query) -> Mapping[str, float]:
        """Cheap finite predictions of how well this arm will do on the query: the bandit's action features.

        The keys are always the same. Takes well under a millisecond; never asks the arm itself.
        """
        ...


class Encoder(Protocol):
    """Text to unit vectors."""

    @property
    def dimension(self) -> int: ...

    @property
    def version(self) -> str:
        """Names the exact weights, so that cached vectors are never mixed."""
        ...

    def encode(self, texts: Sequence[str]) -> Floats:
        """[len(texts), dimension] float32 rows of length 1."""
        ...


class Ranker(Protocol):
    """Here are the candidates: in which order?"""

    @property
    def version(self) -> str: ...

    def score(self, candidates: Sequence[Candidate], features: Features) -> NDArray[np.float64]:
        """[len(candidates)] finite scores, higher is better; features.values has one row per candidate."""
        ...


class Policy(Protocol):
    """Which plan, and with what probability?"""

    @property
    def version(self) -> str:
        """Pins the exact propensity function: equal version and equal input give equal propensities."""
        ...

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        """Plan name -> probability; all plans of the library, each above 0 if it can be drawn, summing to 1."""
        ...

    def choose(self, query: Query, context: Features) -> Choice:
        """Draw a plan from `propensities`, a pure function of (seed, query.id, context)."""
        ...


class Outcome(StrEnum):
    """What became of one feedback event."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    UNKNOWN_QUERY = "unknown_query"
    NOT_SHOWN = "not_shown"


@dataclass(frozen=True, slots=True)
class Logged:
    """An impression and its place in the log. `sequence` grows with every append and is never reused."""

    sequence: int
    impression: Impression


class EventStore(Protocol):
    """The append-only log of what was shown and what people did. Every append is durable when it returns."""

    def append_impression(self, impression: Impression) -> None: ...

    def append_feedback(self, events: Sequence[Feedback]) -> list[Outcome]:
        """One outcome per event, in order. Only STORED changes the log.

        DUPLICATE: this event_id with the same body is there already (`received` is not part of the body). CONFLICT:
        this event_id with another body. UNKNOWN_QUERY: no impression has that query_id. NOT_SHOWN: it lacks the item.
        """
        ...

    def append_shadow(self, shadow: Shadow) -> None:
        """The first one of a query counts, later ones change nothing."""
        ...

    def impressions(self, *, after: int, limit: int) -> list[Logged]:
        """The next `limit` impressions with sequence > `after`, in sequence order."""
        ...

    def feedback(self, query_ids: Collection[QueryId]) -> Mapping[QueryId, tuple[Feedback, ...]]:
        """All feedback of these queries, each tuple ordered by (time, event_id); queries without any are absent."""
        ...

    def shadows(self, query_ids: Collection[QueryId]) -> Mapping[QueryId, Shadow]:
        """The shadows of these queries; queries without one are absent."""
        ...

    def counts(self) -> Mapping[str, int]:
        """`impressions`, `feedback`, and `clients` (distinct client ids among impressions)."""
        ...

    def close(self) -> None: ...


class Learner(Protocol):
    """Turns episodes into one model component."""

    @property
    def component(self) -> str:
        """The component's name in a release: `memory`, `policy`, `ranker`, ..."""
        ...

    def learn(self, episodes: Sequence[Episode]) -> None:
        """Take new episodes in, each exactly once, in log order."""
        ...

    def snapshot(self) -> bytes | None:
        """The model as bytes, never a pickle; None when nothing better than the last snapshot is at hand."""
        ...


@dataclass(frozen=True, slots=True)
class Release:
    """One published set of models. `components` maps a component's name to the SHA-256 of its bytes."""

    number: int
    created: float
    components: Mapping[str, str]
    notes: Mapping[str, str]


class ReleaseGate(Protocol):
    """Decides which of the learners' models are published, and under which names."""

    def learn(self, episodes: Sequence[Episode]) -> None:
        """Take new episodes in, each exactly once, in log order."""
        ...

    def admit(self, made: Mapping[str, bytes], current: Release | None, now: float) -> Mapping[str, bytes]:
        """The components to publish onto the current release, from what the learners made. May be asked again."""
        ...


class ModelRegistry(Protocol):
    """Versioned models. Publishing is atomic: readers see the old release or the new one, never half of one."""

    def publish(
        self, components: Mapping[str, bytes], *, notes: Mapping[str, str] | None = None, onto: Release | None = None
    ) -> Release:
        """A new current release: these components replace the current ones of the same name, the others stay.

        Conflict when `onto` is given and no longer current: what was decided by it may be wrong by now.
        """
        ...

    def current(self) -> Release | None:
        """The release to serve, None before the first."""
        ...

    def load(self, release: Release, component: str) -> bytes:
        """The component's bytes, checked against their hash (CorruptModel)."""
        ...

    def releases(self) -> list[Release]:
        """All, oldest first."""
        ...

    def activate(self, number: int) -> Release:
        """Make an earlier release current again (NotFound lists the numbers there are)."""
        ...

    def collect(self, *, keep: int) -> int:
        """Delete all but the newest `keep` releases and the current one; the number of objects removed."""
        ...
