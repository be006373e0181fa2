"""Who took what, learned from episodes, and the relations between items that follow from it."""

from __future__ import annotations

import io
import json
import sys
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from core.customer import customer_of
from core.episodes import Episode
from core.types import ItemId
from retrievers.engagements.relatedness import CoEngagement, Relations, relate

MAX_CUSTOMERS = 50_000
MAX_ITEMS_PER_CUSTOMER = 100
# A new model when this share of the engagements is new: what few more engagements change isn't worth a release.
_NEW_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class RelatedModel:
    """Relations between items, in order of their ids. `rows`: the numbers of the items that have any."""

    item_ids: tuple[ItemId, ...]
    relations: Relations
    rows: Mapping[ItemId, int]

    @classmethod
    def empty(cls) -> RelatedModel:
        return cls.of([])

    @classmethod
    def of(cls, baskets: Iterable[Collection[ItemId]]) -> RelatedModel:
        """From every customer's distinct items; the order of customers and of their items changes nothing."""
        kept = list(baskets)
        item_ids = tuple(sorted({item_id for basket in kept for item_id in basket}))
        numbers = {item_id: n for n, item_id in enumerate(item_ids)}
        customers = np.repeat(np.arange(len(kept)), [len(basket) for basket in kept])
        items = np.array([numbers[item_id] for basket in kept for item_id in basket], dtype=np.int64)
        return cls._from(item_ids, relate(CoEngagement(customers, items, item_count=len(item_ids))))

    def dump(self) -> bytes:
        buffer = io.BytesIO()
        np.savez(
            buffer,
            items=np.frombuffer(json.dumps(self.item_ids).encode(), dtype=np.uint8),
            **{field.name: getattr(self.relations, field.name) for field in fields(Relations)},
        )
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes) -> RelatedModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            item_ids = tuple(map(ItemId, json.loads(stored["items"].tobytes())))
            return cls._from(item_ids, Relations(**{field.name: stored[field.name] for field in fields(Relations)}))

    @classmethod
    def _from(cls, item_ids: tuple[ItemId, ...], relations: Relations) -> RelatedModel:
        having = np.flatnonzero(np.diff(relations.starts)).tolist()
        return cls(item_ids, relations, {item_ids[row]: row for row in having})


class RelatedLearner:
    """Keeps what each customer engaged with (gain above 0): every item once, at its newest time.

    Who a customer is: core.customer; engagements of nobody are left out. What is older than
    `horizon_s` is dropped, and so are each customer's oldest items above MAX_ITEMS_PER_CUSTOMER and the customers who
    were not heard of for longest above MAX_CUSTOMERS.
    """

    component = "related"

    def __init__(
        self,
        *,
        horizon_s: float,
        max_customers: int = MAX_CUSTOMERS,
        max_items_per_customer: int = MAX_ITEMS_PER_CUSTOMER,
    ) -> None:
        self._horizon_s = horizon_s
        self._max_customers = max_customers
        self._max_items = max_items_per_customer
        self._customers: OrderedDict[str, dict[ItemId, float]] = OrderedDict()
        self._time = 0.0
        self._new = 0

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            query = episode.impression.query
            self._time = max(self._time, query.time)
            customer = customer_of(query)
            taken = [i for i, gain in zip(episode.impression.shown, episode.gains, strict=True) if gain > 0]
            if customer and taken:
                self._take(customer, taken, query.time)

    def snapshot(self) -> bytes | None:
        """The relations among all that is kept; None while less than a twentieth of it is new."""
        if not self._new or self._new < _NEW_SHARE * sum(map(len, self._customers.values())):
            return None
        self._new = 0
        self._drop_old()
        return RelatedModel.of(self._customers.values()).dump()

    def _take(self, customer: str, taken: Sequence[ItemId], time: float) -> None:
        items = self._customers.setdefault(customer, {})
        self._customers.move_to_end(customer)
        if len(self._customers) > self._max_customers:
            self._customers.popitem(last=False)
        for item_id in taken:
            self._new += item_id not in items
            # Every episode brings its own copy of an id, and one is enough.
            items[ItemId(sys.intern(item_id))] = max(time, items.get(item_id, time))
            if len(items) > self._max_items:
                del items[min(items, key=lambda each: (items[each], each))]

    def _drop_old(self) -> None:
        oldest = self._time - self._horizon_s
        for customer, items in list(self._customers.items()):
            kept = {item_id: time for item_id, time in items.items() if time >= oldest}
            if kept:
                self._customers[customer] = kept
            else:
                del self._customers[customer]
