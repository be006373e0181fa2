"""A new ranking model has to win searches of its own before it serves all: the release gate of rankers.

A model that passed offline becomes the component `ranker_candidate`, served as the second variant of an experiment
beside the current one. The searches of the log decide; while they have not, newer models wait.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.learning.rollout import NO_MODEL
from bandit.experiments.assignment import FEWEST_CLIENTS, compare, unit
from bandit.experiments.interleaving import FEWEST_DECIDED, credit
from bandit.experiments.sequential import evidence
from bandit.rollouts.guardrails import margin
from core.episodes import Episode
from core.protocols import ModelRegistry, Release
from feedback.registry import usable

log = logging.getLogger(__name__)

RANKER, CANDIDATE, PREVIOUS = "ranker", "ranker_candidate", "ranker_previous"
ALPHA = 0.05
_SCALE = 0.05  # the size of a difference in reward for which the sequential test of A/B is sharpest


def trial_name(candidate: bytes) -> str:
    """Of the experiment: another model is another experiment."""
    return f"ranker-{hashlib.sha256(candidate).hexdigest()[:10]}"


@dataclass(slots=True)
class Tally:
    """What the searches of one trial say so far."""

    wins: list[int] = field(default_factory=lambda: [0, 0])
    rewards: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: {"first": defaultdict(list), "second": defaultdict(list)}
    )
    clicked: int = 0

    def add(self, variant: str, episode: Episode) -> None:
        self.clicked += any(gain > 0 for gain in episode.gains)
        if episode.impression.mixed:
            first, second = credit(episode.impression.teams, episode.gains)
            self.wins[0] += first > second
            self.wins[1] += second > first
        elif variant in self.rewards:
            self.rewards[variant][unit(episode.impression.query)].append(episode.reward)

    def decision(self, searches: int) -> tuple[bool, str] | None:
        """(promote?, why); None while it cannot tell and fewer than `searches` clicked ones have been seen."""
        for better, reason in (self._by_wins(), self._by_reward()):
            if better is not None:
                return better, reason
        if self.clicked >= searches:
            return False, f"no difference seen in {self.clicked} searches with a click"
        return None

    def _by_wins(self) -> tuple[bool | None, str]:
        first, second = self.wins
        if first + second < FEWEST_DECIDED or evidence(first, second) < 1 / ALPHA:
            return None, ""
        return second > first, f"it won {second} interleaved searches and lost {first}"

    def _by_reward(self) -> tuple[bool | None, str]:
        first, second = (list(clients.values()) for clients in self.rewards.values())
        if min(len(first), len(second)) < FEWEST_CLIENTS:
            return None, ""
        found = compare(first, second)
        error = (found.interval[1] - found.interval[0]) / (2 * 1.96)
        allowed = margin(error, alpha=ALPHA, scale=_SCALE, degrees=min(len(first), len(second)) - 1)
        if abs(found.difference) <= allowed:
            return None, ""
        return found.difference > 0, f"a search earns {found.mean_second:.4f}, beside {found.mean_first:.4f}"


class RankerTrial:
    """Turns the component `ranker` of the learner into a candidate, and a candidate that has won into `ranker`."""

    def __init__(self, registry: ModelRegistry, *, searches: int) -> None:
        """`searches` with a click that an undecided trial may take."""
        self._registry = registry
        self._searches = searches
        self._waiting: bytes | None = None
        self._tallies: dict[str, Tally] = defaultdict(Tally)
        self._ended: set[str] = set()

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            name, _, variant = episode.impression.experiment.rpartition(":")
            if name.startswith("ranker-"):
                self._tallies[name].add(variant, episode)

    def admit(self, made: Mapping[str, bytes], current: Release | None, now: float) -> Mapping[str, bytes]:
        others = {name: model for name, model in made.items() if name != RANKER}
        self._waiting = made.get(RANKER, self._waiting)
        serving, candidate = (usable(self._registry, current, name) or NO_MODEL for name in (RANKER, CANDIDATE))
        if candidate:
            return {**others, **self._judge(serving, candidate)}
        if self._waiting is None or self._waiting == serving or trial_name(self._waiting) in self._ended:
            return others
        offered, self._waiting = self._waiting, None
        if not serving:
            log.info("%s serves: there is no model to try it against", trial_name(offered))
            return {**others, RANKER: offered}
        log.info("%s goes into a trial against the current model", trial_name(offered))
        return {**others, CANDIDATE: offered}

    def _judge(self, serving: bytes, candidate: bytes) -> dict[str, bytes]:
        name = trial_name(candidate)
        found = self._tallies[name].decision(self._searches)
        if found is None:
            return {}
        promoted, reason = found
        log.info("%s is %s: %s", name, "promoted" if promoted else "dropped", reason)
        self._ended.add(name)
        return promotion(serving, candidate) if promoted else {CANDIDATE: NO_MODEL}


def promotion(serving: bytes, candidate: bytes) -> dict[str, bytes]:
    """The components to publish when the candidate takes over."""
    return {RANKER: candidate, PREVIOUS: serving, CANDIDATE: NO_MODEL}


def way_back(registry: ModelRegistry, current: Release | None) -> tuple[dict[str, bytes], str] | None:
    """(what to publish, in words) to drop the candidate or, without one, to return to the model before it.

    None when there is neither.
    """
    found = {name: usable(registry, current, name) or NO_MODEL for name in (RANKER, CANDIDATE, PREVIOUS)}
    if found[CANDIDATE]:
        return {CANDIDATE: NO_MODEL}, f"{trial_name(found[CANDIDATE])} is dropped."
    if found[PREVIOUS]:
        back = {RANKER: found[PREVIOUS], PREVIOUS: found[RANKER]}
        return back, f"{trial_name(found[PREVIOUS])} serves again, in place of {trial_name(found[RANKER])}."
    return None
