"""The running service behind every surface: search, feedback, catalogue, and the swapping of models while serving."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event, RLock

from app.indexing.following import Following
from app.indexing.indexer import Indexer, ItemTable, Progress
from app.search.answer import Answer
from app.search.experiment import conduct
from app.search.fanout import FanOut
from app.search.forced import check_forced, named
from app.search.gaps import Gaps
from app.search.pipeline import Pipeline
from app.search.request_clock import RequestClock
from app.search.serving import Serving
from app.search.shadow import ShadowTraffic
from app.search.turns import Turns
from app.search.wanted import Wanted
from app.settings import Settings
from app.setup import Setup
from core.catalogue import Catalogue
from core.episodes import Feedback, Impression
from core.errors import NotFound, Unavailable
from core.facets import Facet
from core.protocols import EventStore, ModelRegistry, Outcome, Policy
from core.types import Item, ItemId, Plan, Query, QueryId
from feedback.judgments import JudgmentStore
from feedback.sessions import Sessions
from ranking.quality.model import QualityWords
from retrievers.memory import Recollection
from retrievers.structure.readings import Reading

log = logging.getLogger(__name__)
_AT_ONCE = 2  # searches: one waits for its arms, or for an encoder, while the other computes


@dataclass(frozen=True, slots=True)
class Page:
    """What a search shows: the answer, the impression of the asked page, and the asked facets.

    `logged`: whether the impression is in the log, so that feedback on it can be taken.
    """

    answer: Answer
    impression: Impression
    facets: Mapping[str, Facet] = field(default_factory=dict)
    logged: bool = False


@dataclass(slots=True)
class Service:
    """Built by app.wiring. What serves is replaced, never changed: every request sees one setup and its models."""

    catalogue: Catalogue
    items: ItemTable
    indexer: Indexer
    setup: Setup
    store: EventStore
    shadows: ShadowTraffic
    judgments: JudgmentStore
    sessions: Sessions
    registry: ModelRegistry
    recall: Callable[[str, int], Recollection]
    quality_words: Callable[[ItemId], QualityWords | None]
    count_facets: Callable[[Query, Sequence[str]], Mapping[str, Facet]]
    fan_out: FanOut
    build_setup: Callable[[Settings], Setup]
    gaps: Gaps
    read_query: Callable[[str], Sequence[Reading]] = lambda text: []
    clock: Callable[[], float] = time.time
    closers: Sequence[Callable[[], None]] = ()
    wake: Event = field(default_factory=Event)  # set when items or models may have changed
    saves: bool = True  # indexes: of several processes with the same ones, one does
    others: Callable[[int], object] = lambda number: None  # returns when other processes show this change, too
    ready: bool = field(init=False, default=False)
    _now: tuple[Setup, Serving] | None = field(init=False, default=None)
    _swapping: RLock = field(init=False, default_factory=RLock)
    _following: Following = field(init=False)
    _turns: Turns = field(init=False, default_factory=lambda: Turns(_AT_ONCE))

    def __post_init__(self) -> None:
        self._following = Following(self._refresh, self.items, self.wake)

    @property
    def serving(self) -> Serving:
        """The models that serve."""
        return self._started()[1]

    @property
    def pipeline(self) -> Pipeline:
        return self.setup.pipeline

    @property
    def plans(self) -> Mapping[str, Plan]:
        return self.setup.plans

    @property
    def policies(self) -> Mapping[str, Policy]:
        """Those that a preview may ask for by name."""
        setup, serving = self._started()
        return setup.policies(serving.policy)

    def policy(self, name: str) -> Policy:
        """InvalidInput names those there are."""
        return named("policy", self.policies, name)

    @property
    def config(self) -> str:
        """The hash of the settings that serve."""
        return self.setup.config

    def start(self, progress: Progress = lambda _: None) -> None:
        """Open or make the indexes, load the models, answer once to warm up; then the service is ready."""
        self.indexer.restore()
        self.indexer.catch_up(progress)
        self._load(self.setup)
        everything = Plan("warm up", dict.fromkeys(self.fan_out.arms, 10))  # a first call may load what it needs
        self.pipeline.answer(self._query("warm up"), self.serving, plan=everything)
        self.pipeline.prepare(self.clock())
        self.ready = True

    def adopt(self, settings: Settings) -> None:
        """Serve by other settings, and their models, from the next request on. See app.operating.reload
        for which may differ.

        InvalidConfig leaves everything as it was.
        """
        with self._swapping:
            setup = self.build_setup(settings)
            self._load(setup)
            self.fan_out.configure(setup.limits)
            self.shadows.configure(share=setup.shadow_share, depth=setup.shadow_depth)
        self.pipeline.prepare(self.clock())

    def follow(self, interval_s: float) -> None:
        """From now on pick up changed items and new models, and ask shadows, each in a thread of its own."""
        self.shadows.start()
        self._following.start(interval_s)

    def search(
        self,
        query: Query,
        *,
        start: int = 0,
        size: int = 10,
        plan: str | None = None,
        policy: str | None = None,
        preview: bool = False,
        facets: Sequence[str] = (),
        clock: RequestClock | None = None,
    ) -> Page:
        """Answer and log: see Wanted. The impression is durable when this returns, unless it is a `preview`, which logs
        nothing, or the log cannot be written, which the page says.
        """
        wanted = Wanted(self.in_session(query), start, size, plan, policy, preview, facets)
        with self.gaps.search():
            page = self.answer(wanted, clock)
            return page if preview else replace(page, logged=self.logged(page.impression))

    def in_session(self, query: Query) -> Query:
        """With what its session has engaged with lately, unless it says that itself."""
        return query if query.history else replace(query, history=self.sessions.history(query.session_id))

    def answer(self, wanted: Wanted, clock: RequestClock | None = None) -> Page:
        """The page, of which nobody knows yet: it is not logged. Call it within a search of the `gaps`."""
        check_forced(wanted.plan, wanted.policy, preview=wanted.preview)
        setup, serving = self._started()
        forced = named("plan", setup.plans, wanted.plan) if wanted.plan is not None else None
        if wanted.policy is not None:
            serving = replace(serving, policy=self.policy(wanted.policy), experiment=None)
        clock = clock or RequestClock(setup.request_ms)
        query, start, size = wanted.query, wanted.start, wanted.size
        with self._turns.turn():
            clock.lap("turn")
            answer = conduct(setup.pipeline, query, serving, plan=forced, clock=clock)
            if not wanted.preview:
                answer = setup.rules.swapped(answer, start=start, size=size)
            counted = self.count_facets(query, list(dict.fromkeys(wanted.facets))) if wanted.facets else {}
            impression = answer.impression(start=start, size=size, config=setup.config)
            if not wanted.preview:
                impression = setup.rules.with_sampled(impression, answer, end=start + size)
            clock.lap("page")
        return Page(answer, impression, counted)

    def logged(self, impression: Impression) -> bool:
        """Put it in the log; whether it is there, durably. A log that cannot be written must not take search down."""
        try:
            self.store.append_impression(impression)
        except Unavailable as error:
            log.error("search %s is answered but not logged: %s", impression.query.id, error.message)
            return False
        self.shadows.offer(impression)
        return True

    def record(self, events: Sequence[Feedback]) -> list[Outcome]:
        """Durable when it returns; one outcome per event."""
        outcomes = self.store.append_feedback(events)
        stored = zip(events, outcomes, strict=True)
        self.sessions.add([event for event, outcome in stored if outcome is Outcome.STORED])
        return outcomes

    def put(self, items: Sequence[Item]) -> None:
        """Durable, and visible to every arm, when it returns."""
        self._reach(self.catalogue.put(items))

    def delete(self, item_id: ItemId) -> None:
        """NotFound when there is no such item."""
        if not self.catalogue.delete(item_id):
            raise no_such_item(item_id)
        self._reach(self.catalogue.sequence())

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
            with self._swapping:
                self._load(self.setup)
            self.pipeline.prepare(self.clock())
            log.info("serving release %d", self.serving.release)

    def close(self) -> None:
        self._following.close()
        self.shadows.close()
        if self.ready:
            self.save()
        self.ready = False
        self.store.close()
        self.judgments.close()
        self.catalogue.close()
        for close in self.closers:
            close()

    def save(self) -> None:
        """Put on disk what has changed, if that is worth it: the next start, or another process, begins with it."""
        try:
            if self.saves:
                self.indexer.save(now=True)
        except Exception:  # the next start makes the indexes from the catalogue
            log.exception("the indexes could not be saved")

    def _query(self, text: str) -> Query:
        return Query(id=new_query_id(), text=text, time=self.clock())

    def _started(self) -> tuple[Setup, Serving]:
        """Both by one look, so that they belong together."""
        assert self._now is not None, "not started"
        return self._now

    def _load(self, setup: Setup) -> None:
        with self._swapping:
            self._now = (setup, setup.load_models())
            self.setup = setup

    def _reach(self, number: int) -> None:
        self.indexer.reach(number)
        self.others(number)

    def _refresh(self) -> None:
        self.indexer.follow()
        self.reload()
        if self.saves:
            self.indexer.save()


def new_query_id() -> QueryId:
    return QueryId(uuid.uuid4().hex)


def no_such_item(item_id: ItemId) -> NotFound:
    return NotFound("no_such_item", f"There is no item {item_id!r}.", "Check the id, or PUT the item to /v1/items.")
