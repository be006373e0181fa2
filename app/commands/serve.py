"""bowerbird serve: the HTTP service, with its learner beside it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from threading import Event, Thread
from typing import Annotated

import typer

from app.commands.common import Invocation, invocation, remarks

log = logging.getLogger(__name__)
_RESTART_S = 5.0


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Instead of the configured service.host.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Instead of service.port.")] = None,
) -> None:
    """Serve search, feedback and the catalogue over HTTP until stopped."""
    import uvicorn

    from app.api import create_app
    from app.wiring.service import build_service

    called = invocation(context)
    service = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = called.settings({"service": service})
    application = create_app(lambda: build_service(settings), settings)
    stop = Event()
    learner = Thread(target=_keep_learning, args=(called, stop), name="learner", daemon=True)
    if settings.service.learner:
        learner.start()
    remarks.print(f"Bowerbird at http://{settings.service.host}:{settings.service.port} (its API: /docs)")
    try:
        uvicorn.run(application, host=settings.service.host, port=settings.service.port, log_level="warning")
    finally:
        stop.set()
        if learner.is_alive():
            learner.join()


def _keep_learning(called: Invocation, stop: Event) -> None:
    """Run the learner as a child process, and start it again when it ends: a crash in it never touches search."""
    command = [sys.executable, "-m", "app.cli", *called.arguments(), "learn", "--parent", str(os.getpid())]
    while not stop.is_set():
        child = subprocess.Popen(command)
        while child.poll() is None and not stop.wait(0.2):
            pass
        if child.poll() is None:
            child.terminate()
            child.wait()
        elif not stop.is_set():
            log.error("the learner ended with status %s; starting it again in %s s", child.returncode, _RESTART_S)
            stop.wait(_RESTART_S)
