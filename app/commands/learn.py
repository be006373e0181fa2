"""bowerbird learn: the learner as a process of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from threading import Event
from typing import Annotated

import typer

from app.commands.common import Json, invocation, print_json, remarks
from app.settings import Settings
from core.errors import Unavailable
from feedback.leader import Leader

_TURN_S = 0.5
_NICENESS = 10  # beside a service: search comes first. No more, because the learner holds locks of the log at times


def learn(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Learn from what is logged, then stop.")] = False,
    parent: Annotated[int | None, typer.Option(hidden=True, help="Stop when this process is gone.")] = None,
    as_json: Json = False,
) -> None:
    """Join impressions with feedback, learn, and publish new models, again and again.

    `bowerbird serve` starts one itself unless service.learner is false. Of several that work on the same data, one
    learns, and another takes over when it is gone.
    """
    from app.operating.logs import configure_logging
    from app.wiring.stores import open_leader

    if parent is not None:
        os.nice(_NICENESS)
    called = invocation(context)
    settings = called.settings()
    configure_logging(settings, verbose=called.verbose)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def ended() -> bool:
        return stop.is_set() or (parent is not None and os.getppid() != parent)

    leader = open_leader(settings)
    try:
        if _leads(leader, stop, ended):
            _learn(settings, leader, stop, ended, once=once, as_json=as_json)
    finally:
        leader.close()


def _learn(
    settings: Settings, leader: Leader, stop: Event, ended: Callable[[], bool], *, once: bool, as_json: bool
) -> None:
    """Step by step until it ends. Unavailable when another may have taken the lead: two must not publish in turn."""
    from app.learning.learner_state import LearnerState, write_state
    from app.learning.troubles import Troubles
    from app.operating.erasure import ForgettingLoop
    from app.operating.retention import Retention
    from app.wiring.insights import build_insights
    from app.wiring.learning import build_watch
    from app.wiring.stores import open_store

    watch = build_watch(settings)
    loop = ForgettingLoop(settings, wait=once, watch=watch, beside=lambda: [build_insights(settings)])
    retention = Retention(open_store(settings), settings.retention.days)
    troubles, episodes = Troubles(settings.data_dir), 0
    try:
        while not ended():
            if not leader.leads():
                raise Unavailable("lead_lost", "This learner leads no more.", "Start it again; it waits for its turn.")
            began = time.time()
            step = loop.step(began)
            troubles.note(step, now=time.time())
            episodes += step.episodes
            write_state(settings.data_dir, LearnerState(began, episodes, watch.figures(began)))
            retention.step(began)
            if as_json:
                release = step.published.number if step.published else None
                print_json(
                    {
                        "episodes": step.episodes,
                        "late": step.late,
                        "capped": step.capped,
                        "release": release,
                        "failed": step.failed,
                    }
                )
            if once:
                break
            stop.wait(settings.learner.interval_s)
    finally:
        retention.close()
        loop.close()


def _leads(leader: Leader, stop: Event, ended: Callable[[], bool]) -> bool:
    """Wait for the learner that leads to be gone. False when this one has to end before."""
    told = False
    while not ended():
        if leader.lead():
            return True
        if not told:
            remarks.print("Another learner works on this data; waiting for it to end.")
            told = True
        stop.wait(_TURN_S)
    return False
