"""What people did for each query, learned from episodes: the actual statistics of the memory."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

import numpy as np

from core.rates import Rates
from core.text import query_key
from core.types import Episode, Floats, ItemId
from retrievers.client_cap import ClientCap

MAX_QUERIES = 20_000
MAX_ITEMS_PER_QUERY = 200


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """Rows of queries, each with items, gains and examinations (compressed sparse rows)."""

    keys: tuple[str, ...]
    texts: tuple[str, ...]
    item_ids: tuple[ItemId, ...]
    starts: np.ndarray[tuple[int], np.dtype[np.int64]]
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
        flat = [entry for entries in lists for entry in entries]
        gains = np.array([gain for _, gain, _ in flat], dtype=np.float32)
        examined = np.array([shown for _, _, shown in flat], dtype=np.float32)
        starts = np.cumsum([0, *map(len, lists)], dtype=np.int64)
        spans = [slice(starts[n], starts[n + 1]) for n in range(len(lists))]
        return cls(
            keys=tuple(queries),
            texts=tuple(text for text, _ in queries.values()),
            item_ids=tuple(item_id for item_id, _, _ in flat),
            starts=starts,
            gains=gains,
            examined=examined,
            rows={key: row for row, key in enumerate(queries)},
            examined_by_query=np.array([examined[span].sum() for span in spans], dtype=np.float32),
            best_rate=np.array([np.max(gains[s] / (examined[s] + 1), initial=0) for s in spans], dtype=np.float32),
        )

    def entries(self, row: int) -> Iterator[tuple[ItemId, float, float]]:
        """(item, gain, examined) of one query."""
        start, end = int(self.starts[row]), int(self.starts[row + 1])
        return zip(
            self.item_ids[start:end], self.gains[start:end].tolist(), self.examined[start:end].tolist(), strict=True
        )

    def dump(self) -> bytes:
        names = json.dumps({"keys": self.keys, "texts": self.texts, "items": self.item_ids}).encode()
        buffer = io.BytesIO()
        np.savez(
            buffer,
            names=np.frombuffer(names, dtype=np.uint8),
            starts=self.starts,
            gains=self.gains,
            examined=self.examined,
        )
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes) -> MemoryModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            names = json.loads(stored["names"].tobytes())
            starts, gains, examined = stored["starts"], stored["gains"].tolist(), stored["examined"].tolist()
        entries = list(zip(map(ItemId, names["items"]), gains, examined, strict=True))
        return cls.of(
            {
                key: (text, entries[starts[n] : starts[n + 1]])
                for n, (key, text) in enumerate(zip(names["keys"], names["texts"], strict=True))
            }
        )


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
