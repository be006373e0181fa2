"""What the judgments of pairs show: where quality words come from, and what judged quality has to do with price and
purchase."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.jobs.quality import recipe
from app.settings import Settings
from app.wiring.stores import open_catalogue, open_judgments, open_registry
from core.types import Item, ItemId
from feedback.judgments import Judgment, Pair
from feedback.registry import usable
from ranking.quality.bradley_terry import Strength, bradley_terry
from ranking.quality.model import COMPONENT, QualityModel
from ranking.quality.texts import SOURCES

_Z = 1.96
_LEAST = 4  # items, for a correlation with an interval
Judged = Sequence[tuple[Pair, Judgment]]


def quality_report(settings: Settings) -> dict[str, Any]:
    """Reads what the data directory holds; nothing is None but what cannot be told yet."""
    judgments, catalogue = open_judgments(settings), open_catalogue(settings)
    registry = open_registry(settings)
    try:
        judged = judgments.judged()
        strengths = bradley_terry([(each.better, _other(pair, each.better)) for pair, each in judged])
        items = {item_id: item for item_id in strengths if (item := catalogue.get(item_id))}
    finally:
        judgments.close()
        catalogue.close()
    model = usable(registry, registry.current(), COMPONENT)
    return {
        "judgments": len(judged),
        "pairs": len({pair.pair_id for pair, _ in judged}),
        "sources": _sources(judged),
        "price": _price(strengths, items, judged, settings),
        "purchase": _purchase(judged, QualityModel.decode(model) if model else None),
        "items": [
            {"item_id": item_id, "score": each.score, "error": each.error} for item_id, each in _ordered(strengths)
        ],
    }


def _sources(judged: Judged) -> dict[str, dict[str, float | None]]:
    """Of the terms that were chosen, and of those that were offered, the share of each source.

    A term that several sources mention counts for each of them in equal parts.
    """
    chosen: Counter[str] = Counter()
    offered: Counter[str] = Counter()
    for pair, judgment in judged:
        for counts, terms in ((chosen, judgment.terms), (offered, pair.offered)):
            for term in terms:
                for source in pair.offered[term]:
                    counts[source] += 1 / len(pair.offered[term])  # type: ignore[assignment]
    return {
        source: {"chosen": _share(chosen[source], chosen.total()), "offered": _share(offered[source], offered.total())}
        for source in map(str, SOURCES)
    }


def _price(
    strengths: Mapping[ItemId, Strength], items: Mapping[ItemId, Item], judged: Judged, settings: Settings
) -> dict[str, Any]:
    """Correlation of judged quality and log price within categories, with Fisher's interval."""
    number = settings.quality.price
    points = [
        {
            "item_id": item_id,
            "category": recipe(settings).category_of(item),
            "price": item.numbers[number],
            "score": strengths[item_id].score,
        }
        for item_id, item in items.items()
        if item.numbers.get(number, 0.0) > 0
    ]
    kinds = [str(point["category"]) for point in points]
    scores = _centred([float(point["score"]) for point in points], kinds)  # type: ignore[arg-type]
    prices = _centred([math.log(point["price"]) for point in points], kinds)  # type: ignore[arg-type]
    return {**_correlation(scores, prices, len(set(kinds))), "points": points}


def _correlation(one: Sequence[float], other: Sequence[float], groups: int) -> dict[str, Any]:
    """Of values that were centred in so many groups."""
    free = len(one) - groups + 1
    if free < _LEAST or np.std(one) < 1e-9 or np.std(other) < 1e-9:
        return {"correlation": None, "low": None, "high": None, "items": len(one)}
    found = float(np.corrcoef(one, other)[0, 1])
    middle, width = math.atanh(np.clip(found, -0.999999, 0.999999)), _Z / math.sqrt(free - 3)
    return {
        "correlation": found,
        "low": math.tanh(middle - width),
        "high": math.tanh(middle + width),
        "items": len(one),
    }


def _purchase(judged: Judged, model: QualityModel | None) -> dict[str, Any]:
    """How often what was judged better, or has the larger figure, is what people took."""
    votes: dict[str, list[bool]] = {}
    pairs = {pair.pair_id: pair for pair, _ in judged}
    for pair, judgment in judged:
        votes.setdefault(pair.pair_id, []).append(judgment.better == pair.taken)
    found = {"judged": _accuracy(_half(float(np.mean(each)) - 0.5) for each in votes.values())}
    if model is not None:
        for name, values in (("rating", model.rating), ("residual", model.residual)):
            leads = (_lead(pair, model, values) for pair in pairs.values())
            found[name] = _accuracy(_half(lead) for lead in leads if not math.isnan(lead))
    return found


def _lead(pair: Pair, model: QualityModel, values: Any) -> float:
    """By how much the item that was taken is ahead; NaN where one of the two is not known."""
    taken, left = (model.rows.get(item_id) for item_id in (pair.taken, _other(pair, pair.taken)))
    return math.nan if taken is None or left is None else float(values[taken] - values[left])


def _half(lead: float) -> float:
    """1 when ahead, 0 when behind, a half for a tie."""
    return 0.5 + 0.5 * float(np.sign(lead))


def _accuracy(hits: Iterable[float]) -> dict[str, Any]:
    """With Wilson's interval (Wilson 1927)."""
    found = list(hits)
    count = len(found)
    if not count:
        return {"accuracy": None, "low": None, "high": None, "pairs": 0}
    share = float(np.mean(found))
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    width = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)) / (1 + _Z**2 / count)
    return {"accuracy": share, "low": middle - width, "high": middle + width, "pairs": count}


def _other(pair: Pair, item_id: ItemId) -> ItemId:
    first, second = pair.items
    return second if item_id == first else first


def _centred(values: Sequence[float], groups: Sequence[str]) -> list[float]:
    totals: dict[str, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        totals.setdefault(group, []).append(value)
    return [value - float(np.mean(totals[group])) for value, group in zip(values, groups, strict=True)]


def _share(part: float, total: float) -> float | None:
    return part / total if total else None


def _ordered(strengths: Mapping[ItemId, Strength]) -> list[tuple[ItemId, Strength]]:
    return sorted(strengths.items(), key=lambda entry: -entry[1].score)
