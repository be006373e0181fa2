"""Facets: how many items there are of each value of an attribute, and in each of a few ranges of a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from core.facets import Facet, Figures, RangeCount, ValueCount
from core.filters import Filters, facets
from core.types import Item

TOP_VALUES = 20
# Ranges hold about equally many items: they are cut at these percentiles, rounded to two digits.
_PERCENTILES = (20, 40, 60, 80)
# Values fetched to put equal counts in order of the values, and values counted exactly in one part of the index.
_FETCHED, _COUNTED = 1_000, 65_000


def path(field: str, name: str) -> str:
    """Where a JSON field of tantivy keeps what is called `name`, which may be any text: there, dots mean parts."""
    return f"{field}.{key(name)}"


def key(name: str) -> str:
    return name.encode().hex()


def groups(names: Sequence[str], filters: Filters) -> Iterator[tuple[list[str], Filters]]:
    """The facets to be counted together, and the filters that hold for them: not the facet's own."""
    if free := [name for name in names if name not in filters]:
        yield free, filters
    for name in names:
        if name in filters:
            yield [name], {other: wanted for other, wanted in filters.items() if other != name}


def count_indexed(
    searcher: tantivy.Searcher, matching: tantivy.Query, *, attributes: Sequence[str], numbers: Sequence[str]
) -> dict[str, Facet]:
    """Facets over all matching items: values in the JSON field `values`, figures in `numbers`."""
    asked: dict[str, Any] = {
        f"v{n}": {"terms": {"field": path("values", name), "size": _FETCHED, "segment_size": _COUNTED}}
        for n, name in enumerate(attributes)
    }
    for n, name in enumerate(numbers):
        asked[f"n{n}"] = {"percentiles": {"field": path("numbers", name), "percents": list(_PERCENTILES)}}
    answered = searcher.aggregate(matching, asked) if asked else {}
    bounds = [_cuts(answered[f"n{n}"]["values"].values()) for n in range(len(numbers))]
    return {
        **{
            name: _top({each["key"]: each["doc_count"] for each in answered[f"v{n}"]["buckets"]})
            for n, name in enumerate(attributes)
        },
        **_ranges_indexed(searcher, matching, dict(zip(numbers, bounds, strict=True))),
    }


def _ranges_indexed(
    searcher: tantivy.Searcher, matching: tantivy.Query, bounds: Mapping[str, Sequence[float]]
) -> dict[str, Facet]:
    if not bounds:
        return {}
    asked = {
        f"n{n}": {
            "range": {"field": path("numbers", name), "ranges": _spans(cuts)},
            "aggs": {"held": {"stats": {"field": path("numbers", name)}}},
        }
        for n, (name, cuts) in enumerate(bounds.items())
    }
    answered = searcher.aggregate(matching, asked)
    return {
        name: Figures(
            tuple(
                RangeCount(each["held"]["min"], each["held"]["max"], each["doc_count"])
                for each in answered[f"n{n}"]["buckets"]
                if each["doc_count"]
            )
        )
        for n, name in enumerate(bounds)
    }


def _spans(cuts: Sequence[float]) -> list[dict[str, float]]:
    """Ranges with and without bounds, each from its first figure to below the next one's."""
    lows = [{}, *({"from": cut} for cut in cuts)]
    highs = [*({"to": cut} for cut in cuts), {}]
    return [{**low, **high} for low, high in zip(lows, highs, strict=True)]


def count_items(items: Sequence[Item], *, attributes: Sequence[str], numbers: Sequence[str]) -> dict[str, Facet]:
    """The same over items at hand."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in attributes}
    for item in items:
        for name, value in facets(item):
            if name in counts:
                counts[name][value] += 1
    figures = {
        name: np.array([item.numbers[name] for item in items if name in item.numbers], np.float64) for name in numbers
    }
    return {
        **{name: _top(found) for name, found in counts.items()},
        **{name: _ranges(found) for name, found in figures.items()},
    }


def _ranges(figures: NDArray[np.float64]) -> Figures:
    if not len(figures):
        return Figures(())
    places = np.searchsorted(_cuts(np.percentile(figures, _PERCENTILES).tolist()), figures, side="right")
    parts = [figures[places == place] for place in np.unique(places)]
    return Figures(tuple(RangeCount(float(part.min()), float(part.max()), len(part)) for part in parts))


def _cuts(percentiles: Iterable[float]) -> list[float]:
    """Ascending, each once, none where there are no figures."""
    return sorted({cut for value in percentiles if np.isfinite(cut := float(f"{value:.1e}"))})


def _top(counts: Mapping[str, int]) -> tuple[ValueCount, ...]:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(ValueCount(value, count) for value, count in ordered[:TOP_VALUES])
