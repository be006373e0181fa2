"""The popular arm: what people take whatever they asked, so that no answer need be empty."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from core.filters import passes, ranges_of, values_of
from core.lookup import look_up_many
from core.types import Item, ItemId, Query, Range, Scored
from retrievers.popularity.catalogue_rows import CatalogueRows
from retrievers.popularity.popularity_model import MOST_CONTEXT_LIFT, Context, PopularityModel

Doubles = NDArray[np.float64]

PRIOR_STRENGTH = 20.0
# The best are kept per type and context: as many as plans commonly ask for, of so many types and contexts.
_TOP, _TOPS = 200, 256
_NONE = -1


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an order depends on. `filters` in the order of names."""

    contexts: tuple[Context, ...]
    filters: tuple[tuple[str, tuple[str, ...] | Range], ...]

    @property
    def by_attributes(self) -> bool:
        return any(name != "type" for name, _ in self.filters)


_ANYTHING = _Asked((), ())  # what every search looks at for its signals


@dataclass(frozen=True, slots=True)
class _Top:
    """The best rows with what to answer. No other row's score is above `floor`, -inf when there is no other."""

    hits: list[Scored]
    rows: NDArray[np.int64]
    floor: float


class PopularRetriever:
    """Items by posterior gain per examination over all queries; the catalogue's own `popularity` is the prior.

    What trends, and what does better in the query's contexts than elsewhere, is multiplied. Contexts are taken as
    independent, as in naive Bayes. The best of a type are kept until a change of the catalogue reaches them.
    """

    name = "popular"

    def __init__(self, items: Mapping[ItemId, Item]) -> None:
        """`items` is kept up to date by somebody else, before `apply`."""
        self._items = items
        self._writing = Lock()
        self._catalogue = CatalogueRows()
        self._learn(PopularityModel())

    def load(self, model: bytes | None) -> None:
        """Swap what was learned in; None forgets it."""
        learned = PopularityModel.load(model) if model else PopularityModel()
        with self._writing:
            self._learn(learned)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            upserted = {item.id for item in upserts}
            changed = self._catalogue.drop([item_id for item_id in deletes if item_id not in upserted])
            changed += self._catalogue.put(upserts)
            if changed:
                self._follow(np.unique(changed))

    def reprice(self, items: Sequence[Item]) -> None:
        """The catalogue's own popularity is a figure."""
        with self._writing:
            if changed := self._catalogue.reprice(items):
                self._follow(np.array(changed))

    def save(self, folder: Path) -> None:
        """Write the columns of the catalogue to this folder; models are loaded from their registry."""
        self._catalogue.save(folder)

    def restore(self, folder: Path) -> None:
        """Become what was saved there, with the model that is loaded."""
        with self._writing:
            self._catalogue = CatalogueRows.saved(folder)
            self._learn(self._model)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        filters = tuple((name, query.filters[name]) for name in sorted(query.filters))
        return self._top(_Asked(self._model.known(query), filters), depth).hits[:depth]

    def signals(self, query: Query) -> Mapping[str, float]:
        """How much the most popular item stands out, how many of the ten most popular trend, and whether the query's
        context tells items apart."""
        known = self._model.known(query)
        hits = self._top(_ANYTHING, 10).hits[:10]
        return {
            "lead": hits[0].score - hits[-1].score if hits else 0.0,
            "trending": sum(bool(hit.why) for hit in hits) / 10,
            "context": len(known) / (1 + len(query.context)),
        }

    def _learn(self, model: PopularityModel) -> None:
        """Take the model over, for all rows anew. What was best is answered until what is best now is known."""
        rows = self._catalogue.rows
        self._model = model
        self._places = dict(zip(model.items, range(len(model.items)), strict=True))
        self._trend_lifts = model.trend_lifts()
        self._why = {
            trend.item_id: f"trending: {trend.takes:.0f} takes lately, {trend.expected:.1f} expected"
            for trend in model.trends
        }
        self._row_of = look_up_many(model.items, rows, missing=_NONE)
        self._place_of, self._rates, self._scores = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0)
        self._make_room()
        there = np.flatnonzero(self._row_of != _NONE)
        self._place_of[self._row_of[there]] = there
        self._rescore(np.arange(len(self._scores)))
        self._tops: dict[_Asked, _Top] = {_ANYTHING: self._sorted(_ANYTHING, _TOP)}

    def _make_room(self) -> None:
        """Columns as long as the catalogue's."""
        if new := len(self._catalogue.prior) - len(self._scores):
            self._place_of = np.append(self._place_of, np.full(new, _NONE))
            self._rates = np.append(self._rates, np.zeros(new))
            self._scores = np.append(self._scores, np.full(new, -np.inf))

    def _follow(self, rows: NDArray[np.int64]) -> None:
        """The catalogue has changed in these rows."""
        self._make_room()
        old = self._place_of[rows]
        self._row_of[old[old != _NONE]] = _NONE
        self._place_of[rows] = [self._places.get(self._catalogue.ids[row], _NONE) for row in rows.tolist()]
        self._place_of[rows[np.isnan(self._catalogue.prior[rows])]] = _NONE
        there = rows[self._place_of[rows] != _NONE]
        self._row_of[self._place_of[there]] = there
        self._rescore(rows)
        self._drop_tops(rows)

    def _rescore(self, rows: NDArray[np.int64]) -> None:
        """The columns of rates and scores of these rows."""
        places = self._place_of[rows]
        gains, examined = (np.append(column, 0.0)[places] for column in (self._model.gains, self._model.examined))
        rates = (PRIOR_STRENGTH * self._catalogue.prior[rows] + np.maximum(gains, 0.0)) / (PRIOR_STRENGTH + examined)
        scores = rates * np.append(self._trend_lifts, 1.0)[places]
        self._rates[rows], self._scores[rows] = rates, np.where(np.isnan(scores), -np.inf, scores)

    def _drop_tops(self, changed: NDArray[np.int64]) -> None:
        best = float(self._scores[changed].max(initial=-np.inf))
        for asked, top in list(self._tops.items()):
            reach = best * MOST_CONTEXT_LIFT if asked.contexts else best
            if asked.by_attributes or reach >= top.floor or np.isin(changed, top.rows).any():
                del self._tops[asked]

    def _top(self, asked: _Asked, depth: int) -> _Top:
        top = self._tops.get(asked)
        if top is not None and (depth <= len(top.hits) or top.floor == -np.inf):
            return top
        with self._writing:
            top = self._sorted(asked, max(depth, _TOP))
            if len(self._tops) >= _TOPS:
                del self._tops[next(iter(self._tops))]
            self._tops[asked] = top
        return top

    def _sorted(self, asked: _Asked, size: int) -> _Top:
        scores = self._in_contexts(asked.contexts) if asked.contexts else self._scores
        filters = dict(asked.filters)
        rows = np.flatnonzero(self._catalogue.passing(values_of(filters)) if filters else scores > -np.inf)
        floor = -np.inf
        if ranges := ranges_of(filters):
            rows = self._within(ranges, rows[np.argsort(-scores[rows])], size + 1)
        if len(rows) > size:
            parted = rows[np.argpartition(-scores[rows], size)]
            rows, floor = parted[:size], float(scores[parted[size]])
        rows = rows[np.argsort(-scores[rows])]
        ids = map(self._catalogue.ids.__getitem__, rows.tolist())
        hits = [
            Scored(item_id, score, why=self._why.get(item_id, ""))
            for item_id, score in zip(ids, scores[rows].tolist(), strict=True)
        ]
        return _Top(hits, rows, floor)

    def _within(self, ranges: Mapping[str, Range], rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        """The first `most` rows whose numbers are in the ranges. Numbers have no columns here: the items know."""
        ids = self._catalogue.ids
        passing = (row for row in rows.tolist() if passes(ids[row], self._items, ranges))
        return np.fromiter(islice(passing, most), dtype=np.int64)

    def _in_contexts(self, contexts: Sequence[Context]) -> Doubles:
        """[rows] scores times what the contexts say."""
        lifts = np.ones(len(self._scores))
        for context in contexts:
            if (told := self._model.contexts.get(context)) is not None:
                rows = self._row_of[told.places]
                there = rows != _NONE
                lifts[rows[there]] *= told.lifts(self._rates[rows])[there]
        scores: Doubles = self._scores * np.clip(lifts, 1 / MOST_CONTEXT_LIFT, MOST_CONTEXT_LIFT)
        return scores
