"""What operating the service needs: a disk that takes writes, saved indexes, a learner that keeps up."""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import httpx

from app.learning.learner_state import read_state
from app.operating.findings import Finding
from app.settings import Settings
from app.wiring.limits import arm_limits
from core.errors import BowerbirdError

_BEHIND_S = 60.0
_LEAST_EFFECTIVE = 100.0


def operations(settings: Settings) -> Iterator[Finding]:
    """One finding per part."""
    yield _writable(settings)
    yield _deadlines(settings)
    yield _indexes(settings)
    running = _running(settings)
    yield _service(settings, running)
    yield from _learner(settings, up=running is not None)
    yield _tracing(settings)
    days = settings.retention.days
    yield Finding("retention", "ok", f"{days:g} days are kept." if days else "everything is kept.")


def _writable(settings: Settings) -> Finding:
    try:
        with tempfile.NamedTemporaryFile(dir=settings.data_dir) as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        why = error.strerror or str(error)
        return Finding("disk", "broken", f"{settings.data_dir} takes no writes: {why}. Events are refused.")
    return Finding("disk", "ok", f"{settings.data_dir} takes writes.")


def _deadlines(settings: Settings) -> Finding:
    try:
        limits = arm_limits(settings)
    except BowerbirdError as error:
        return Finding("deadlines", "broken", str(error))
    longest = max(limits.values(), key=lambda limit: limit.deadline_ms).deadline_ms
    if longest > settings.degradation.request_ms:
        message = f"an arm may take {longest:g} ms, a request {settings.degradation.request_ms:g}: the latter counts."
        return Finding("deadlines", "waits", message)
    return Finding("deadlines", "ok", f"arms {longest:g} ms at most, requests {settings.degradation.request_ms:g} ms.")


def _indexes(settings: Settings) -> Finding:
    named = (path.name.rpartition("-")[2] for path in (settings.data_dir / "indexes").glob("*-*"))
    saved = [int(number) for number in named if number.isdecimal()]
    if saved:
        return Finding("indexes", "ok", f"saved up to change {max(saved)} of the catalogue.")
    return Finding("indexes", "waits", "none are saved; the next start makes them from the catalogue.")


def _running(settings: Settings) -> dict[str, Any] | None:
    """What the running service says of itself; None when none does."""
    host = "127.0.0.1" if settings.service.host == "0.0.0.0" else settings.service.host
    try:
        said = httpx.get(f"http://{host}:{settings.service.port}/healthz", timeout=1.0).json()
    except (httpx.HTTPError, ValueError):
        return None
    return said if isinstance(said, dict) and "arms" in said else None


def _service(settings: Settings, said: dict[str, Any] | None) -> Finding:
    if said is None:
        return Finding("service", "waits", f"none on port {settings.service.port}; `bowerbird serve` starts it.")
    left = {name: arm for name, arm in said["arms"].items() if arm["circuit"] != "closed" or arm["stuck"]}
    if left:
        told = ", ".join(f"{name} ({arm['circuit']}, {arm['stuck']} stuck)" for name, arm in left.items())
        return Finding("service", "broken", f"it answers without these arms: {told}. Its log says why.")
    if said["needs_restart"]:
        waiting = ", ".join(said["needs_restart"])
        return Finding("service", "waits", f"it runs, and takes these settings at its next start: {waiting}.")
    same = "" if said["config"] == settings.hash else f", with configuration {said['config']} and not {settings.hash}"
    return Finding("service", "ok", f"it runs, with {said['items']} items and release {said['release']}{same}.")


def _learner(settings: Settings, *, up: bool) -> Iterator[Finding]:
    state = read_state(settings.data_dir)
    if state is None:
        yield Finding("learner", "waits", "it has not run yet; `bowerbird serve` starts it, or `bowerbird learn`.")
        return
    lag = max(0.0, time.time() - state.caught_up)
    if lag > _BEHIND_S:
        message = f"it last had learned from everything {lag:,.0f} s ago."
        yield Finding("learner", "broken" if up else "waits", f"{message} Look at its log, or start it.")
    else:
        yield Finding("learner", "ok", f"it had learned from everything {lag:.0f} s ago, {state.episodes} searches.")
    found = state.figures
    if "value" in found:
        worth = found["effective_sample_size"]
        interval = f"{found['value']:.3f} ({found['value_low']:.3f} to {found['value_high']:.3f})"
        message = f"{interval} reward per search; {found['rows']:.0f} searches are worth {worth:.0f} for it."
        yield Finding("policy value", "ok" if worth >= _LEAST_EFFECTIVE else "waits", message)


def _tracing(settings: Settings) -> Finding:
    endpoint = settings.tracing.endpoint
    if not endpoint:
        return Finding("tracing", "ok", "off; stages are in /metrics all the same.")
    if importlib.util.find_spec("opentelemetry") is None:
        return Finding("tracing", "broken", "its libraries are missing: pip install 'bowerbird[tracing]'.")
    try:
        httpx.get(endpoint, timeout=1.0)  # it may refuse a GET; that it answers is enough
    except httpx.HTTPError as error:
        return Finding("tracing", "broken", f"{endpoint} does not answer ({error}); spans are dropped meanwhile.")
    return Finding("tracing", "ok", f"spans of {settings.tracing.share:.0%} of the searches go to {endpoint}.")
