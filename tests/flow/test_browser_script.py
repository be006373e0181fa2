"""The browser script in a real Chromium, on a page of the service's own address and on one of another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_words import event, search
from playwright.sync_api import Browser, Page, Request
from wayward_server import Answer, wayward

from app.service import Service
from core.episodes import Feedback
from core.types import QueryId

Running = tuple[str, Callable[[], Service]]
_SHOP = "/shop.html"
_PAGE = """<!doctype html><title>Shop</title><link rel="icon" href="data:,">
<script src="{script}/assets/bowerbird.js"></script>
<style>li {{ height: 200px }} #far {{ margin-top: 5000px }}</style>
<ol data-bowerbird-query-id="{query_id}">
  <li data-bowerbird-item="{first}" data-bowerbird-position="1"><a href="{script}/livez" id="link">first</a></li>
  <li data-bowerbird-item="{second}" data-bowerbird-position="2" id="far"><b id="deep">second</b></li>
</ol><p id="outside">no result</p>
<script>window.tracker = bowerbird.track({options})</script>"""


class Shop:
    """A search, and a page of its first two results."""

    def __init__(self, http: httpx.Client, running: Running, browser: Browser) -> None:
        self._url, self._service = str(http.base_url), running[1]
        answer = search(http, "love", size=2)
        self.query_id = QueryId(answer["query_id"])
        self.shown = [hit["id"] for hit in answer["hits"]]
        self.page: Page = browser.new_context(viewport={"width": 800, "height": 600}).new_page()
        self.requests: list[Request] = []
        self.errors: list[Any] = []
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("pageerror", lambda error: self.errors.append(error))

    def html(self, *, script: str = "", **options: Any) -> str:
        first, second = self.shown
        return _PAGE.format(
            script=script, query_id=self.query_id, first=first, second=second, options=json.dumps(options)
        )

    def open(self, **options: Any) -> Page:
        """The shop's page, at the service's own address."""
        text = self.html(**options)
        self.page.route(f"**{_SHOP}", lambda route: route.fulfill(body=text, content_type="text/html"))
        self.page.goto(self._url + _SHOP)
        return self.page

    def heard(self, least: int) -> list[Feedback]:
        """What the service has heard, once there are so many events, or some seconds later."""
        until = time.monotonic() + 5
        while len(found := self._feedback()) < least and time.monotonic() < until:
            time.sleep(0.02)
        return found

    def _feedback(self) -> list[Feedback]:
        return list(self._service().store.feedback([self.query_id]).get(self.query_id, ()))

    def sent(self) -> list[Request]:
        return [each for each in self.requests if each.url.endswith("/v1/events")]


@pytest.fixture
def shop(http: httpx.Client, running: Running, browser: Browser) -> Iterator[Shop]:
    made = Shop(http, running, browser)
    yield made
    made.page.context.close()
    assert made.errors == []


def told(events: list[Feedback]) -> set[tuple[str, str, int | None]]:
    return {(event.action, event.item_id, event.position) for event in events}


def test_a_click_that_leaves_the_page_is_heard(shop: Shop) -> None:
    page = shop.open()
    session = page.evaluate("tracker.sessionId")
    page.click("#outside")
    page.click("#link")
    events = shop.heard(1)
    assert told(events) == {("click", shop.shown[0], 1)}
    assert {event.session_id for event in events} == {session}


def test_what_waits_is_sent_when_the_page_goes(shop: Shop) -> None:
    page = shop.open(views=False)
    page.click("#deep", button="middle")
    page.goto("about:blank")
    assert told(shop.heard(1)) == {("click", shop.shown[1], 2)}


def test_a_view_is_half_of_a_result_for_a_second(shop: Shop) -> None:
    page = shop.open()
    assert told(shop.heard(1)) == {("view", shop.shown[0], 1)}
    page.evaluate("scrollTo(0, 5000)")
    page.wait_for_timeout(300)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(2_300)
    assert told(shop.heard(1)) == {("view", shop.shown[0], 1)}


def test_results_that_are_drawn_later_are_seen_too(shop: Shop) -> None:
    page = shop.open()
    page.evaluate("document.querySelector('ol').remove()")
    late = f"""<p id="new" data-bowerbird-query-id="{shop.query_id}" data-bowerbird-item="{shop.shown[1]}">late</p>"""
    page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", late)
    assert told(shop.heard(1)) == {("view", shop.shown[1], None)}
    page.evaluate("item => document.querySelector('#new').dataset.bowerbirdItem = item", shop.shown[0])
    assert told(shop.heard(2)) == {("view", shop.shown[1], None), ("view", shop.shown[0], None)}


def test_a_page_of_another_origin_needs_no_leave(shop: Shop, http: httpx.Client, running: Running) -> None:
    text = shop.html(script=running[0], endpoint=f"{running[0]}/", clientId="browser-17")
    with wayward(running[0], [Answer(200, text.encode(), {"content-type": "text/html"})]) as elsewhere:
        shop.page.goto(elsewhere.url + _SHOP)
        shop.page.click("#deep")
        shop.page.evaluate("([query, item]) => tracker.event('cart', query, item)", [shop.query_id, shop.shown[1]])
        shop.page.evaluate("tracker.flush()")
        events = shop.heard(2)
    assert told(events) == {("click", shop.shown[1], 2), ("cart", shop.shown[1], None)}
    assert {event.client_id for event in events} == {"browser-17"}
    assert [(each.method, each.resource_type) for each in shop.sent()] == [("POST", "ping")]


def test_a_key_goes_by_fetch_in_a_header(shop: Shop) -> None:
    page = shop.open(key="of-events-only", views=False)
    page.click("#deep")
    page.evaluate("tracker.flush()")
    page.click("#deep")
    page.goto("about:blank")
    assert told(shop.heard(2)) == {("click", shop.shown[1], 2)}
    sent = shop.sent()[0]
    assert sent.resource_type == "fetch"
    assert sent.headers["authorization"] == "Bearer of-events-only"


def test_events_that_could_not_be_sent_go_with_the_next(shop: Shop, running: Running) -> None:
    text = shop.html(script=running[0], views=False, key="any")
    shown = Answer(200, text.encode(), {"content-type": "text/html"})
    with wayward(running[0], [shown, Answer(503), Answer(429)]) as seen:
        shop.page.goto(seen.url + _SHOP)
        for n in range(1, 4):
            shop.page.click("#deep")
            shop.page.evaluate("tracker.flush()")
            assert seen.wait_for(1 + n)
            shop.page.wait_for_timeout(100)
        events = shop.heard(3)
    bodies = [json.loads(body) for body in seen.bodies[1:]]
    assert [len(body) for body in bodies] == [1, 2, 3]
    assert bodies[0][0] in bodies[2]
    assert len(events) == 3


@pytest.mark.parametrize("asks", ["globalPrivacyControl: {value: true}", "doNotTrack: {value: '1'}"])
def test_who_asks_not_to_be_tracked_is_not(shop: Shop, asks: str) -> None:
    shop.page.add_init_script(f"Object.defineProperties(navigator, {{ {asks} }})")
    page = shop.open(cookie="bowerbird")
    page.click("#deep")
    page.evaluate("(tracker.event('click', 'q', 'i'), tracker.flush())")
    page.wait_for_timeout(1_200)
    assert page.evaluate("[tracker.sessionId, sessionStorage.length, document.cookie]") == [None, 0, ""]
    assert shop.sent() == []


def test_ids_last_as_long_as_they_should(shop: Shop) -> None:
    page = shop.open(views=False)
    assert page.evaluate("document.cookie") == ""
    session = page.evaluate("tracker.sessionId")
    page = shop.open(views=False, cookie="visitor")
    assert page.evaluate("tracker.sessionId") == session
    client = page.evaluate("tracker.clientId")
    assert page.evaluate("document.cookie") == f"visitor={client}"
    assert page.evaluate("bowerbird.track({cookie: 'visitor'}).clientId") == client
    assert client != session


def test_it_is_a_module_too_and_a_second_tracker_takes_the_place_of_the_first(shop: Shop) -> None:
    page = shop.open(views=False)
    page.evaluate("(async () => { tracker.stop(); delete window.bowerbird; await import('/assets/bowerbird.js?2') })()")
    page.evaluate("(bowerbird.track({views: false}), bowerbird.track({views: false}))")
    page.click("#deep")
    assert len(shop.heard(1)) == 1
    page.wait_for_timeout(1_200)
    assert len(shop.heard(1)) == 1


def test_the_script_is_small_and_kept_by_browsers(http: httpx.Client) -> None:
    answer = http.get("/assets/bowerbird.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "max-age=3600" in answer.headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(answer.content) < 5 * 1024
    assert answer.content == (Path(__file__).parents[2] / "app" / "assets" / "bowerbird.js").read_bytes()
    tag = answer.headers["etag"]
    for known in (tag, f'"other", W/{tag}'):
        unchanged = http.get("/assets/bowerbird.js", headers={"if-none-match": known})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert http.get("/assets/bowerbird.js", headers={"if-none-match": '"other"'}).status_code == 200


def test_events_are_taken_as_text(http: httpx.Client) -> None:
    answer = search(http, "love")
    view = json.dumps([event(answer, answer["hits"][0]["id"], action_name="view")])
    taken = http.post("/v1/events", content=view, headers={"content-type": "text/plain;charset=UTF-8"})
    assert taken.json()["stored"] == 1
