"""What an experiment has shown so far: the closed episodes of the log, counted by variant."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

from app.settings import Settings
from bandit.experiments.assignment import compare, unit
from bandit.experiments.interleaving import credit, preference
from core.episodes import Episode
from core.errors import NotFound, unknown
from core.protocols import EventStore
from feedback.join import every_closed
from feedback.reward import RewardRule


@dataclass(slots=True)
class _Seen:
    """Of one experiment: credits of its interleaved searches, and rewards by variant and client of the others."""

    credited: list[tuple[int, int]] = field(default_factory=list)
    rewards: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: {"first": defaultdict(list), "second": defaultdict(list)}
    )

    def add(self, variant: str, episode: Episode) -> None:
        impression = episode.impression
        if impression.mixed:
            self.credited.append(credit(impression.teams, episode.gains))
        else:
            self.rewards[variant][unit(impression.query)].append(episode.reward)


def report_experiment(store: EventStore, settings: Settings, name: str, *, now: float) -> dict[str, Any]:
    """`{"name", "interleaving": {...} | None, "ab": {...} | None}` from all searches whose window is over at `now`.

    NotFound, with the names that the log has, when it has no such search.
    """
    found: dict[str, _Seen] = defaultdict(_Seen)
    rule = RewardRule(settings.feedback.weights)
    for episode in every_closed(store, now=now, window_s=settings.feedback.window_s, rule=rule):
        experiment, _, variant = episode.impression.experiment.rpartition(":")
        if experiment:
            found[experiment].add(variant, episode)
    if name not in found:
        window = f"{settings.feedback.window_s:g} s"
        remedy = f"Name one of these with --name; a search counts when its window of {window} is over."
        raise NotFound("no_such_experiment", unknown("experiment", name, found), remedy)
    return {"name": name, "interleaving": _interleaving(found[name]), "ab": _ab(found[name])}


def _interleaving(seen: _Seen) -> dict[str, Any] | None:
    if not seen.credited:
        return None
    result = preference(seen.credited)
    return {"searches": len(seen.credited), **asdict(result), "verdict": result.verdict}


def _ab(seen: _Seen) -> dict[str, Any] | None:
    if not any(seen.rewards.values()):
        return None
    first, second = seen.rewards["first"].values(), seen.rewards["second"].values()
    result = compare(first, second)
    searches = {f"searches_{variant}": sum(map(len, found.values())) for variant, found in seen.rewards.items()}
    return {**searches, **asdict(result), "verdict": result.verdict}
