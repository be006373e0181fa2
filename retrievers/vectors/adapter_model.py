"""Learns the query adapter from what people took and left, and publishes it only if it helps queries it never saw."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.client_cap import ClientCap
from core.episodes import Episode
from core.rates import Rates
from core.text import query_key
from core.types import Floats, Item, ItemId
from retrievers.document import passage
from retrievers.vectors.adapter import QueryAdapter
from retrievers.vectors.embeddings import StoredEmbeddings

MIN_QUERIES = 30  # distinct ones with clicks; fewer can't show that others gain
MAX_QUERIES = 2_000
MAX_ITEMS = 20  # shown ones kept per query
# Chosen on scifact's training claims, some of them held out: docs/decisions/007-query-adapter.md
RIDGE = 0.3
STRENGTH = 1.0
_PRIOR_EXAMINED = 2.0  # looks without a gain that every item starts with
_PRIOR_GAIN = 5.0  # a query's evidence is gain / (gain + this)
_FOLDS = 5
_DEPTH = 10
_MORE = 1.25  # times the searches of the last check: checking all the time would let chance pass in the end

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one query taught: which rows of the items' vectors were shown, and how much more than usual each was liked.

    `better` points from what was left to what was taken; `evidence` is in 0..1.
    """

    query: Floats
    shown: NDArray[np.int64]
    liking: Doubles
    better: Doubles
    evidence: float


def lesson(
    query: Floats, shown: NDArray[np.int64], vectors: Floats, *, gains: Doubles, examined: Doubles
) -> Lesson | None:
    """From the gain and the examinations of the rows `shown`; None when nothing was taken, or nothing left."""
    if gains.sum() <= 0:
        return None
    rate = gains / (examined + _PRIOR_EXAMINED)
    usual = (rate * examined).sum() / max(examined.sum(), 1e-12)
    liking = (rate - usual) * examined / (examined + _PRIOR_EXAMINED)
    taken, left = np.maximum(liking, 0), np.maximum(-liking, 0)
    if min(taken.sum(), left.sum()) < 1e-9:
        return None
    better = taken @ vectors[shown] / taken.sum() - left @ vectors[shown] / left.sum()
    return Lesson(query, shown, liking, better, float(gains.sum() / (gains.sum() + _PRIOR_GAIN)))


def fit(lessons: Sequence[Lesson], encoder: str) -> QueryAdapter:
    """Ridge regression of `better` on the query in its dual form: W = D' (Q Q' + ridge / evidence)^-1 Q.

    A query that resembles none of the lessons stays where it is.
    """
    queries = np.array([each.query for each in lessons], dtype=np.float64)
    better = np.array([each.better for each in lessons])
    doubt = np.diag([RIDGE / each.evidence for each in lessons])
    matrix = STRENGTH * better.T @ np.linalg.solve(queries @ queries.T + doubt, queries)
    return QueryAdapter(encoder, matrix.astype(np.float32))


def ndcg(query: Floats, each: Lesson, vectors: Floats) -> float:
    """nDCG@10 of all these items by their similarity to `query`; gains are what was liked, the rest is worth 0.

    The items shown for other queries take part: the arm has to find what is wanted, not only to order one page.
    """
    gains = np.zeros(len(vectors))
    gains[each.shown] = np.maximum(each.liking, 0)
    depth = min(_DEPTH, len(vectors))
    similar = vectors @ query
    near = np.argpartition(-similar, depth - 1)[:depth]
    found = gains[near[np.argsort(-similar[near], kind="stable")]]
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    return float(found @ discounts / (np.sort(gains)[::-1][:depth] @ discounts))


def auc(query: Floats, each: Lesson, vectors: Floats) -> float:
    """Share of (taken, left) pairs of what was shown, by their liking, that `query` orders rightly; ties count half."""
    similar = vectors[each.shown] @ query
    taken, left = each.liking > 0, each.liking < 0
    weights = np.outer(each.liking[taken], -each.liking[left])
    order = np.sign(similar[taken][:, None] - similar[left][None, :])
    return float((weights * (0.5 + 0.5 * order)).sum() / weights.sum())


def improvements(lessons: Sequence[Lesson], vectors: Floats) -> Doubles:
    """[2, len(lessons)] change of every query's AUC and nDCG under an adapter fitted on other queries (five folds)."""
    changes = np.empty((2, len(lessons)))
    for fold in range(_FOLDS):
        adapter = fit([each for n, each in enumerate(lessons) if n % _FOLDS != fold], "")
        for n in range(fold, len(lessons), _FOLDS):
            each, adapted = lessons[n], adapter(lessons[n].query)
            changes[:, n] = [
                measure(adapted, each, vectors) - measure(each.query, each, vectors) for measure in (auc, ndcg)
            ]
    return changes


def convincing(changes: Doubles) -> bool:
    """Whether the mean of both is above 0 by more than its standard error.

    Random clicks don't move the AUC, but can the nDCG, which likes whatever is shown often; the AUC knows nothing of
    items beyond the page.
    """
    errors = changes.std(axis=1, ddof=1) / changes.shape[1] ** 0.5
    return bool((changes.mean(axis=1) > errors).all())


class QueryAdapterLearner:
    """Counts gain and examinations of every shown (query, item), decayed and capped per client, as the memory does.

    Now and then it fits a map to them and asks whether, for queries it was not fitted on, the map finds what was liked
    better than the encoder alone. If so it publishes the map, fitted on all; if not, the identity. Searches without a
    gain don't say which of the items is better, and are left out.
    """

    component = "query_adapter"

    def __init__(
        self,
        item: Callable[[ItemId], Item | None],
        open_embeddings: Callable[[], StoredEmbeddings],
        *,
        half_life_s: float,
        client_cap: int,
    ) -> None:
        """`open_embeddings` is called when there is something to check, and what it gives is closed again."""
        self._item = item
        self._open_embeddings = open_embeddings
        self._half_life_s = half_life_s
        self._cap = ClientCap(client_cap)
        self._queries: OrderedDict[str, tuple[str, Rates[ItemId]]] = OrderedDict()
        self._time = 0.0
        self._searches = self._checked = 0
        self._published: bool | None = None  # a map or the identity; None: an earlier run may have published a map

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._learn(episode)

    def snapshot(self) -> bytes | None:
        """A map that helps; the identity in the place of one that no longer does; else None."""
        if self._searches <= _MORE * self._checked:
            return None
        clicked = {key: kept for key, kept in self._queries.items() if _clicked(kept[1])}
        if len(clicked) < MIN_QUERIES:
            return None
        self._checked = self._searches
        embeddings = self._open_embeddings()
        try:
            lessons, vectors = self._lessons(list(clicked.values()), embeddings)
            helps = len(lessons) >= MIN_QUERIES and convincing(improvements(lessons, vectors))
            if not helps and self._published is False:
                return None
            self._published = helps
            return (fit(lessons, embeddings.version) if helps else QueryAdapter(embeddings.version)).dump()
        finally:
            embeddings.close()

    def _learn(self, episode: Episode) -> None:
        query = episode.impression.query
        key = query_key(query.text)
        # Other answers under a filter say little about the query itself.
        if not key or query.filters or not any(episode.gains) or not self._cap.admits(query, key):
            return
        _, rates = self._queries.setdefault(key, (query.text, Rates[ItemId](self._half_life_s)))
        self._queries.move_to_end(key)
        rows = zip(episode.impression.shown, episode.gains, episode.examination, strict=True)
        for item_id, gain, examined in rows:
            rates.add(item_id, gain=gain, examined=examined, time=query.time)
        self._time = max(self._time, query.time)
        self._searches += 1
        if len(rates.evidence) > 4 * MAX_ITEMS:
            rates.evidence = {item_id: rates.evidence[item_id] for item_id, _, _ in _most_seen(rates, self._time)}
        if len(self._queries) > MAX_QUERIES:
            self._queries.popitem(last=False)

    def _lessons(
        self, queries: Sequence[tuple[str, Rates[ItemId]]], embeddings: StoredEmbeddings
    ) -> tuple[list[Lesson], Floats]:
        """Lessons in order of the queries' last search, and the items' vectors, which are on disk already."""
        entries = [_most_seen(rates, self._time) for _, rates in queries]
        ids = dict.fromkeys(item_id for found in entries for item_id, _, _ in found)
        items = [item for item_id in ids if (item := self._item(item_id)) is not None]
        rows = {item.id: row for row, item in enumerate(items)}
        vectors = embeddings.encode([passage(item) for item in items])
        asked = embeddings.encode_queries([text for text, _ in queries])
        made = []
        for query, found in zip(asked, entries, strict=True):
            known = [entry for entry in found if entry[0] in rows]
            shown = np.array([rows[item_id] for item_id, _, _ in known], dtype=np.int64)
            gains, examined = np.array([entry[1:] for entry in known], dtype=np.float64).reshape(-1, 2).T
            if (each := lesson(query, shown, vectors, gains=gains, examined=examined)) is not None:
                made.append(each)
        return made, vectors


def _clicked(rates: Rates[ItemId]) -> bool:
    return any(entry.gain > 0 for entry in rates.evidence.values())


def _most_seen(rates: Rates[ItemId], time: float) -> list[tuple[ItemId, float, float]]:
    """(item, gain, examined) of the items that were looked at most."""
    most: Any = nlargest(MAX_ITEMS, rates.at(time), key=lambda entry: (entry[2], entry[0]))
    return list(most)
