"""What is kept of a search and of what people did then: what is logged, and joined, what learners read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

import numpy as np

from core.types import ArmReport, ArmStatus, Choice, Features, ItemId, Query, QueryId

EventId = NewType("EventId", str)

IMPORTED = "imported"  # the surface, and the policy, of what another system has shown
LAST_SWAPPED = 9  # the deepest position whose item may change places with the next
NO_ROWS = Features((), np.empty((0, 0), dtype=np.float32))


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

    `sampled` has the features of a few candidates drawn at random from the `below` ones that came after the page; 0
    where none were drawn. `swapped` is the position k (from 1) whose item changed places with that of k + 1, 0 for
    none, and `swap_propensity` the probability of just that, apart from the plan's: it is drawn whatever the plan.
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
    below: int = 0
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
    who clicked what was clicked above it looked at it, relative to the first position; `reward` is that of the whole
    answer, by the reward rule whose version is `rule`. Few episodes have a `shadow`.
    """

    impression: Impression
    feedback: tuple[Feedback, ...]
    gains: tuple[float, ...]
    examination: tuple[float, ...]
    reward: float
    shadow: Shadow | None = None
    rule: str = ""
