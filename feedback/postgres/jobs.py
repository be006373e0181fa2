"""What the event writer is given to append, encoded by who sends it, so that the one writer has less to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from core.episodes import Feedback, Impression, Shadow
from feedback.encoding import encode_feedback, encode_impression, encode_shadow, schema
from feedback.postgres.texts import stored


@dataclass(frozen=True, slots=True)
class ImpressionJob:
    """An impression as the columns of its row, query_id first; `schemas`: (id, names) of its two lists of features."""

    row: tuple[Any, ...]
    schemas: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class ShadowJob:
    """A shadow as the columns of its row."""

    row: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class FeedbackJob:
    """The events of one sender, and each one's body."""

    events: Sequence[Feedback]
    bodies: Sequence[bytes]


Job = ImpressionJob | ShadowJob | FeedbackJob


def impression_job(impression: Impression) -> ImpressionJob:
    query = impression.query
    body, context, features = encode_impression(impression)
    schemas = (schema(impression.context.names), schema(impression.features.names))
    row = (
        stored(query.id), query.time, _maybe(query.user_id), _maybe(query.client_id), body,
        orjson.dumps(impression.shown), schemas[0][0], context, schemas[1][0], features,
    )  # fmt: skip
    return ImpressionJob(row, schemas)


def shadow_job(shadow: Shadow) -> ShadowJob:
    return ShadowJob((stored(shadow.query_id), shadow.time, encode_shadow(shadow)))


def feedback_job(events: Sequence[Feedback]) -> FeedbackJob:
    return FeedbackJob(events, [encode_feedback(event) for event in events])


def _maybe(text: str | None) -> str | None:
    return None if text is None else stored(text)
