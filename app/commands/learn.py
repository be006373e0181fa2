"""bowerbird learn: the learner as a process of its own."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from threading import Event
from typing import Annotated

import typer

from app.commands.common import Json, invocation, print_json, remarks


def learn(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Learn from what is logged, then stop.")] = False,
    parent: Annotated[int | None, typer.Option(hidden=True, help="Stop when this process is gone.")] = None,
    as_json: Json = False,
) -> None:
    """Join impressions with feedback, learn, and publish new models, again and again.

    `bowerbird serve` starts one itself unless service.learner is false. Only one at a time works on a data directory.
    """
    from app.wiring.learning import build_learning

    settings = invocation(context).settings()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "learner.lock").open("w") as lock:
        _wait_for(lock.fileno(), stop)
        loop = build_learning(settings)
        try:
            while not stop.is_set():
                step = loop.step(time.time())
                if as_json:
                    release = step.published.number if step.published else None
                    print_json({"episodes": step.episodes, "late": step.late, "release": release})
                if once or (parent is not None and os.getppid() != parent):
                    break
                stop.wait(settings.learner.interval_s)
        finally:
            loop.close()


def _wait_for(descriptor: int, stop: Event) -> None:
    """Take the lock when the learner that holds it is gone."""
    told = False
    while not stop.is_set():
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                remarks.print("Another learner works on this data directory; waiting for it to end.")
                told = True
            stop.wait(1.0)
