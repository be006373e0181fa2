"""The port of the service: taken before anybody is told of it, so that one that another program has is a sentence."""

from __future__ import annotations

import errno
import socket

from core.errors import InvalidConfig, Unavailable


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen, one for each address of the host, all on the same port; 0 is any that is free.

    Unavailable when another program has the port, InvalidConfig when this machine has no such address.
    """
    listening: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, (address, _, *scope) in found:
            listening.append(socket.create_server((address, port, *scope), family=family))
            port = listening[0].getsockname()[1]
    except OSError as error:
        for each in listening:
            each.close()
        raise _refusal(host, port, error) from None
    return listening


def _refusal(host: str, port: int, error: OSError) -> InvalidConfig | Unavailable:
    if error.errno == errno.EADDRINUSE:
        remedy = "Name another one with --port, or 0 for any that is free."
        return Unavailable("port_taken", f"Port {port} is taken.", remedy)
    why = str(error.strerror).partition(" (while ")[0]  # Python adds what is said here, too
    return InvalidConfig(
        "cannot_listen",
        f"Cannot listen on {host!r}, port {port}: {why}.",
        "Give an address of this machine with --host or service.host, and a port that you may use.",
    )
