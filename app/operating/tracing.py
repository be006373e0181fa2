"""Spans of searches for an OpenTelemetry collector, made from the request's clock after the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from app.search.request_clock import RequestClock
from app.settings import Settings
from core.episodes import Impression
from core.errors import InvalidConfig
from core.seeds import uniform


class Traces:
    """A span per traced search, a child per stage. Nothing is done for it while the search runs."""

    def __init__(self, endpoint: str, *, share: float) -> None:
        """`endpoint`: OTLP over HTTP. A thread of the library sends in batches, and drops what it cannot send."""
        # Here, because without an endpoint they need not be installed.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = TracerProvider(resource=Resource.create({"service.name": "bowerbird"}), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
        self._tracer = self._provider.get_tracer("bowerbird")
        self._inside = set_span_in_context
        self._caller = TraceContextTextMapPropagator().extract
        self._share = share

    def searched(
        self, impression: Impression, clock: RequestClock, *, request_id: str, headers: Mapping[str, str]
    ) -> None:
        """Call it after the last lap. A `traceparent` among the headers becomes the parent."""
        if uniform(0, "trace", impression.query.id) >= self._share:
            return
        started = time.time_ns() - int((time.perf_counter() - clock.began) * 1e9)

        def at(moment: float) -> int:
            return started + int((moment - clock.began) * 1e9)

        parent = self._caller(dict(headers))
        whole = self._tracer.start_span(
            "search", context=parent, start_time=started, attributes=_attributes(impression, request_id)
        )
        inside = self._inside(whole)
        for stage, began, ended in clock.laps:
            self._tracer.start_span(stage, context=inside, start_time=at(began)).end(at(ended))
        whole.end(at(clock.laps[-1][2]))

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


def open_traces(settings: Settings) -> Traces | None:
    """None without an endpoint; InvalidConfig when the libraries are missing."""
    wanted = settings.tracing
    if not wanted.endpoint:
        return None
    try:
        return Traces(wanted.endpoint, share=wanted.share)
    except ImportError as error:
        raise InvalidConfig(
            "no_tracing",
            f"tracing.endpoint is {wanted.endpoint!r}, and {error.name} is not installed.",
            "Run `pip install 'bowerbird[tracing]'`, or leave the endpoint empty.",
        ) from None


def _attributes(impression: Impression, request_id: str) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "query_id": impression.query.id,
        "plan": impression.choice.plan.name,
        "policy": impression.choice.policy,
        "release": impression.release,
        "degraded": impression.degraded,
        **{f"arm.{arm}.status": report.status.value for arm, report in impression.arms.items()},
        **{f"arm.{arm}.took_ms": report.took_ms for arm, report in impression.arms.items()},
    }
