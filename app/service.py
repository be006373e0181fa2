"""The running service behind every surface: search, feedback, catalogue, and the swapping of models while serving."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from threading import Event, Thread

from app.experiment import conduct
from app.indexer import Indexer, ItemTable, Progress
from app.pipeline import Answer, Pipeline
from app.serving import Serving
from app.shadow import ShadowTraffic
from core.catalogue import Catalogue
from core.errors import InvalidInput, NotFound, unknown
from core.protocols import EventStore, ModelRegistry, Outcome
from core.types import Facet, Feedback, Impression, Item, ItemId, Plan, Query, QueryId
from feedback.sessions import Sessions
from retrievers.memory import Recollection

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """What a search shows: the answer, the impression of the asked page, and the asked facets."""

    answer: Answer
    impression: Impression
    facets: Mapping[str, Facet] = field(default_factory=dict)


@dataclass(slots=True)
class Service:
    """Built by app.wiring. `serving` is replaced, never changed, so every request sees one set of models."""

    catalogue: Catalogue
    items: ItemTable
    indexer: Indexer
    pipeline: Pipeline
    store: EventStore
    shadows: ShadowTraffic
    sessions: Sessions
    registry: ModelRegistry
    plans: Mapping[str, Plan]
    recall: Callable[[str, int], Recollection]
    load_models: Callable[[], Serving]
    count_facets: Callable[[Query, Sequence[str]], Mapping[str, Facet]]
    config: str
    pool: Executor
    clock: Callable[[], float] = time.time
    closers: Sequence[Callable[[], None]] = ()
    serving: Serving = field(init=False)
    ready: bool = field(init=False, default=False)
    _stop: Event = field(init=False, default_factory=Event)
    _follower: Thread | None = field(init=False, default=None)

    def start(self, progress: Progress = lambda _: None) -> None:
        """Open or make the indexes, load the models, answer once to warm up; then the service is ready."""
        self.indexer.restore()
        self.indexer.catch_up(progress)
        self.serving = self.load_models()
        self.pipeline.answer(self._query("warm up"), self.serving)
        self.ready = True

    def follow(self, interval_s: float) -> None:
        """From now on pick up changed items and new models, and ask shadows, each in a thread of its own."""
        self.shadows.start()
        self._follower = Thread(target=self._follow, args=(interval_s,), name="follower", daemon=True)
        self._follower.start()

    def search(
        self,
        query: Query,
        *,
        start: int = 0,
        size: int = 10,
        plan: str | None = None,
        preview: bool = False,
        facets: Sequence[str] = (),
    ) -> Page:
        """Answer and log. The impression is durable when this returns, unless it is a `preview`, which logs nothing.

        A named `plan` is for looking around: it needs `preview`, because its propensity says nothing about the policy.
        `facets` are counted whatever the plan, and not logged.
        """
        if plan is not None and not preview:
            raise InvalidInput(
                "plan_needs_preview",
                f"plan = {plan!r} was given without preview.",
                "Set preview to true: an answer by a chosen plan is neither logged nor learned from.",
            )
        forced = self._plan(plan) if plan is not None else None
        if not query.history:
            query = replace(query, history=self.sessions.history(query.session_id))
        with self.shadows.beside_search():
            answer = conduct(self.pipeline, query, self.serving, plan=forced)
            counted = self.count_facets(query, list(dict.fromkeys(facets))) if facets else {}
            impression = answer.impression(start=start, size=size, config=self.config)
            if not preview:
                self.store.append_impression(impression)
                self.shadows.offer(impression)
        return Page(answer, impression, counted)

    def record(self, events: Sequence[Feedback]) -> list[Outcome]:
        """Durable when it returns; one outcome per event."""
        outcomes = self.store.append_feedback(events)
        stored = zip(events, outcomes, strict=True)
        self.sessions.add([event for event, outcome in stored if outcome is Outcome.STORED])
        return outcomes

    def put(self, items: Sequence[Item]) -> None:
        """Durable, and visible to every arm, when it returns."""
        self.catalogue.put(items)
        self.indexer.catch_up()

    def delete(self, item_id: ItemId) -> None:
        """NotFound when there is no such item."""
        if not self.catalogue.delete(item_id):
            raise no_such_item(item_id)
        self.indexer.catch_up()

    def get(self, item_id: ItemId) -> Item:
        """NotFound when there is no such item."""
        item = self.catalogue.get(item_id)
        if item is None:
            raise no_such_item(item_id)
        return item

    def reload(self) -> None:
        """Serve the current release if it is another one."""
        current = self.registry.current()
        if current is not None and current.number != self.serving.release:
            self.serving = self.load_models()
            log.info("serving release %d", self.serving.release)

    def close(self) -> None:
        self._stop.set()
        if self._follower is not None:
            self._follower.join()
        self.shadows.close()
        if self.ready:
            self._save()
        self.ready = False
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.store.close()
        self.catalogue.close()
        for close in self.closers:
            close()

    def _save(self) -> None:
        try:
            self.indexer.save(now=True)
        except Exception:  # the next start makes the indexes from the catalogue
            log.exception("the indexes could not be saved")

    def _query(self, text: str) -> Query:
        return Query(id=new_query_id(), text=text, time=self.clock())

    def _plan(self, name: str) -> Plan:
        if name not in self.plans:
            raise InvalidInput("unknown_plan", unknown("plan", name, self.plans), "Name one of these, or leave it out.")
        return self.plans[name]

    def _follow(self, interval_s: float) -> None:
        while not self._stop.wait(interval_s):
            try:
                self.indexer.catch_up()
                self.reload()
                self.indexer.save()
            except Exception:  # a failed refresh must not end refreshing; what served goes on serving
                log.exception("could not refresh items or models; trying again in %s s", interval_s)


def new_query_id() -> QueryId:
    return QueryId(uuid.uuid4().hex)


def no_such_item(item_id: ItemId) -> NotFound:
    return NotFound("no_such_item", f"There is no item {item_id!r}.", "Check the id, or PUT the item to /v1/items.")
