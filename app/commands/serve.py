"""bowerbird serve: the HTTP service, with its learner beside it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.common import Invocation, invocation, remarks
from app.settings import Settings
from core.errors import InvalidConfig

if TYPE_CHECKING:
    from app.web.keys import Keys

log = logging.getLogger(__name__)
_RESTART_S = 5.0


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Instead of the configured service.host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Instead of service.port; 0: any free one.")
    ] = None,
) -> None:
    """Serve search, feedback and the catalogue over HTTP until stopped.

    SIGTERM: not ready first, then requests on their way are finished. SIGHUP, or a change of the configuration's file:
    it is read again.
    """
    from app.operating.interpreter import for_searching
    from app.operating.logs import configure_logging
    from app.operating.reload import ConfigWatch
    from app.web.api import create_app
    from app.web.keys import Keys, check_bind
    from app.web.listening import listen
    from app.web.server import GracefulServer
    from app.wiring.named import check_named
    from app.wiring.service import build_service

    called = invocation(context)
    service = {name: value for name, value in (("host", host), ("port", port)) if value is not None}

    def read() -> Settings:
        found = called.settings({"service": service})
        check_named(found)
        return found

    settings = read()
    configure_logging(settings, verbose=called.verbose)
    for_searching()
    keys = Keys(settings.data_dir)
    if settings.security.first_key and keys.read() is None:
        _make_first_key(keys)
    check_bind(settings.service.host, keys)
    sockets = listen(settings.service.host, settings.service.port)
    application = create_app(lambda: build_service(settings), settings)
    server = GracefulServer(application, drain_s=lambda: application.state.settings.service.drain_s)
    learner = LearnerChild(called)
    files = [called.config] if called.config else []
    watch = ConfigWatch(application, read, files, learner.restart, called.verbose)
    signal.signal(signal.SIGHUP, lambda *_: watch.ask())
    if settings.service.learner:
        learner.start()
    watch.start(settings.service.reload_s)
    bound = sockets[0].getsockname()[1]
    remarks.print(f"Bowerbird at http://{settings.service.host}:{bound} (a studio; its API: /docs)")
    try:
        server.run(sockets)
    finally:
        watch.close()
        learner.close()
    if isinstance(application.state.failure, InvalidConfig):
        raise application.state.failure


def _make_first_key(keys: Keys) -> None:
    from app.web.keys import SCOPES

    _, token = keys.create(SCOPES, name="first")
    remarks.print(f"The first API key, for everything, shown this once: {token}", highlight=False, soft_wrap=True)


class LearnerChild:
    """The learner as a child process, started again when it ends: a crash in it never touches search."""

    def __init__(self, called: Invocation) -> None:
        self._command = [sys.executable, "-m", "app.cli", *called.arguments(), "learn", "--parent", str(os.getpid())]
        self._stop, self._again = Event(), Event()
        self._thread = Thread(target=self._keep, name="learner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def restart(self) -> None:
        """End it and start it anew, so that it reads the configuration again."""
        self._again.set()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while not self._stop.is_set():
            self._again.clear()
            child = subprocess.Popen(self._command, process_group=0)  # Ctrl-C is for the service, which ends it
            while child.poll() is None and not self._again.is_set() and not self._stop.wait(0.2):
                pass
            if child.poll() is None:
                child.terminate()
                child.wait()
            elif not self._stop.is_set():
                log.error("the learner ended with status %s; starting it again in %s s", child.returncode, _RESTART_S)
                self._stop.wait(_RESTART_S)
