"""The popular arm: what people take whatever they asked, so that no answer need be empty."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from threading import Lock

from core.filters import matches
from core.rates import Rates, decode_rates, encode_rates, posterior
from core.types import Episode, Item, ItemId, Query, Scored

PRIOR_STRENGTH = 20.0
_PRIOR_GAIN = 0.1


class PopularRetriever:
    """Items by posterior gain per examination over all queries; the catalogue's own `popularity` is the prior."""

    name = "popular"

    def __init__(self) -> None:
        self._writing = Lock()
        self._items: dict[ItemId, Item] = {}
        self._rates: Mapping[ItemId, tuple[float, float]] = {}
        self._ordered: list[tuple[Item, float]] = []

    def load(self, model: bytes | None) -> None:
        """Swap the learned rates in; None forgets them."""
        with self._writing:
            self._rates = decode_rates(model) if model else {}
            self._order()

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            for item_id in deletes:
                self._items.pop(item_id, None)
            self._items.update((item.id, item) for item in upserts)
            self._order()

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        passing = (Scored(item.id, score) for item, score in self._ordered if matches(item, query.filters))
        return list(islice(passing, depth))

    def signals(self, query: Query) -> Mapping[str, float]:
        """How much the most popular item stands out; the same for every query."""
        scores = [score for _, score in self._ordered[:10]]
        return {"lead": scores[0] - scores[-1] if scores else 0.0}

    def _order(self) -> None:
        scored = [(item, self._score(item)) for item in self._items.values()]
        self._ordered = sorted(scored, key=lambda entry: (-entry[1], entry[0].id))

    def _score(self, item: Item) -> float:
        gain, examined = self._rates.get(item.id, (0.0, 0.0))
        prior = _PRIOR_GAIN * (0.5 + item.numbers.get("popularity", 0.5))
        return posterior(prior=prior, strength=PRIOR_STRENGTH, gain=gain, examined=examined)


class PopularityLearner:
    """Gain and examinations of every shown item, over all queries, decayed."""

    component = "popularity"

    def __init__(self, *, half_life_s: float) -> None:
        self._rates = Rates[ItemId](half_life_s)
        self._time = 0.0
        self._changed = False

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            shown, time = episode.impression.shown, episode.impression.query.time
            for item_id, gain, examined in zip(shown, episode.gains, episode.examination, strict=True):
                self._rates.add(item_id, gain=gain, examined=examined, time=time)
            self._time = max(self._time, time)
            self._changed = True

    def snapshot(self) -> bytes | None:
        if not self._changed:
            return None
        self._changed = False
        return encode_rates(self._rates.at(self._time))
