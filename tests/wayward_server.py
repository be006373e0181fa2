"""A real HTTP server between a client and a service, which does to each request what the test has planned for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx


@dataclass(frozen=True)
class Forward:
    """Hand it to the service, and hand back the answer; or `kill` the connection instead."""

    kill: bool = False


@dataclass(frozen=True)
class Kill:
    """Close the connection without an answer."""


@dataclass(frozen=True)
class Hang:
    seconds: float


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


Act = Forward | Kill | Hang | Answer


@dataclass
class Seen:
    """The requests that arrived: when, with what headers and body."""

    url: str = ""
    times: list[float] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def wait_for(self, requests: int) -> bool:
        until = time.monotonic() + 5
        while len(self.bodies) < requests and time.monotonic() < until:
            time.sleep(0.01)
        return len(self.bodies) >= requests


@contextmanager
def wayward(service: str, acts: Sequence[Act]) -> Iterator[Seen]:
    """One act per request, in order; after the last one, requests are forwarded."""
    seen = Seen()
    planned = iter(acts)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            seen.times.append(time.monotonic())
            seen.headers.append({name.lower(): value for name, value in self.headers.items()})
            seen.bodies.append(self.rfile.read(int(self.headers.get("content-length", 0))))
            match next(planned, Forward()):
                case Answer(status, body, headers):
                    self._reply(status, body, headers)
                case Forward(kill):
                    answer = self._forwarded()
                    self._end() if kill else self._reply(answer.status_code, answer.content, {})
                case Hang(seconds):
                    time.sleep(seconds)
                    self._end()
                case Kill():
                    self._end()

        do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815

        def _forwarded(self) -> httpx.Response:
            kind = {"content-type": self.headers.get("content-type", "application/json")}
            return httpx.request(self.command, service + self.path, content=seen.bodies[-1], headers=kind, timeout=30)

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _end(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    seen.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
