"""What retrieves, ranks, chooses, logs and learns, as Protocols; the catalogue and its followers are in core.catalogue.

tests/contracts/ holds one suite per Protocol.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.episodes import Episode, Feedback, Impression, Shadow
from core.types import Candidate, Choice, Contributions, Features, Floats, Query, QueryId, Scored


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


@runtime_checkable
class Repeatable(Retriever, Protocol):
    """An arm whose answers depend on the query's text and filters alone, and on what the arm knows."""

    @property
    def edition(self) -> Hashable:
        """Of what it knows: while this is equal, so is the answer to an equal text without filters.

        (What passes a filter may change without the arm being told; see core.catalogue.Selective.)
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

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """The same for what people ask: quicker where the encoder can be, and then a little less exact."""
        ...


class Ranker(Protocol):
    """Here are the candidates: in which order?"""

    @property
    def version(self) -> str: ...

    def score(self, candidates: Sequence[Candidate], features: Features) -> NDArray[np.float64]:
        """[len(candidates)] finite scores, higher is better; features.values has one row per candidate.

        A candidate's score depends on its own row alone.
        """
        ...

    def contributions(self, candidates: Sequence[Candidate], features: Features) -> Contributions:
        """What the scores that `score` gives to the same input are made of."""
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
    """The append-only log of what was shown and what people did. Every append is durable when it returns.

    Rows go only by `erase` and `forget_before`; both let others append meanwhile, and are durable when they return.
    """

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

    def erase(self, user_id: str) -> int:
        """Remove what this user did: impressions with their feedback and shadows, feedback; the number of rows.

        A row is that user's when it has this user_id, or no user_id and this client_id. An impression that names
        neither is too when the user's feedback is on it. Nothing is there afterwards that was appended before.
        """
        ...

    def forget_before(self, time: float) -> int:
        """Remove impressions of before `time`, with their feedback and shadows; the number of rows.

        Sequence numbers are not used again.
        """
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


@runtime_checkable
class Trainer(Learner, Protocol):
    """A learner whose models may take so long that they are made while the loop goes on."""

    @property
    def finished(self) -> bool:
        """Whether `snapshot` has something to say without any new episode."""
        ...

    @property
    def note(self) -> str:
        """Why the last model was made, or not: a sentence for the release's notes."""
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
