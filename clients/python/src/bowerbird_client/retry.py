"""When a call is made again. It is written once, as a conversation that either client holds."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import httpx

from bowerbird_client.errors import BowerbirdError, Problem, TimedOut, TooOften, Unavailable, Unreachable, problem_of

T = TypeVar("T")
_LOST = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


@dataclass(frozen=True, slots=True)
class Retry:
    """At most `attempts`, none begun later than `total_s` after the first.

    Between them a random time between 0 and base_s * 2^(n-1), at most cap_s ("full jitter": M. Brooker, Exponential
    Backoff And Jitter, 2015), on top of what the service's Retry-After asks for.
    """

    attempts: int = 4
    base_s: float = 0.1
    cap_s: float = 5.0
    total_s: float = 30.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.base_s, self.cap_s, self.total_s) < 0:
            raise ValueError(f"{self}: at least one attempt, and no negative times; Retry(attempts=1) never repeats")

    def wait_s(self, attempt: int, error: BowerbirdError, draw: float) -> float | None:
        """Seconds until the attempt after `attempt` (1 is the first), `draw` being uniform in [0, 1); None: no more."""
        if attempt >= self.attempts or not isinstance(error, (Unreachable, TooOften, Unavailable)):
            return None
        asked = error.retry_after_s if isinstance(error, Problem) else None
        return (asked or 0.0) + draw * min(self.cap_s, self.base_s * 2.0 ** (attempt - 1))


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, without host and key."""

    method: str
    path: str
    content: bytes | None = None
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


Step: TypeAlias = Call | Wait
# To a Call the answer, or why there is none; to a Wait nothing.
Reply: TypeAlias = httpx.Response | httpx.TransportError | None
Conversation: TypeAlias = Generator[Step, Reply, T]


def exchange(call: Call, retry: Retry) -> Conversation[httpx.Response]:
    """The successful answer to the call, which may be made several times: every call of this API can be repeated.

    Events and judgments count once per id, items are replaced by themselves, and a search whose answer was lost was
    refused or is in the log as any that nobody clicks.
    """
    started = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        reply = yield call
        if isinstance(reply, httpx.Response) and reply.is_success:
            return reply
        error = _error(call, reply)
        seconds = retry.wait_s(attempt, error, random.random())
        if seconds is None or time.monotonic() - started + seconds > retry.total_s:
            raise error
        yield Wait(seconds)


def _error(call: Call, reply: Reply) -> BowerbirdError:
    if isinstance(reply, httpx.Response):
        return problem_of(reply)
    words = f"{call.method} {call.path}: {type(reply).__name__} {reply}".strip()
    kind = TimedOut if isinstance(reply, httpx.TimeoutException) else Unreachable
    error = kind(words) if isinstance(reply, _LOST) else BowerbirdError(words)
    error.__cause__ = reply
    return error
