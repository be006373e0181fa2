"""What is popular, as the service learns it from episodes: over all, in a context, and lately."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.episodes import Episode
from core.rates import Rates, decode_rates, encode_rates
from core.types import ItemId, Query
from retrievers.popularity.trends import Trend, Trends, lifts

Doubles = NDArray[np.float64]
Context = tuple[str, str]

# The rate over all contexts counts like this many examinations within one.
CONTEXT_STRENGTH = 20.0
# Contexts together multiply or divide a rate by no more than this.
MOST_CONTEXT_LIFT = 3.0
MAX_CONTEXTS = 64
_MAX_ITEMS, _MAX_ITEMS_PER_CONTEXT, _MAX_CONTEXTS_PER_QUERY = 200_000, 5_000, 8
_LEAST = 0.01  # what counts less, gain and examinations together, is forgotten
_PRUNE_EVERY = 10_000  # episodes
# What nearly every search says tells none apart, and few examinations say nothing.
_COMMON = 0.9
_FEWEST_EXAMINATIONS = 2.0
_ANY = "", ""


def contexts_of(query: Query) -> list[Context]:
    """The surface, and the first names of the context by the alphabet."""
    given = sorted((name, value) for name, value in query.context.items() if name != "surface")
    return [("surface", query.surface), *given[: _MAX_CONTEXTS_PER_QUERY - 1]]


@dataclass(frozen=True, slots=True)
class ContextRates:
    """What was counted in one context, for the items at these places of the model's."""

    places: NDArray[np.int32]
    gains: NDArray[np.float32]
    examined: NDArray[np.float32]

    def lifts(self, rates: Doubles) -> Doubles:
        """[len(places)] the posterior rate in this context over that in all (`rates`), which is its prior."""
        inside = CONTEXT_STRENGTH * rates + np.maximum(self.gains, 0.0)
        ratio: Doubles = inside / (CONTEXT_STRENGTH + self.examined) / np.maximum(rates, 1e-9)
        return ratio


@dataclass(frozen=True, slots=True)
class PopularityModel:
    """Gains and examinations over all queries ([len(items)] each), those within contexts, and the trends."""

    items: tuple[ItemId, ...] = ()
    gains: Doubles = field(default_factory=lambda: np.zeros(0))
    examined: Doubles = field(default_factory=lambda: np.zeros(0))
    contexts: Mapping[Context, ContextRates] = field(default_factory=dict)
    trends: tuple[Trend, ...] = ()

    def trend_lifts(self) -> Doubles:
        """[len(items)] factors on the scores, above 1 for what trends."""
        factors = np.ones(len(self.items))
        if self.trends:
            found = dict(zip((trend.item_id for trend in self.trends), lifts(self.trends).tolist(), strict=True))
            factors[:] = [found.get(item_id, 1.0) for item_id in self.items]
        return factors

    def known(self, query: Query) -> tuple[Context, ...]:
        """Those of the query's contexts that tell items apart."""
        return tuple(context for context in contexts_of(query) if context in self.contexts)

    def dump(self) -> bytes:
        """Bytes that decode_rates reads as well."""
        rows = {item_id: row for row, item_id in enumerate(self.items)}
        parts = list(self.contexts.values())
        trends = [trend for trend in self.trends if trend.item_id in rows]
        return encode_rates(
            zip(self.items, self.gains.tolist(), self.examined.tolist(), strict=True),
            contexts=np.frombuffer(json.dumps(list(self.contexts)).encode(), dtype=np.uint8),
            context_starts=np.cumsum([0, *(len(part.places) for part in parts)], dtype=np.int64),
            context_places=np.concatenate([np.zeros(0, np.int32), *(part.places for part in parts)]),
            context_gains=np.concatenate([np.zeros(0, np.float32), *(part.gains for part in parts)]),
            context_examined=np.concatenate([np.zeros(0, np.float32), *(part.examined for part in parts)]),
            trend_items=np.array([rows[trend.item_id] for trend in trends], dtype=np.int32),
            trend_counts=np.array([(trend.takes, trend.expected) for trend in trends], np.float32).reshape(-1, 2),
        )

    @classmethod
    def load(cls, data: bytes) -> PopularityModel:
        """What `dump` made; what encode_rates makes alone is a model without contexts and trends."""
        counted = decode_rates(data)
        items, gains, examined = tuple(counted.items), *(column.astype(np.float64) for column in counted[1:])
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            if "contexts" not in stored:
                return cls(items, gains, examined)
            names = map(tuple, json.loads(stored["contexts"].tobytes()))
            starts = stored["context_starts"].tolist()
            columns = [stored[f"context_{name}"] for name in ("places", "gains", "examined")]
            parts = (ContextRates(*(column[start:end] for column in columns)) for start, end in pairwise(starts))
            trends = zip(stored["trend_items"].tolist(), stored["trend_counts"].tolist(), strict=True)
            return cls(
                items,
                gains,
                examined,
                dict(zip(names, parts, strict=True)),
                tuple(Trend(items[row], *counts) for row, counts in trends),
            )


class PopularityLearner:
    """Gain and examinations of every shown item, decayed: over all queries and per context, with the trends."""

    component = "popularity"

    def __init__(self, *, half_life_s: float, trend_half_life_s: float, client_cap: int) -> None:
        self._half_life_s = half_life_s
        self._rates = Rates[ItemId](half_life_s)
        self._contexts: OrderedDict[Context, Rates[ItemId]] = OrderedDict()
        self._searches = Rates[Context](half_life_s)
        self._trends = Trends(half_life_s=trend_half_life_s, usual_half_life_s=half_life_s, client_cap=client_cap)
        self._time = 0.0
        self._count = 0
        self._changed = False

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._learn(episode)
            self._count += 1
            if self._count % _PRUNE_EVERY == 0:  # counted over all calls: the log decides what is known, not batches
                self._prune()

    def snapshot(self) -> bytes | None:
        if not self._changed:
            return None
        self._changed = False
        rows = list(self._rates.at(self._time))
        items = {item_id: row for row, (item_id, _, _) in enumerate(rows)}
        gains, examined = (np.array([row[n] for row in rows], dtype=np.float64) for n in (1, 2))
        trends = tuple(sorted(self._trends.at(self._time)))
        return PopularityModel(tuple(items), gains, examined, self._telling(items), trends).dump()

    def _learn(self, episode: Episode) -> None:
        query = episode.impression.query
        contexts = contexts_of(query)
        for context in (_ANY, *contexts):
            self._searches.add(context, gain=0.0, examined=1.0, time=query.time)
        rates = [self._rates, *map(self._context, contexts)]
        rows = zip(episode.impression.shown, episode.gains, episode.examination, strict=True)
        for item_id, gain, examined in rows:
            for each in rates:
                each.add(item_id, gain=gain, examined=examined, time=query.time)
        self._trends.add(episode)
        self._time = max(self._time, query.time)
        self._changed = True

    def _context(self, context: Context) -> Rates[ItemId]:
        """The rates in a context, which becomes the newest; above MAX_CONTEXTS the oldest is forgotten."""
        rates = self._contexts.setdefault(context, Rates[ItemId](self._half_life_s))
        self._contexts.move_to_end(context)
        if len(self._contexts) > MAX_CONTEXTS:
            oldest, _ = self._contexts.popitem(last=False)
            del self._searches.evidence[oldest]
        return rates

    def _telling(self, items: Mapping[ItemId, int]) -> dict[Context, ContextRates]:
        """The contexts that tell items apart, with the items that are known in them."""
        searches = {context: count for context, _, count in self._searches.at(self._time)}
        found = {}
        for context, rates in sorted(self._contexts.items()):
            counted = [
                (items[item_id], gain, examined)
                for item_id, gain, examined in rates.at(self._time)
                if examined >= _FEWEST_EXAMINATIONS and item_id in items
            ]
            if counted and searches[context] < _COMMON * searches[_ANY]:
                rows, gains, seen = zip(*counted, strict=True)
                found[context] = ContextRates(
                    np.array(rows, np.int32), np.array(gains, np.float32), np.array(seen, np.float32)
                )
        return found

    def _prune(self) -> None:
        self._rates.prune(self._time, least=_LEAST, most=_MAX_ITEMS)
        for rates in self._contexts.values():
            rates.prune(self._time, least=_LEAST, most=_MAX_ITEMS_PER_CONTEXT)
        self._trends.prune(self._time)
