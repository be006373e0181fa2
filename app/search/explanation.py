"""Why a hit is where it is: what each feature added to its score, what the memory holds of it, and who moved it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.search.answer import Answer
from core.types import Contributions, ItemId
from ranking.quality.model import QualityWords, TermOpinion
from retrievers.memory import Entry, Recollection

_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """The value of a feature, None where it is missing, and what it adds to the score."""

    value: float | None
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """`base` and all contributions sum to the hit's score. `features`: the largest contributions first.

    `ranked`: the place that the ranker alone gave it. `held_back`: why diversity shows it later, empty if it does not.
    `memory`: None where the memory holds nothing of this item for this query. `quality`: what customers praise and
    blame, None where none has written about it.
    """

    base: float
    features: Mapping[str, Part]
    ranked: int
    held_back: str
    memory: Entry | None
    quality: QualityWords | None


def explain(
    answer: Answer,
    rows: Sequence[int],
    recall: Callable[[str, int], Recollection],
    quality_words: Callable[[ItemId], QualityWords | None],
) -> list[Explanation]:
    """Of these rows of the answer, from the feature values that it was ranked by."""
    entries = {entry.item_id: entry for entry in recall(answer.query.text, _REMEMBERED).entries}
    explained = []
    for row in rows:
        item_id, known = answer.candidates[row].item.id, _known(answer, row)
        made = _contributions(answer, row)
        explained.append(
            Explanation(
                base=made.base,
                features=_parts(known, made),
                ranked=answer.ranked.places[row],
                held_back=answer.ranked.held_back.get(item_id, ""),
                memory=entries.get(item_id),
                quality=quality_words(item_id),
            )
        )
    return explained


def quality_json(words: QualityWords) -> dict[str, Any]:
    """For programs: what is not known is None, and every term says who mentions it."""
    return {
        "rating": _known_figure(words.rating),
        "reviews": words.reviews,
        "residual": _known_figure(words.residual),
        "positive": [_term(each) for each in words.positive],
        "negative": [_term(each) for each in words.negative],
    }


def _term(each: TermOpinion) -> dict[str, Any]:
    return {"term": each.term, "sources": list(each.sources), "sentiment": _known_figure(each.sentiment)}


def _known_figure(value: float) -> float | None:
    return None if math.isnan(value) else value


def _contributions(answer: Answer, row: int) -> Contributions:
    """One row at a time: in an interleaved answer the next one may be another ranker's."""
    features = replace(answer.features, values=answer.features.values[row : row + 1])
    return answer.ranked.rankers[row].contributions([answer.candidates[row]], features)


def _known(answer: Answer, row: int) -> dict[str, float]:
    named = zip(answer.features.names, answer.features.values[row].tolist(), strict=True)
    return {name: value for name, value in named if not math.isnan(value)}


def _parts(known: Mapping[str, float], made: Contributions) -> dict[str, Part]:
    """What the ranker saw, then known features that it did not look at; without what is missing and adds nothing."""
    seen = {
        name: Part(None if math.isnan(value) else value, amount)
        for name, value, amount in zip(made.names, made.values[0].tolist(), made.amounts[0].tolist(), strict=True)
        if amount or not math.isnan(value)
    }
    rest = {name: Part(value, 0.0) for name, value in known.items() if name not in seen}
    parts = sorted((seen | rest).items(), key=lambda part: -abs(part[1].contribution))
    return dict(parts)
