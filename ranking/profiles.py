"""What customers like: brands, types and prices that they engage with more, or less, than everybody does."""

from __future__ import annotations

import io
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.customer import customer_of
from core.episodes import Episode, Impression
from core.types import Item, ItemId

MAX_CUSTOMERS = 50_000
MAX_TRAITS = 40  # of a customer; those that were looked at least go
_MAX_OF_ALL = 20_000  # ..., of everybody
# Of log(price / price in the middle of what was found): below the first is cheap, from the second on dear.
PRICE_BANDS = (-0.25, 0.25)
BANDS = ("low", "usual", "high")
PRICE_FEATURE = "item.price_relative"
_STRENGTH = 5.0  # gain that counts as expected and had, of any trait and of a customer in all
_OTHERS_STRENGTH = 5.0  # examinations that the rate over all traits counts for in the rate of one
_AGED_EVERY = 0.01  # half-lives

Trait = tuple[str, str]
_Shown = tuple[Sequence[Trait], float, float]  # traits, gain and examination of an item that was shown


def price_band(relative: float) -> str:
    """`low`, `usual` or `high`, for a price relative to the other candidates; empty for NaN."""
    if math.isnan(relative):
        return ""
    return BANDS[sum(relative >= edge for edge in PRICE_BANDS)]


@dataclass(frozen=True, slots=True)
class Taste:
    """Of one customer: `lifts` by trait, logarithms, 0 for one that was never seen; `gained` in all."""

    lifts: Mapping[Trait, float]
    gained: float


@dataclass(frozen=True, slots=True)
class ProfilesModel:
    """For customer n, who gained `totals[n]` = (gain, examined) in all, (gain, examined) by trait in `counts`, from
    starts[n] to starts[n + 1]; `of` are the numbers of their traits. `people`: (gain, examined) of everybody by trait,
    and last in all."""

    customers: Mapping[str, int] = field(default_factory=dict)
    traits: tuple[Trait, ...] = ()
    totals: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    of: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    counts: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    people: NDArray[np.float32] = field(default_factory=lambda: np.zeros((1, 2), np.float32))

    def taste(self, customer: str | None) -> Taste | None:
        """None for somebody unknown, and for somebody who never engaged with anything.

        A lift is the mean of a Gamma posterior of gain over what is expected: what everybody else gains from the trait
        per examination, times how much more than everybody this customer engages at all (Gamma-Poisson shrinkage, as
        DuMouchel 1999).
        """
        row = self.customers.get(customer) if customer is not None else None
        if row is None or self.totals[row, 0] <= 0:
            return None
        gained, examined = self.totals[row].tolist()
        span = slice(int(self.starts[row]), int(self.starts[row + 1]))
        gains, seen = self.counts[span].T
        usual = float(self.people[-1, 0] / self.people[-1, 1])
        active = (gained + _STRENGTH) / (examined * usual + _STRENGTH)
        others = np.maximum(self.people.take(self.of[span], axis=0) - self.counts[span], 0.0)
        rates = (others[:, 0] + _OTHERS_STRENGTH * usual) / (others[:, 1] + _OTHERS_STRENGTH)
        expected = seen * rates * active
        lifts = np.log((np.maximum(gains, 0.0) + _STRENGTH) / (expected + _STRENGTH))
        names = map(self.traits.__getitem__, self.of[span].tolist())
        return Taste(dict(zip(names, lifts.tolist(), strict=True)), gained)

    def dump(self) -> bytes:
        names = np.frombuffer(json.dumps([list(self.customers), self.traits]).encode(), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            names=names,
            totals=self.totals,
            starts=self.starts,
            of=self.of,
            counts=self.counts,
            people=self.people,
        )
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes) -> ProfilesModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            customers, traits = json.loads(stored["names"].tobytes())
            columns = (stored[name] for name in ("totals", "starts", "of", "counts", "people"))
            rows = {customer: row for row, customer in enumerate(customers)}
            return cls(rows, tuple((kind, name) for kind, name in traits), *columns)


@dataclass(slots=True)
class _Tally:
    """Gains and examinations, of a customer or of everybody, as they counted at `time`: in all, and by trait."""

    time: float
    total: list[float] = field(default_factory=lambda: [0.0, 0.0])
    traits: dict[Trait, list[float]] = field(default_factory=dict)

    def age(self, time: float, half_life_s: float) -> None:
        """Up to `time`; what comes late counts as if it were of now."""
        passed = max(time - self.time, 0.0)
        decay = 0.5 ** (passed / half_life_s)
        self.time += passed
        for counts in (self.total, *self.traits.values()):
            counts[:] = [count * decay for count in counts]

    def add(self, shown: Iterable[_Shown]) -> None:
        for traits, gain, examined in shown:
            for counts in (self.total, *(self.traits.setdefault(trait, [0.0, 0.0]) for trait in traits)):
                counts[0] += gain
                counts[1] += examined

    def keep(self, most: int) -> None:
        """The traits that were looked at most."""
        if len(self.traits) > most:
            kept = sorted(self.traits, key=lambda trait: -self.traits[trait][1])[:most]
            self.traits = {trait: self.traits[trait] for trait in kept}


class ProfilesLearner:
    """Gain and examinations of every customer, and of everybody, by the traits of what was shown; halved in
    `half_life_s`. A customer is known from the first search on that gained something.

    The brand is the first value of the attribute `brand`. Prices are those that were logged with the search, relative
    to the other candidates.
    """

    component = "profiles"

    def __init__(
        self,
        item: Callable[[ItemId], Item | None],
        *,
        brand: str,
        half_life_s: float,
        max_customers: int = MAX_CUSTOMERS,
    ) -> None:
        self._item = item
        self._brand = brand
        self._half_life_s = half_life_s
        self._max_customers = max_customers
        self._customers: OrderedDict[str, _Tally] = OrderedDict()
        self._everybody = _Tally(0.0)
        self._changed = False

    def learn(self, episodes: Sequence[Episode]) -> None:
        looked_up: dict[ItemId, Item | None] = {}
        for episode in episodes:
            shown = list(self._shown(episode, looked_up))
            self._count_for_all(shown, episode.impression.query.time)
            customer = customer_of(episode.impression.query)
            if customer is not None and (customer in self._customers or any(episode.gains)):
                self._count_for(customer, shown, episode.impression.query.time)

    def forget(self, customer: str) -> None:
        """Erase what is known of somebody, from the next snapshot on; what is in the log would be learned again."""
        self._changed |= self._customers.pop(customer, None) is not None

    def snapshot(self) -> bytes | None:
        if not self._changed:
            return None
        self._changed = False
        traits = {trait: n for n, trait in enumerate({t: 0 for c in self._customers.values() for t in c.traits})}
        known = list(self._customers.values())
        newest = max([self._everybody.time, *(customer.time for customer in known)])
        decay = np.array([0.5 ** ((newest - customer.time) / self._half_life_s) for customer in known])
        counts = [counts for customer in known for counts in customer.traits.values()]
        decayed = np.repeat(decay, [len(customer.traits) for customer in known])[:, None]
        return ProfilesModel(
            {customer: row for row, customer in enumerate(self._customers)},
            tuple(traits),
            (np.array([customer.total for customer in known]).reshape(-1, 2) * decay[:, None]).astype(np.float32),
            np.cumsum([0, *(len(customer.traits) for customer in known)], dtype=np.int64),
            np.array([traits[trait] for customer in known for trait in customer.traits], dtype=np.int32),
            (np.array(counts).reshape(-1, 2) * decayed).astype(np.float32),
            np.array(
                [*(self._everybody.traits.get(trait, (0.0, 0.0)) for trait in traits), self._everybody.total],
                dtype=np.float32,
            )
            * np.float32(0.5 ** ((newest - self._everybody.time) / self._half_life_s)),
        ).dump()

    def _count_for_all(self, shown: Sequence[_Shown], time: float) -> None:
        everybody = self._everybody
        if time - everybody.time > _AGED_EVERY * self._half_life_s:  # in steps, because there are many traits
            everybody.age(time, self._half_life_s)
        everybody.add((traits, max(gain, 0.0), examined) for traits, gain, examined in shown)
        if len(everybody.traits) > 2 * _MAX_OF_ALL:
            everybody.keep(_MAX_OF_ALL)

    def _count_for(self, customer: str, shown: Sequence[_Shown], time: float) -> None:
        known = self._customers.setdefault(customer, _Tally(time))
        self._customers.move_to_end(customer)
        if len(self._customers) > self._max_customers:
            self._customers.popitem(last=False)
        known.age(time, self._half_life_s)
        known.add(shown)
        known.keep(MAX_TRAITS)
        self._changed = True

    def _shown(self, episode: Episode, looked_up: dict[ItemId, Item | None]) -> Iterator[_Shown]:
        impression = episode.impression
        rows = zip(impression.shown, _bands(impression), episode.gains, episode.examination, strict=True)
        for item_id, band, gain, examined in rows:
            if item_id not in looked_up:
                looked_up[item_id] = self._item(item_id)
            if (item := looked_up[item_id]) is not None:
                yield list(self._traits(item, band)), gain, examined

    def _traits(self, item: Item, band: str) -> Iterator[Trait]:
        yield "type", item.type
        for brand in item.attributes.get(self._brand, ())[:1]:
            yield "brand", brand
        if band:
            yield "price", band


def _bands(impression: Impression) -> list[str]:
    """The price band of every shown item, empty where it is not known."""
    names = impression.features.names
    if PRICE_FEATURE not in names:
        return [""] * len(impression.shown)
    return [price_band(price) for price in impression.features.values[:, names.index(PRICE_FEATURE)].tolist()]
