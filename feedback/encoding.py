"""Impressions, shadows and feedback as bytes for a log: compact JSON, and float32 features as they are, bit for bit."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from core.episodes import NO_ROWS, EventId, Feedback, Impression, Shadow
from core.types import ArmReport, ArmStatus, Choice, Features, ItemId, Plan, Query, QueryId, Range


def encode_impression(impression: Impression) -> tuple[bytes, bytes, bytes]:
    """(body, context values, feature values). The names of the features are stored apart: see `schema`."""
    query, choice = impression.query, impression.choice
    body = {
        "query": {
            "text": query.text,
            "surface": query.surface,
            "user_id": query.user_id,
            "session_id": query.session_id,
            "client_id": query.client_id,
            "filters": {name: _encode_filter(wanted) for name, wanted in query.filters.items()},
            "context": dict(query.context),
            "history": query.history,
        },
        "plan": [choice.plan.name, dict(choice.plan.depths)],
        "propensity": choice.propensity,
        "policy": choice.policy,
        "shown": impression.shown,
        "ranks": {arm: list(ranks) for arm, ranks in impression.ranks.items()},
        "arms": {arm: _encode_report(report) for arm, report in impression.arms.items()},
        "ranker": impression.ranker,
        "release": impression.release,
        "config": impression.config,
        "first_position": impression.first_position,
    }
    if impression.features.schema:
        body["schema"] = impression.features.schema
    if impression.experiment:
        body |= {"experiment": impression.experiment, "teams": impression.teams}
    if impression.ranked:
        body["ranked"] = impression.ranked
    if impression.neural:
        body["neural"] = _encode_report(impression.neural)
    if impression.below:
        body["below"] = impression.below
    if impression.swap_propensity < 1:
        body["swap"] = [impression.swapped, impression.swap_propensity]
    context = np.ascontiguousarray(impression.context.values, dtype=np.float32)
    features = np.ascontiguousarray(impression.features.values, dtype=np.float32)
    below = np.ascontiguousarray(impression.sampled.values, dtype=np.float32)
    # The rows from below the page have the columns of those on it, and follow them.
    return orjson.dumps(body), context.tobytes(), features.tobytes() + below.tobytes()


def decode_impression(
    query_id: str,
    time: float,
    body: bytes,
    context: tuple[tuple[str, ...], bytes],
    features: tuple[tuple[str, ...], bytes],
) -> Impression:
    """The impression as it was encoded. `context` and `features` are (names, values)."""
    raw: dict[str, Any] = orjson.loads(body)
    cut = len(raw["shown"]) * len(features[0])
    values = np.frombuffer(features[1], dtype=np.float32)
    shown, below = values[:cut].reshape(len(raw["shown"]), len(features[0])), values[cut:]
    swapped, swap_propensity = raw.get("swap", (0, 1.0))
    query = raw["query"]
    query["filters"] = {name: _decode_filter(wanted) for name, wanted in query["filters"].items()}
    query["history"] = tuple(map(ItemId, query.get("history", ())))  # rows of before there was one
    return Impression(
        query=Query(id=QueryId(query_id), time=time, **query),
        choice=Choice(Plan(*raw["plan"]), raw["propensity"], raw["policy"]),
        context=Features(context[0], np.frombuffer(context[1], dtype=np.float32)),
        shown=tuple(map(ItemId, raw["shown"])),
        features=Features(features[0], shown, raw.get("schema", "")),
        ranks={arm: tuple(ranks) for arm, ranks in raw["ranks"].items()},
        arms={arm: _decode_report(*report) for arm, report in raw["arms"].items()},
        ranker=raw["ranker"],
        release=raw["release"],
        config=raw["config"],
        first_position=raw["first_position"],
        experiment=raw.get("experiment", ""),
        teams=tuple(raw.get("teams", ())),
        ranked=tuple(raw.get("ranked", ())),
        neural=_decode_report(*raw["neural"]) if "neural" in raw else None,
        sampled=Features(features[0], below.reshape(-1, len(features[0])), raw.get("schema", ""))
        if len(below)
        else NO_ROWS,
        below=raw.get("below", 0),
        swapped=swapped,
        swap_propensity=swap_propensity,
    )


def _encode_report(report: ArmReport) -> tuple[str, int, int, float]:
    return report.status.value, report.depth, report.found, report.took_ms


def _decode_report(status: str, depth: int, found: int, took_ms: float) -> ArmReport:
    return ArmReport(ArmStatus(status), depth, found, took_ms)


def _encode_filter(wanted: tuple[str, ...] | Range) -> list[str] | dict[str, float]:
    """Values as a list; a range as its bounds, without those that are infinite, which JSON has no word for."""
    if not isinstance(wanted, Range):
        return list(wanted)
    return {name: bound for name, bound in (("from", wanted.low), ("to", wanted.high)) if math.isfinite(bound)}


def _decode_filter(wanted: list[str] | dict[str, float]) -> tuple[str, ...] | Range:
    if isinstance(wanted, list):
        return tuple(wanted)
    return Range(wanted.get("from", -math.inf), wanted.get("to", math.inf))


@lru_cache(maxsize=64)  # every impression has the names of thousands of others
def schema(names: tuple[str, ...]) -> tuple[str, bytes]:
    """(id, names as bytes) of a list of feature names: thousands of rows share one."""
    data = orjson.dumps(names)
    return hashlib.sha256(data).hexdigest()[:16], data


def encode_feedback(event: Feedback) -> bytes:
    """Everything but `received`: two events with the same id are the same when these bytes are.

    A time that is only when we heard of it is left out, so that a repeated event is recognised.
    """
    return orjson.dumps(
        {
            "query_id": event.query_id,
            "item_id": event.item_id,
            "action": event.action,
            "time": None if event.time == event.received else event.time,
            "client_id": event.client_id,
            "session_id": event.session_id,
            "user_id": event.user_id,
            "position": event.position,
            "attributes": dict(event.attributes),
        },
        option=orjson.OPT_SORT_KEYS,
    )


def decode_feedback(event_id: str, received: float, body: bytes) -> Feedback:
    raw = orjson.loads(body)
    time = raw.pop("time")
    return Feedback(event_id=EventId(event_id), time=received if time is None else time, received=received, **raw)


def encode_shadow(shadow: Shadow) -> bytes:
    """Everything but the query's id and the time."""
    arms = {arm: [shadow.depths[arm], shadow.took_ms[arm], list(ranks)] for arm, ranks in shadow.ranks.items()}
    return orjson.dumps(arms)


def decode_shadow(query_id: str, time: float, body: bytes) -> Shadow:
    arms: dict[str, tuple[int, float, list[int]]] = orjson.loads(body)
    return Shadow(
        query_id=QueryId(query_id),
        ranks={arm: tuple(ranks) for arm, (_, _, ranks) in arms.items()},
        depths={arm: depth for arm, (depth, _, _) in arms.items()},
        took_ms={arm: took_ms for arm, (_, took_ms, _) in arms.items()},
        time=time,
    )
