"""What people did for each query, learned from episodes: the actual statistics of the memory."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

import numpy as np

from core.client_cap import ClientCap
from core.episodes import Episode
from core.rates import Rates
from core.text import query_key
from core.types import Floats, ItemId

MAX_QUERIES = 20_000
MAX_ITEMS_PER_QUERY = 200


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """Rows of queries, each with items, gains and examinations (compressed sparse rows); `places` are in `items`."""

    keys: tuple[str, ...]
    texts: tuple[str, ...]
    items: tuple[ItemId, ...]
    starts: Sequence[int]
    places: np.ndarray[tuple[int], np.dtype[np.int32]]
    gains: Floats
    examined: Floats
    rows: Mapping[str, int]
    examined_by_query: Floats
    best_rate: Floats

    @classmethod
    def empty(cls) -> MemoryModel:
        return cls.of({})

    @classmethod
    def of(cls, queries: Mapping[str, tuple[str, Sequence[tuple[ItemId, float, float]]]]) -> MemoryModel:
        """From query key -> (text as asked, [(item, gain, examined)])."""
        lists = [entries for _, entries in queries.values()]
        known: dict[ItemId, int] = {}
        places = [known.setdefault(item_id, len(known)) for entries in lists for item_id, _, _ in entries]
        return cls._of_arrays(
            list(queries),
            [text for text, _ in queries.values()],
            list(known),
            np.cumsum([0, *map(len, lists)], dtype=np.int64),
            np.array(places, dtype=np.int32),
            np.array([gain for entries in lists for _, gain, _ in entries], dtype=np.float32),
            np.array([shown for entries in lists for _, _, shown in entries], dtype=np.float32),
        )

    @classmethod
    def _of_arrays(
        cls, keys: list[str], texts: list[str], items: list[ItemId], starts: Any, places: Any, gains: Any, examined: Any
    ) -> MemoryModel:
        rows = np.repeat(np.arange(len(keys)), np.diff(starts))
        best = np.zeros(len(keys), dtype=np.float32)
        np.maximum.at(best, rows, gains / (examined + 1))
        return cls(
            keys=tuple(keys),
            texts=tuple(texts),
            items=tuple(items),
            starts=starts.tolist(),
            places=places,
            gains=gains,
            examined=examined,
            rows={key: row for row, key in enumerate(keys)},
            examined_by_query=np.bincount(rows, examined, len(keys)).astype(np.float32),
            best_rate=best,
        )

    def span(self, row: int) -> slice:
        """Where `places`, `gains` and `examined` of one query are."""
        return slice(self.starts[row], self.starts[row + 1])

    def dump(self) -> bytes:
        names = json.dumps({"keys": self.keys, "texts": self.texts, "items": self.items}).encode()
        buffer = io.BytesIO()
        np.savez(
            buffer,
            names=np.frombuffer(names, dtype=np.uint8),
            starts=np.array(self.starts, dtype=np.int64),
            places=self.places,
            gains=self.gains,
            examined=self.examined,
        )
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes) -> MemoryModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            names = json.loads(stored["names"].tobytes())
            items = list(map(ItemId, names["items"]))
            if "places" in stored:
                places = stored["places"]
            else:  # models of before named every entry's item
                known = {item_id: place for place, item_id in enumerate(dict.fromkeys(items))}
                places, items = np.array([known[item_id] for item_id in items], dtype=np.int32), list(known)
            starts, gains, examined = (stored[name] for name in ("starts", "gains", "examined"))
        return cls._of_arrays(names["keys"], names["texts"], items, starts, places, gains, examined)


class MemoryLearner:
    """Counts gain and examinations of every shown (query, item), decayed, and capped per client.

    A client's searches count for a query at most `client_cap` times, so that nobody can click an item to the top
    alone. Searches without a client id are not capped.
    """

    component = "memory"

    def __init__(self, *, half_life_s: float, client_cap: int) -> None:
        self._cap = ClientCap(client_cap)
        self._half_life_s = half_life_s
        self._queries: OrderedDict[str, tuple[str, Rates[ItemId]]] = OrderedDict()
        self._time = 0.0
        self._changed = False

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._learn(episode)

    def snapshot(self) -> bytes | None:
        if not self._changed:
            return None
        self._changed = False
        return MemoryModel.of(
            {
                key: (text, nlargest(MAX_ITEMS_PER_QUERY, rates.at(self._time), key=lambda entry: entry[1:]))
                for key, (text, rates) in self._queries.items()
            }
        ).dump()

    def _learn(self, episode: Episode) -> None:
        query = episode.impression.query
        key = query_key(query.text)
        # Other answers under a filter say little about the query itself.
        if not key or query.filters or not self._cap.admits(query, key):
            return
        _, rates = self._queries.setdefault(key, (query.text, Rates[ItemId](self._half_life_s)))
        self._queries.move_to_end(key)
        if len(self._queries) > MAX_QUERIES:
            self._queries.popitem(last=False)
        for item_id, gain, examined in zip(episode.impression.shown, episode.gains, episode.examination, strict=True):
            rates.add(item_id, gain=gain, examined=examined, time=query.time)
        self._time = max(self._time, query.time)
        self._changed = True
