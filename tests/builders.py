"""Impressions, feedback and episodes for tests, with every field that a test doesn't care about filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.episodes import Episode, EventId, Feedback, Impression, Shadow
from core.rates import examination
from core.types import ArmReport, ArmStatus, Choice, Features, ItemId, Plan, Query, QueryId
from ranking.features.feature import Feature, Schema


def schema(*names: str) -> Schema:
    """Of features that are declared by name only; `memory.` ones recall."""
    return Schema([Feature(name, "", "", recalls=name.startswith("memory.")) for name in names])


def impression(
    query_id: str = "q1",
    *,
    text: str = "lamp",
    time: float = 0.0,
    shown: Sequence[str] = ("a", "b", "c"),
    client_id: str | None = None,
    context: Mapping[str, float] | None = None,
    feature_names: Sequence[str] = ("x", "y"),
    features: object = None,
    schema: str = "",
    ranks: Mapping[str, Sequence[int]] | None = None,
    arms: Mapping[str, ArmReport] | None = None,
    first_position: int = 1,
) -> Impression:
    """What was shown for one search by a plan that asked the lexical arm for ten."""
    context = context or {"query.words": 0.1}
    values = np.zeros((len(shown), len(feature_names))) if features is None else np.asarray(features)
    return Impression(
        query=Query(QueryId(query_id), text, time, client_id=client_id),
        choice=Choice(Plan("lexical", {"lexical": 10}), 0.5, "test-policy"),
        context=Features(tuple(context), np.array(list(context.values()), dtype=np.float32)),
        shown=tuple(map(ItemId, shown)),
        features=Features(tuple(feature_names), values.astype(np.float32), schema),
        ranks={k: tuple(v) for k, v in (ranks or {"lexical": range(1, len(shown) + 1)}).items()},
        arms=arms or {"lexical": ArmReport(ArmStatus.OK, 10, len(shown), 1.0)},
        ranker="rrf",
        release=0,
        config="test",
        first_position=first_position,
    )


def shadow(
    query_id: str = "q1", *, ranks: Mapping[str, Sequence[int]] | None = None, depth: int = 100, time: float = 0.5
) -> Shadow:
    """What two arms would have found, each asked `depth` deep in 2 ms."""
    found = {arm: tuple(given) for arm, given in (ranks or {"lexical": (1, 2, 3), "vector": (0, 7, 0)}).items()}
    return Shadow(QueryId(query_id), found, dict.fromkeys(found, depth), dict.fromkeys(found, 2.0), time)


def click(
    query_id: str = "q1",
    item_id: str = "a",
    *,
    event_id: str | None = None,
    action: str = "click",
    time: float = 1.0,
    received: float | None = None,
    client_id: str | None = None,
) -> Feedback:
    """A click, heard of when it happened unless `received` says otherwise."""
    return Feedback(
        event_id=EventId(event_id or f"{query_id}-{item_id}-{action}-{time}"),
        query_id=QueryId(query_id),
        item_id=ItemId(item_id),
        action=action,
        time=time,
        received=time if received is None else received,
        client_id=client_id,
    )


def episode(
    *, gains: Sequence[float] = (1.0, 0.0, 0.0), reward: float | None = None, query_id: str = "q1", **fields: object
) -> Episode:
    """An impression with these gains; the other fields go to `impression`."""
    shown = impression(query_id, **fields)  # type: ignore[arg-type]
    looked = tuple(examination(shown.first_position + n) for n in range(len(gains)))
    return Episode(shown, (), tuple(gains), looked, max(gains) if reward is None else reward)
