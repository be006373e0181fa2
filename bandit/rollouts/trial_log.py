"""What rollouts need of the newest closed searches: rows for off-policy evaluation, and the figures of each version."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from bandit.experiments.assignment import unit
from bandit.rollouts.guardrails import Seen
from core.episodes import Episode, Impression
from core.types import Features

_VERSIONS = 20
_SEARCHES_OF_A_VERSION = 50_000
# Of one client, in the evidence for a gate: nobody can applaud a policy into service alone.
_SEARCHES_OF_A_CLIENT = 20
_NO_FEATURES = Features((), np.zeros((0, 0), dtype=np.float32))


class TrialLog:
    """Bounded memory: the newest `window` searches, and of each of the 20 newest versions the newest 50,000."""

    def __init__(self, window: int) -> None:
        self._episodes: deque[Episode] = deque(maxlen=window)
        self._seen: OrderedDict[str, deque[Seen]] = OrderedDict()
        self.newest = 0.0

    def add(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._episodes.append(_slim(episode))
            self.newest = max(self.newest, episode.impression.query.time)
            if _counts(episode.impression):
                version = episode.impression.choice.policy
                self._seen.setdefault(version, deque(maxlen=_SEARCHES_OF_A_VERSION)).append(seen(episode))
                self._seen.move_to_end(version)
                while len(self._seen) > _VERSIONS:
                    self._seen.popitem(last=False)

    def forgot(self, since: float) -> bool:
        """Whether some searches after that time may have left the window."""
        full = len(self._episodes) == self._episodes.maxlen
        return full and self._episodes[0].impression.query.time > since

    def seen(self, version: str, *, since: float) -> list[Seen]:
        """The version's searches from that time on."""
        return [each for each in self._seen.get(version, ()) if each.time >= since]

    def seen_of_others(self, version: str, *, since: float) -> list[Seen]:
        """The searches of all other versions that are still known."""
        return [each for other in self._seen if other != version for each in self.seen(other, since=since)]

    def after(self, time: float, *, policy: str) -> list[Episode]:
        """Searches after that time whose plan this policy version drew: evidence that compares with it."""
        found = (each for each in self._episodes if each.impression.query.time > time)
        return _few_of_each_client(each for each in found if each.impression.choice.policy == policy)

    def until(self, time: float) -> list[Episode]:
        """Searches up to that time, whoever drew their plans."""
        return _few_of_each_client(each for each in self._episodes if each.impression.query.time <= time)


def seen(episode: Episode) -> Seen:
    impression = episode.impression
    return Seen(
        client=unit(impression.query),
        time=impression.query.time,
        reward=episode.reward,
        empty=not impression.shown,
        milliseconds=slowest_ms(impression),
    )


def slowest_ms(impression: Impression) -> float:
    """What the arms kept the customer waiting for: they are asked in parallel."""
    return max((report.took_ms for report in impression.arms.values()), default=0.0)


def timed(episodes: Sequence[Episode]) -> list[Episode]:
    """The same searches with `slowest_ms` in place of the reward: off-policy evaluation of latency."""
    return [replace(episode, reward=slowest_ms(episode.impression)) for episode in episodes]


def _counts(impression: Impression) -> bool:
    """Whether a search tells of the policy that serves: no further page, no experiment beside the rollout."""
    return impression.query.surface == "search" and impression.first_position == 1 and not impression.experiment


def _few_of_each_client(episodes: Iterable[Episode]) -> list[Episode]:
    counts: Counter[str] = Counter()
    kept = []
    for episode in episodes:
        client = unit(episode.impression.query)
        counts[client] += 1
        if counts[client] <= _SEARCHES_OF_A_CLIENT:
            kept.append(episode)
    return kept


def _slim(episode: Episode) -> Episode:
    """Without what off-policy evaluation never reads."""
    impression = replace(episode.impression, features=_NO_FEATURES, ranks={}, shown=(), teams=())
    return replace(episode, impression=impression, feedback=(), gains=(), examination=(), shadow=None)
