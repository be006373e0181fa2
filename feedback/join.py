"""Joins impressions with their feedback once their window has closed: a query over the log, not a cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.episodes import Episode, Feedback, Impression, Shadow
from core.protocols import EventStore
from core.rates import examination
from feedback.reward import RewardRule


@dataclass(frozen=True, slots=True)
class Joined:
    """Episodes in log order; `cursor` is the sequence of the last one; `late` counts feedback after the window."""

    episodes: list[Episode]
    cursor: int
    late: int


def closed(
    store: EventStore, *, after: int, now: float, window_s: float, rule: RewardRule, limit: int = 2_000
) -> Joined:
    """The next episodes whose window [time, time + window_s] is over at `now`, each exactly once.

    Stops at the first impression that is still open, so the result depends on event times, never on the order in
    which feedback arrived. A shadow that is later than the window is left out, like feedback. `examination` is the
    assumed one.
    """
    logged = store.impressions(after=after, limit=limit)
    ripe = []
    for entry in logged:
        if entry.impression.query.time + window_s > now:
            break
        ripe.append(entry)
    ids = [entry.impression.query.id for entry in ripe]
    feedback, shadows = store.feedback(ids), store.shadows(ids)
    episodes, late, version = [], 0, rule.version
    for entry in ripe:
        given = feedback.get(entry.impression.query.id, ())
        within = tuple(event for event in given if _age(entry.impression, event) <= window_s)
        late += len(given) - len(within)
        shadow = shadows.get(entry.impression.query.id)
        timely = shadow if shadow and shadow.time - entry.impression.query.time <= window_s else None
        episodes.append(_episode(entry.impression, within, timely, rule, version))
    return Joined(episodes, ripe[-1].sequence if ripe else after, late)


def every_closed(store: EventStore, *, now: float, window_s: float, rule: RewardRule) -> Iterator[Episode]:
    """All episodes whose window is over at `now`, in log order, without ever holding them all."""
    cursor = 0
    while (joined := closed(store, after=cursor, now=now, window_s=window_s, rule=rule)).episodes:
        yield from joined.episodes
        cursor = joined.cursor


def _age(impression: Impression, event: Feedback) -> float:
    """Seconds after the impression. A client's clock can be wrong: nothing happens before it is shown, or after we
    heard of it."""
    return max(0.0, min(event.time, event.received) - impression.query.time)


def _episode(
    impression: Impression, feedback: tuple[Feedback, ...], shadow: Shadow | None, rule: RewardRule, version: str
) -> Episode:
    gains = rule.gains(impression, feedback)
    looked = tuple(examination(impression.first_position + n) for n in range(len(gains)))
    reward = rule.reward(gains, impression.first_position)
    return Episode(impression, feedback, gains, looked, reward, shadow, version)
