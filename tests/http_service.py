"""A real service behind a real HTTP server, in a thread of the test's process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from bowerbird_client import Client

from app.service import Service
from app.settings import Settings
from app.web.api import create_app
from app.wiring.service import build_service

Running = tuple[str, Callable[[], Service]]


@contextmanager
def served(settings: Settings) -> Iterator[Running]:
    """The URL of a ready service, and the service behind it."""
    application = create_app(lambda: build_service(settings), settings)
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning", server_header=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with Client(url) as client:
            client.wait_until_ready(240)
        yield url, lambda: application.state.service
    finally:
        server.should_exit = True
        thread.join()
