"""What people did with items, action by action: over all queries, and for each query."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray

from core.client_cap import ClientCap
from core.episodes import Episode
from core.text import query_key
from core.types import ItemId

# The figures of an item; those of an item for one query are the first two.
EXAMINED, CLICKS, PURCHASES, DISMISSALS = range(4)
BEHAVIOUR_FIGURES, _QUERY_FIGURES = 4, 2
_PURCHASE, _DISMISSAL = "purchase", "dismiss"
_MAX_ITEMS, _MAX_QUERIES, _MAX_ITEMS_PER_QUERY = 200_000, 50_000, 50
_LEAST = 0.01  # examinations; what counts less is forgotten
_PRUNE_EVERY = 10_000  # episodes


@dataclass(frozen=True, slots=True)
class BehaviourModel:
    """Decayed counts: `items` [items, 4] as EXAMINED, CLICKS, PURCHASES, DISMISSALS; for query n, `pairs` [_, 2] of the
    items `pair_items` from starts[n] to starts[n + 1]."""

    item_ids: tuple[ItemId, ...] = ()
    items: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, BEHAVIOUR_FIGURES), np.float32))
    queries: Mapping[str, int] = field(default_factory=dict)
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    pair_items: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    pairs: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, _QUERY_FIGURES), np.float32))

    def of_query(self, text: str, places: NDArray[np.int32]) -> NDArray[np.float64] | None:
        """[2, places] how often the items in these places of `item_ids` were examined for this query, and clicked, 0
        where they were not; None when nobody asked it."""
        row = self.queries.get(query_key(text))
        if row is None:
            return None
        span = slice(int(self.starts[row]), int(self.starts[row + 1]))
        items, figures = self.pair_items[span], self.pairs[span]
        if not len(items):
            return np.zeros((_QUERY_FIGURES, len(places)))
        order = items.argsort()  # fifty at most
        nearest = order.take(items.searchsorted(places, sorter=order), mode="clip")
        return np.where(items.take(nearest) == places, figures.T.take(nearest, axis=1), 0.0)

    def dump(self) -> bytes:
        names = np.frombuffer(json.dumps([self.item_ids, list(self.queries)]).encode(), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            names=names,
            items=self.items,
            starts=self.starts,
            pair_items=self.pair_items,
            pairs=self.pairs,
        )
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes) -> BehaviourModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            ids, queries = json.loads(stored["names"].tobytes())
            return cls(
                tuple(ids),
                stored["items"],
                {key: row for row, key in enumerate(queries)},
                stored["starts"],
                stored["pair_items"],
                stored["pairs"],
            )


@dataclass(slots=True)
class _Tally:
    """Figures as they counted at `time`."""

    figures: list[float]
    time: float

    def at(self, time: float, half_life_s: float) -> list[float]:
        decay = 0.5 ** (max(time - self.time, 0.0) / half_life_s)
        return [figure * decay for figure in self.figures]

    def add(self, figures: Sequence[float], time: float, half_life_s: float) -> None:
        """Times may come out of order."""
        newest = max(time, self.time)
        late = 0.5 ** ((newest - time) / half_life_s)
        old = self.at(newest, half_life_s)
        self.figures = [before + figure * late for before, figure in zip(old, figures, strict=True)]
        self.time = newest


class BehaviourLearner:
    """Examinations, clicks, purchases and dismissals of what was shown, halved in `half_life_s`.

    A click is anything that speaks for an item, an examination the probability that it was looked at: clicks per
    examination are free of most of the position bias. A client's showings of one item for one query count `client_cap`
    times in a half-life, so that nobody can click an item up, or by not clicking down, alone.
    """

    component = "behaviour"

    def __init__(self, *, half_life_s: float, client_cap: int) -> None:
        self._half_life_s = half_life_s
        self._cap = ClientCap(client_cap)
        self._items: dict[ItemId, _Tally] = {}
        self._queries: OrderedDict[str, dict[ItemId, _Tally]] = OrderedDict()
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
        return self._model().dump()

    def _learn(self, episode: Episode) -> None:
        query = episode.impression.query
        self._time = max(self._time, query.time)
        key = query_key(query.text)
        pairs = self._queries.setdefault(key, {})
        self._queries.move_to_end(key)
        period = int(query.time // self._half_life_s)
        for item_id, figures in _figures(episode):
            if self._cap.admits(query, f"{key}\n{item_id}\n{period}"):
                self._add(self._items, item_id, figures, query.time)
                self._add(pairs, item_id, figures[:_QUERY_FIGURES], query.time)
                self._changed = True
        if len(pairs) > 2 * _MAX_ITEMS_PER_QUERY:
            self._queries[key] = self._kept(pairs, _MAX_ITEMS_PER_QUERY)
        if len(self._queries) > _MAX_QUERIES:
            self._queries.popitem(last=False)

    def _add(self, tallies: dict[ItemId, _Tally], item_id: ItemId, figures: Sequence[float], time: float) -> None:
        if (tally := tallies.get(item_id)) is None:
            tallies[item_id] = _Tally(list(figures), time)
        else:
            tally.add(figures, time, self._half_life_s)

    def _model(self) -> BehaviourModel:
        item_ids = tuple(self._items)
        numbers = {item_id: n for n, item_id in enumerate(item_ids)}
        known = {
            key: [(numbers[item_id], tally) for item_id, tally in pairs.items() if item_id in numbers]
            for key, pairs in self._queries.items()
        }
        listed = [pair for pairs in known.values() for pair in pairs]
        return BehaviourModel(
            item_ids,
            self._array(self._items.values(), BEHAVIOUR_FIGURES),
            {key: row for row, key in enumerate(known)},
            np.cumsum([0, *map(len, known.values())], dtype=np.int64),
            np.array([number for number, _ in listed], dtype=np.int32),
            self._array((tally for _, tally in listed), _QUERY_FIGURES),
        )

    def _array(self, tallies: Iterable[_Tally], width: int) -> NDArray[np.float32]:
        rows = [tally.at(self._time, self._half_life_s) for tally in tallies]
        return np.array(rows, dtype=np.float32).reshape(-1, width)

    def _prune(self) -> None:
        self._items = self._kept(self._items, _MAX_ITEMS)
        for key, pairs in list(self._queries.items()):
            if kept := self._kept(pairs, _MAX_ITEMS_PER_QUERY):
                self._queries[key] = kept
            else:
                del self._queries[key]

    def _kept(self, tallies: dict[ItemId, _Tally], most: int) -> dict[ItemId, _Tally]:
        """Those that were examined most, and enough to count; in the order in which they were."""
        counts = {item_id: tally.at(self._time, self._half_life_s)[EXAMINED] for item_id, tally in tallies.items()}
        kept = [item_id for item_id, count in counts.items() if count >= _LEAST]
        if len(kept) > most:
            best = set(nlargest(most, kept, key=counts.__getitem__))
            kept = [item_id for item_id in kept if item_id in best]
        return {item_id: tallies[item_id] for item_id in kept}


def _figures(episode: Episode) -> Iterable[tuple[ItemId, tuple[float, ...]]]:
    """What each shown item adds: EXAMINED, CLICKS, PURCHASES, DISMISSALS."""
    done: dict[ItemId, set[str]] = {}
    for event in episode.feedback:
        done.setdefault(event.item_id, set()).add(event.action)
    for item_id, gain, looked in zip(episode.impression.shown, episode.gains, episode.examination, strict=True):
        actions = done.get(item_id, set())
        yield item_id, (looked, float(gain > 0), float(_PURCHASE in actions), float(_DISMISSAL in actions))
