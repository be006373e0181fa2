"""Errors that tell the value, what is allowed, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType


class BowerbirdError(Exception):
    """Something the caller can mend. `code` is stable and for programs, `message` and `remedy` are for people."""

    status = 400
    headers: Mapping[str, str] = MappingProxyType({})  # of the HTTP answer

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.code = code
        self.message = message
        self.remedy = remedy


class InvalidInput(BowerbirdError):
    """A value that cannot be used."""

    status = 422


class Unauthorized(BowerbirdError):
    """Nobody has said who asks, or nobody that is known."""

    status = 401
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class Forbidden(BowerbirdError):
    """Who asks is known, and may not do this."""

    status = 403


class NotFound(BowerbirdError):
    """A name or id that does not exist."""

    status = 404


class Conflict(BowerbirdError):
    """The same id was used before for something else."""

    status = 409


class TooMany(BowerbirdError):
    """More entries than one request may carry."""

    status = 413

    def __init__(self, sent: int, limit: int) -> None:
        super().__init__("too_many", f"{sent} entries in one request; at most {limit}.", "Send several requests.")


class TooOften(BowerbirdError):
    """More requests than were agreed; after `seconds` there is room for one."""

    status = 429

    def __init__(self, code: str, message: str, remedy: str, *, seconds: int) -> None:
        super().__init__(code, message, remedy)
        self.headers = {"Retry-After": str(seconds)}


class Unavailable(BowerbirdError):
    """The service cannot do this now, and the caller did nothing wrong."""

    status = 503


class InvalidConfig(BowerbirdError):
    """The configuration cannot be used; raised at start, never while serving."""


class CorruptModel(BowerbirdError):
    """A stored model does not have the content its manifest promises."""


def unknown(what: str, value: str, allowed: Iterable[str]) -> str:
    """One sentence for an unknown name: the value, the nearest match and the allowed names."""
    names = sorted(allowed)
    near = difflib.get_close_matches(value, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"Unknown {what} {value!r}.{hint} Allowed: {', '.join(names) or 'none'}."
