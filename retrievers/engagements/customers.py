"""What each customer engaged with lately, learned from episodes: the taste that the personal arm starts from."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.customer import customer_of
from core.episodes import Episode
from core.types import Floats, ItemId

MAX_CUSTOMERS = 50_000
MAX_ITEMS = 20


@dataclass(frozen=True, slots=True)
class CustomersModel:
    """Rows of customers, each with items and weights (compressed sparse rows). Vectors are left to the arm: ids stay
    right when an item's text or the encoder changes, and a customer is forgotten by leaving out a row."""

    customers: tuple[str, ...]
    item_ids: tuple[ItemId, ...]
    starts: np.ndarray[tuple[int], np.dtype[np.int64]]
    weights: Floats
    rows: Mapping[str, int]

    @classmethod
    def of(cls, tastes: Iterable[tuple[str, Sequence[tuple[ItemId, float]]]]) -> CustomersModel:
        """From (customer, [(item, weight)])."""
        listed = list(tastes)
        return cls._from(
            tuple(customer for customer, _ in listed),
            tuple(item_id for _, items in listed for item_id, _ in items),
            np.cumsum([0, *(len(items) for _, items in listed)], dtype=np.int64),
            np.array([weight for _, items in listed for _, weight in items], dtype=np.float32),
        )

    def taste(self, customer: str | None) -> list[tuple[ItemId, float]]:
        """[(item, weight)] of a customer; empty for somebody unknown."""
        row = self.rows.get(customer) if customer is not None else None
        if row is None:
            return []
        span = slice(int(self.starts[row]), int(self.starts[row + 1]))
        return list(zip(self.item_ids[span], self.weights[span].tolist(), strict=True))

    def dump(self) -> bytes:
        names = json.dumps({"customers": self.customers, "items": self.item_ids}).encode()
        buffer = io.BytesIO()
        np.savez(buffer, names=np.frombuffer(names, dtype=np.uint8), starts=self.starts, weights=self.weights)
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes) -> CustomersModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            names = json.loads(stored["names"].tobytes())
            return cls._from(
                tuple(names["customers"]), tuple(map(ItemId, names["items"])), stored["starts"], stored["weights"]
            )

    @classmethod
    def _from(
        cls,
        customers: tuple[str, ...],
        item_ids: tuple[ItemId, ...],
        starts: np.ndarray[tuple[int], np.dtype[np.int64]],
        weights: Floats,
    ) -> CustomersModel:
        return cls(customers, item_ids, starts, weights, {customer: row for row, customer in enumerate(customers)})


class CustomersLearner:
    """Keeps every customer's newest items with what they gained; a weight halves in `half_life_s`."""

    component = "customers"

    def __init__(self, *, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._customers: OrderedDict[str, OrderedDict[ItemId, tuple[float, float]]] = OrderedDict()
        self._time = 0.0
        self._changed = False

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            query = episode.impression.query
            self._time = max(self._time, query.time)
            customer = customer_of(query)
            for item_id, gain in zip(episode.impression.shown, episode.gains, strict=True):
                if customer is not None and gain > 0:
                    self._take(customer, item_id, gain, query.time)

    def snapshot(self) -> bytes | None:
        if not self._changed:
            return None
        self._changed = False
        return CustomersModel.of(
            (customer, [(item_id, self._weight(*taken)) for item_id, taken in items.items()])
            for customer, items in self._customers.items()
        ).dump()

    def _take(self, customer: str, item_id: ItemId, gain: float, time: float) -> None:
        items = self._customers.setdefault(customer, OrderedDict())
        self._customers.move_to_end(customer)
        if len(self._customers) > MAX_CUSTOMERS:
            self._customers.popitem(last=False)
        items[item_id] = (gain, time)
        items.move_to_end(item_id)
        if len(items) > MAX_ITEMS:
            items.popitem(last=False)
        self._changed = True

    def _weight(self, gain: float, time: float) -> float:
        return float(gain * 0.5 ** ((self._time - time) / self._half_life_s))
