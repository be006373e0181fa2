"""A kept-alive HTTP connection that costs the asking side little: it shares its cores with the service."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_TIMEOUT_S = 30.0
_END = b"\r\n\r\n"


class Connection:
    """POSTs of JSON one after another, opened when first needed. Reads answers that say how long they are.

    After an OSError the next `post` connects anew.
    """

    def __init__(self, url: str) -> None:
        """`url` with host and port, `http://127.0.0.1:8080`."""
        where = urlsplit(url)
        self._to = (where.hostname or "", where.port or 80)
        self._head = f"Host: {where.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
        self._socket: socket.socket | None = None

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body. OSError when there is no connection, or it breaks."""
        try:
            to = self._opened()
            to.sendall(f"POST {path} HTTP/1.1\r\n{self._head}{len(body)}\r\n\r\n".encode() + body)
            return self._answer(to)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _opened(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._to, timeout=_TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _answer(self, of: socket.socket) -> tuple[int, bytes]:
        read = b""
        while _END not in read:
            read += _more(of)
        head, _, body = read.partition(_END)
        lines = head.decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        parts, missing = [body], int(headers["content-length"]) - len(body)
        while missing > 0:
            parts.append(_more(of))
            missing -= len(parts[-1])
        if headers.get("connection") == "close":
            self.close()
        return int(lines[0].split()[1]), b"".join(parts)


def _more(of: socket.socket) -> bytes:
    if not (got := of.recv(65_536)):
        raise ConnectionError("closed before the answer was complete")
    return got
