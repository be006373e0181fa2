"""What can go wrong, as exceptions. Those of the service carry its `code`, `message` and `remedy`."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx


class BowerbirdError(Exception):
    """Any failure of a call."""


class BadAnswer(BowerbirdError):
    """What answered does not speak like Bowerbird; a proxy, perhaps."""


class Unreachable(BowerbirdError):
    """No answer, or half of one. Whether the call took effect is not known; it can be repeated."""


class TimedOut(Unreachable):
    """No answer in time."""


class Problem(BowerbirdError):
    """The service's refusal: `code` is for programs, `message` and `remedy` for people, `body` all that it said."""

    def __init__(self, status: int, body: dict[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.code = str(body.get("code", f"http_{status}"))
        self.message = str(body.get("message", f"HTTP status {status}."))
        self.remedy = str(body.get("remedy", ""))
        self.body = body
        self.retry_after_s = retry_after_s
        super().__init__(f"{self.message} {self.remedy}".strip())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.body, self.retry_after_s)


class Invalid(Problem):
    """400, 422: a value that cannot be used."""


class Unauthorized(Problem):
    """401: no API key, or an unknown one."""


class Forbidden(Problem):
    """403: the key lacks the scope."""


class NotFound(Problem):
    """404: no such thing."""


class Conflict(Problem):
    """409: the id was used before for something else."""


class TooLarge(Problem):
    """413: more than one request may carry. Lower the client's `limits`."""


class TooOften(Problem):
    """429: more requests than the key may make."""


class Unavailable(Problem):
    """502, 503, 504: not now."""


_KINDS: dict[int, type[Problem]] = {
    400: Invalid, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 413: TooLarge, 422: Invalid,
    429: TooOften, 502: Unavailable, 503: Unavailable, 504: Unavailable,
}  # fmt: skip


def problem_of(response: httpx.Response) -> Problem:
    """The exception for an answer that is no success."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {"message": f"HTTP status {response.status_code}: {response.text[:200]}"}
    retry_after_s = seconds_of(response.headers.get("retry-after"))
    return _KINDS.get(response.status_code, Problem)(response.status_code, body, retry_after_s)


def seconds_of(retry_after: str | None) -> float | None:
    """Retry-After in seconds from now (RFC 9110, 10.2.3: so many seconds, or a date); None for none and nonsense."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            date = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
