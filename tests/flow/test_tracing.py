"""Spans of a search, as a collector gets them over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from small_service import prepared

from app.web.api import create_app
from app.wiring.service import build_service

PARENT = "0af7651916cd43dd8448eb211c80319c"


class Collector(HTTPServer):
    """Takes traces and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.received: list[bytes] = []

    @property
    def spans(self) -> list[Span]:
        found = [ExportTraceServiceRequest.FromString(body) for body in self.received]
        return [
            span for each in found for by in each.resource_spans for scope in by.scope_spans for span in scope.spans
        ]


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_a_search_is_a_span_with_a_child_for_each_stage(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> None:
    endpoint = f"http://127.0.0.1:{collector.server_port}/v1/traces"
    settings = prepared(tmp_path_factory, cache, tracing={"endpoint": endpoint, "share": 1.0})
    with TestClient(create_app(lambda: build_service(settings), settings), base_url="http://127.0.0.1") as http:
        while http.get("/readyz").status_code != 200:
            pass
        headers = {"X-Request-Id": "mine-7", "traceparent": f"00-{PARENT}-b7ad6b7169203331-01"}
        answer = http.post("/v1/search", json={"query": "secret wish"}, headers=headers).json()
    spans = collector.spans
    whole = next(span for span in spans if span.name == "search")
    told = {each.key: each.value for each in whole.attributes}
    assert told["request_id"].string_value == "mine-7"
    assert told["query_id"].string_value == answer["query_id"]
    assert told["arm.lexical.status"].string_value == "ok"
    assert whole.trace_id.hex() == PARENT
    stages = [span for span in spans if span.parent_span_id == whole.span_id]
    assert [span.name for span in stages] == [
        "parse", "turn", "context", "choose", "arms", "union", "features", "rank", "after", "page", "serialise", "log",
    ]  # fmt: skip
    assert stages[0].start_time_unix_nano == whole.start_time_unix_nano
    assert stages[-1].end_time_unix_nano == whole.end_time_unix_nano
    assert not any(b"secret" in body for body in collector.received)
