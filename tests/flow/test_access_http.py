"""Who may call what: the scopes beside the routes, limits per key, headers, and what strangers get."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from http_service import served
from http_words import event, refused, search
from small_service import prepared

from app.routes import RESOURCES
from app.settings import Settings, load_settings
from app.studio.pages import HEADERS, PAGES
from app.web.access import scope_of
from app.web.api import create_app
from app.web.keys import SCOPES, Keys

PUBLIC = {"/livez", "/readyz", "/assets/bowerbird.js"}
ROUTES = [route for resource in RESOURCES for route in resource.router.routes if isinstance(route, APIRoute)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    return prepared(tmp_path_factory, cache)


@pytest.fixture(scope="module")
def tokens(settings: Settings) -> dict[str, str]:
    """A token by scope."""
    return {scope: Keys(settings.data_dir).create([scope])[1] for scope in SCOPES}


@pytest.fixture(scope="module")
def url(settings: Settings, tokens: dict[str, str]) -> Iterator[str]:
    with served(settings) as (url, _):
        yield url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def asked(app: FastAPI, method: str, path: str, **given: Any) -> httpx.Response:
    """The answer of an application that serves nothing yet: what comes before a service is ready."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.request(method, path, **given)

    return asyncio.run(ask())


def application(folder: Path, **overrides: Any) -> FastAPI:
    made = load_settings(overrides={"service": {"data_dir": str(folder)}, **overrides})
    return create_app(lambda: pytest.fail("nobody starts it"), made)


def test_every_route_but_those_of_health_needs_a_scope() -> None:
    assert {route.path for route in ROUTES if scope_of(route) is None} == PUBLIC
    assert {scope_of(route) for route in ROUTES} == {None, *SCOPES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{'/'.join(route.methods)} {route.path}")
def test_a_key_opens_the_routes_of_its_scopes_only(route: APIRoute, http: httpx.Client, tokens: dict[str, str]) -> None:
    (method,), path = route.methods, route.path.replace("{item_id:path}", "no-such-item")
    scope = scope_of(route)
    documented = http.get("/openapi.json").json()["paths"][route.path.replace(":path", "")][method.lower()]
    assert documented.get("security") == ([{"key": [scope]}] if scope else None)
    # A broken body: whoever may not call learns nothing about what it should be.
    given = {"content": b"{", "headers": {"content-type": "application/json"}}
    answers = {each: http.request(method, path, **given | {"headers": bearer(tokens[each])}) for each in SCOPES}
    without = http.request(method, path, **given)
    if scope is None:
        assert {answer.status_code for answer in (without, *answers.values())} == {200}
        return
    error = refused(without, 401, "key_missing")
    assert without.headers["www-authenticate"] == "Bearer"
    assert "bowerbird keys create" in error["remedy"]
    refused(http.request(method, path, headers=bearer("bb_00000000_" + "0" * 64)), 401, "key_unknown")
    for other, answer in answers.items():
        if other == scope:
            assert answer.status_code not in (401, 403)
        else:
            refused(answer, 403, "scope_missing")


def test_a_search_and_its_feedback_with_keys(http: httpx.Client, tokens: dict[str, str]) -> None:
    http.headers = httpx.Headers(bearer(tokens["search"]))
    answer = search(http, "love")
    click = event(answer, answer["hits"][0]["id"])
    assert http.post("/v1/events", json=click, headers=bearer(tokens["events"])).json()["stored"] == 1


def test_a_revoked_key_is_refused_at_once(http: httpx.Client, settings: Settings) -> None:
    keys = Keys(settings.data_dir)
    key, token = keys.create(["search"])
    assert http.post("/v1/search", json={"query": "love"}, headers=bearer(token)).status_code == 200
    keys.revoke(key.id)
    refused(http.post("/v1/search", json={"query": "love"}, headers=bearer(token)), 401, "key_unknown")


def test_too_many_requests_of_one_key_wait_and_others_do_not(
    http: httpx.Client, settings: Settings, tokens: dict[str, str]
) -> None:
    _, slow = Keys(settings.data_dir).create(["search"], rate=0.1, burst=3)
    body = {"query": "love", "preview": True}
    answers = [http.post("/v1/search", json=body, headers=bearer(slow)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    refused(answers[-1], 429, "too_often")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    assert http.post("/v1/search", json=body, headers=bearer(tokens["search"])).status_code == 200
    metrics = http.get("/metrics", headers=bearer(tokens["admin"])).text
    assert 'bowerbird_refused_total{code="too_often"} 2.0' in metrics


def test_the_configured_rate_holds_for_keys_without_one(tmp_path: Path) -> None:
    _, token = Keys(tmp_path).create(["search"])
    app = application(tmp_path, limits={"requests_per_s": 0.01, "burst": 1})
    statuses = [asked(app, "POST", "/v1/search", json={}, headers=bearer(token)).status_code for _ in range(2)]
    assert statuses[1] == 429 != statuses[0]


def test_without_keys_only_this_machine_is_answered(tmp_path: Path) -> None:
    app = application(tmp_path)
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080"):
        assert asked(app, "GET", "/metrics", headers={"host": host}).status_code == 503  # not ready, but let in
    error = refused(asked(app, "GET", "/metrics", headers={"host": "evil.example"}), 403, "strange_host")
    assert "evil.example" in error["message"]


def test_on_other_addresses_no_keys_means_no_access(tmp_path: Path) -> None:
    app = application(tmp_path, service={"data_dir": str(tmp_path), "host": "0.0.0.0"})
    refused(asked(app, "GET", "/metrics"), 401, "key_missing")


def test_metrics_can_be_opened(tmp_path: Path) -> None:
    Keys(tmp_path).create(["admin"])
    refused(asked(application(tmp_path), "GET", "/metrics"), 401, "key_missing")
    opened = application(tmp_path, security={"open_metrics": True})
    refused(asked(opened, "GET", "/metrics"), 503, "not_ready")
    refused(asked(opened, "GET", "/v1/memory"), 401, "key_missing")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/livez", 200), ("POST", "/v1/search", 401), ("GET", "/nothing", 404), ("GET", "/docs", 200)],
)
def test_every_answer_has_the_security_headers(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_a_body_that_is_too_large_has_them_too(http: httpx.Client, tokens: dict[str, str]) -> None:
    answer = http.post("/v1/events", content=b"x" * 3_000_000, headers=bearer(tokens["events"]))
    refused(answer, 413, "body_too_large")
    assert answer.headers["x-content-type-options"] == "nosniff"


PREFLIGHT = {
    "origin": "https://shop.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, content-type",
}


def test_web_pages_may_not_call_unless_they_are_named(tmp_path: Path) -> None:
    off = application(tmp_path)
    for answer in (
        asked(off, "OPTIONS", "/v1/search", headers=PREFLIGHT),
        asked(off, "GET", "/livez", headers=PREFLIGHT),
    ):
        assert [name for name in answer.headers if name.startswith("access-control")] == []
    on = application(tmp_path, security={"cors_origins": ["https://shop.example"]})
    answer = asked(on, "OPTIONS", "/v1/search", headers=PREFLIGHT)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://shop.example")
    assert "access-control-allow-credentials" not in answer.headers
    stranger = asked(on, "OPTIONS", "/v1/search", headers=PREFLIGHT | {"origin": "https://evil.example"})
    assert stranger.status_code == 400
    assert "access-control-allow-origin" not in stranger.headers


def test_pages_hold_no_data_and_are_open(http: httpx.Client) -> None:
    for page in PAGES:
        shell = http.get(page.path)
        assert shell.status_code == 200
        assert shell.headers.get_list("content-security-policy") == [HEADERS["Content-Security-Policy"]]
    refused(http.get("/v1/insights/learning"), 401, "key_missing")
