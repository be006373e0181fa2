"""The studio's other pages in a real browser: what they say before anything is learned, and what can be done there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders import click
from playwright.sync_api import Browser, Page, expect
from small_service import prepared
from studio_browser import ACCENT, PAINTED, serious
from waiting import until
from words import item

from app.jobs.quality import build_quality
from app.jobs.rollout_operator import standing
from app.learning.learner_state import LearnerState, write_state
from app.service import Service, new_query_id
from app.settings import Settings
from app.studio.pages import PAGES
from app.wiring.insights import build_insights
from app.wiring.learning import build_learning
from core.types import Item, Query, Review

Running = tuple[str, Callable[[], Service]]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    rollout = {"enabled": True, "control": 0.2, "stages": [0.3, 0.6]}
    policy = {"explore": 0.5, "min_clicked": 20}
    return prepared(tmp_path_factory, cache, rollout=rollout, policy=policy, shadow={"share": 1.0})


def lamp(item_id: str, text: str, rating: float) -> Item:
    """An item that five customers say the same of."""
    made = item(item_id, item_id, kind="lamp", numbers={"price": 20.0})
    return replace(made, reviews=(Review(text, rating),) * 5)


def learn(settings: Settings, service: Service) -> None:
    """Everything that has closed, with the studio's figures beside."""
    time.sleep(settings.feedback.window_s + 0.3)
    loop = build_learning(settings, beside=[build_insights(settings)])
    loop.step(time.time())
    loop.close()
    service.reload()


@pytest.fixture(scope="module")
def learned(running: Running, settings: Settings) -> None:
    """Sixty clients search and click, one of them a lamp and another, and a learner takes it in."""
    service = running[1]()
    service.put([lamp("lamp:good", "Great bulb.", 5.0), lamp("lamp:bad", "The bulb broke.", 1.0)])
    for number in range(60):
        client = f"client-{number}"
        asked = Query(new_query_id(), "love", time.time(), client_id=client)
        shown = service.search(asked).impression.shown
        service.record([click(asked.id, shown[0], time=time.time(), client_id=client)])
    asked = Query(new_query_id(), "lamp", time.time())
    service.search(asked)
    now = time.time()
    service.record([click(asked.id, "lamp:bad", time=now), click(asked.id, "lamp:good", action="purchase", time=now)])
    learn(settings, service)
    assert build_quality(settings).pairs == 1
    service.reload()


def test_before_anything_is_learned_every_page_says_what_to_do(page: Page) -> None:
    for each, words in (
        ("/studio/learning", "Nothing has been learned yet: a learner waits"),
        ("/studio/memory", "Name a query above."),
        ("/studio/events", "Send clicks to POST /v1/events"),
        ("/studio/quality", "There are no pairs to compare yet."),
        ("/studio/health", "No learner has run yet"),
    ):
        page.goto(each)
        expect(page.locator("main")).to_contain_text(words)
        expect(page.locator(".figure-value", has_text="0")).to_have_count(0)
        assert serious(page) == [], each
    page.goto("/studio/learning")
    expect(page.locator("#reward")).to_contain_text("No data yet.")
    expect(page.locator("canvas")).to_have_count(0)


def test_a_learner_that_waits_is_not_called_absent(page: Page, settings: Settings) -> None:
    write_state(settings.data_dir, LearnerState(time.time(), 0))
    page.goto("/studio/health")
    expect(page.locator("#summary")).to_contain_text("The learner has taken in nothing yet: it waits")
    expect(page.locator("main")).to_contain_text("not counted yet: a learner, which `bowerbird serve` starts")


def test_curves_and_tables_show_what_was_learned(page: Page, learned: None, http: httpx.Client) -> None:
    page.goto("/studio/learning")
    expect(page.locator("#summary")).to_contain_text("61 searches learned from, 100 % with a click.")
    expect(page.locator("#reward canvas")).to_be_visible()
    found = http.get("/v1/insights/learning/curve.json").json()
    assert sum(step["searches"] for step in found["over_searches"]) == 61
    assert "plans" not in found
    assert http.get("/v1/insights/learning/nothing.json").status_code == 422
    for chart in ("reward", "arms", "curve"):
        twin = page.locator(f"#{chart} .chart-foot a").get_attribute("href")
        assert http.get(str(twin)).json()["episodes"] == 61
    expect(page.locator("#kinds")).to_contain_text("one word, new")
    expect(page.locator("#off-policy")).to_contain_text("Cannot tell. ")
    page.locator("#curve summary").click()
    expect(page.get_by_role("table", name="Learning curve")).to_contain_text("What served")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_have_the_colours_of_the_theme(browser: Browser, running: Running, learned: None, theme: str) -> None:
    """The same as their legends."""
    context = browser.new_context(base_url=running[0], color_scheme=theme)
    page = context.new_page()
    page.goto("/studio/learning")
    for chart in ("reward", "curve"):
        canvas = page.locator(f"#{chart} canvas")
        canvas.wait_for()
        assert canvas.evaluate(PAINTED, ACCENT[theme]) > 0, chart
    context.close()


def test_promoting_and_rolling_back_ask_first(page: Page, learned: None, settings: Settings) -> None:
    candidate = standing(settings).rollout.candidate
    page.goto("/studio/learning")
    expect(page.locator("#rollout")).to_contain_text("at the gate: nobody yet")
    promote = page.get_by_role("button", name="Promote the candidate")
    promote.click()
    expect(page.get_by_role("dialog")).to_contain_text("The gate and the guardrails must agree.")
    page.keyboard.press("Escape")
    assert standing(settings).rollout.stage == 0
    promote.click()
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.locator("#notice")).to_contain_text("The gate cannot tell yet")
    page.get_by_label("whatever gate and guardrails say").check()
    promote.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text(f"{candidate}: passed.")
    assert standing(settings).rollout.stage == 1
    expect(page.locator("#rollout")).to_contain_text("It is at stage 1 of 2.")
    page.get_by_role("button", name="Drop the candidate").click()
    page.get_by_role("button", name="Roll back").click()
    expect(page.locator("#rollout")).to_contain_text("There is no candidate.")
    assert standing(settings).rollout.candidate == ""


def test_predictions_give_way_on_the_memory_page(
    page: Page, learned: None, settings: Settings, running: Running, http: httpx.Client
) -> None:
    service, text = running[1](), "quiet harbour"
    page.goto(f"/studio/memory?query={text}")
    expect(page.locator("#entries")).to_contain_text("all predicted")
    for number in range(3):
        asked = Query(new_query_id(), text, time.time(), client_id=f"other-{number}")
        service.search(asked)
        service.record([click(asked.id, "playlist:quiet", time=time.time())])
    learn(settings, service)
    expect(page.locator("#entries")).to_contain_text("from people", timeout=10_000)

    def points() -> list[dict[str, Any]]:
        return list(http.get("/v1/memory/history.json", params={"query": text}).json()["points"])

    until(lambda: len(points()) > 1)  # noted a moment after what was learned serves
    first, last = (
        {each["item_id"]: each for each in point["entries"]}["playlist:quiet"] for point in (points()[0], points()[-1])
    )
    assert first["examined"] == 0 < last["examined"]
    assert first["posterior"] < last["posterior"]
    assert serious(page) == []


def test_events_and_why_they_were_refused(page: Page, learned: None, http: httpx.Client) -> None:
    wrong = {"action_name": "click", "query_id": "nowhere", "event_attributes": {"object": {"object_id": "x"}}}
    assert http.post("/v1/events", json=wrong).status_code == 404
    answer = http.post("/v1/search", json={"query": "love"}).json()
    right = {**wrong, "query_id": answer["query_id"]}
    right["event_attributes"] = {"object": {"object_id": answer["hits"][0]["id"]}}
    assert http.post("/v1/events", json=right).status_code == 200
    page.goto("/studio/events")
    expect(page.locator("#refused")).to_contain_text("No search with query_id 'nowhere' was answered here.")
    expect(page.locator("#last")).to_contain_text("in time")
    expect(page.locator("#frequent")).to_contain_text("love")
    seen = http.get("/v1/insights/events").json()
    assert (seen["counts"]["stored"], seen["counts"]["unknown_query"], seen["late"]) == (1, 1, 0)


def test_late_feedback_is_counted(http: httpx.Client, settings: Settings) -> None:
    answer = http.post("/v1/search", json={"query": "love"}).json()
    time.sleep(settings.feedback.window_s + 0.1)
    body = {"action_name": "like", "query_id": answer["query_id"]}
    body["event_attributes"] = {"object": {"object_id": answer["hits"][0]["id"]}}
    http.post("/v1/events", json=body)
    seen = http.get("/v1/insights/events").json()
    assert seen["events"][0]["late"] is True
    assert seen["late"] == 1


def test_a_comparison_is_answered_and_reported(page: Page, learned: None, http: httpx.Client) -> None:
    page.goto("/studio/quality")
    expect(page.locator("#task")).to_contain_text("Somebody searched for “lamp”")
    assert serious(page) == []
    page.get_by_role("radio", name="lamp:good").check()
    page.get_by_label("great bulb").check()
    page.get_by_role("button", name="Store this judgment").click()
    expect(page.locator("#report")).to_contain_text("1 judgment of 1 pair.")
    report = http.get("/v1/quality/report").json()
    assert report["items"][0]["item_id"] == "lamp:good"
    assert report["sources"]["review"]["chosen"] == 1.0


def test_health_in_words(page: Page, learned: None) -> None:
    page.goto("/studio/health")
    expect(page.locator("#arms tbody tr").first).to_contain_text("lexical")
    expect(page.locator("#arms")).to_contain_text("✓ answers")
    expect(page.locator("#summary")).to_contain_text("All is well.")
    expect(page.locator("#doctor")).to_contain_text("is the champion")
    expect(page.locator("#storage")).to_contain_text("events")


def test_an_open_circuit_is_told(page: Page, learned: None, running: Running) -> None:
    breaker = running[1]().fan_out.arms["vector"].breaker
    while (ticket := breaker.admit()) is not None:
        breaker.note(ticket, failed=True)
    page.goto("/studio/health")
    expect(page.locator("#arms")).to_contain_text("✗ not asked: it failed too often")
    expect(page.locator("#summary")).to_contain_text("Degraded: an arm is not asked, or hangs.")


def test_the_curve_moves_while_people_click(page: Page, learned: None, settings: Settings, running: Running) -> None:
    """Nobody loads the page again: what the learner takes in meanwhile is drawn."""
    page.goto("/studio/learning")
    summary, picture = page.locator("#summary"), page.locator("#curve canvas")
    expect(summary).to_contain_text("searches learned from")
    before, drawn = summary.inner_text(), picture.evaluate("canvas => canvas.toDataURL()")
    service = running[1]()
    for number in range(30):  # a click on the last: a step down
        asked = Query(new_query_id(), "love", time.time(), client_id=f"late-{number}")
        service.record([click(asked.id, service.search(asked).impression.shown[-1], time=time.time())])
    learn(settings, service)
    expect(summary).not_to_contain_text(before.split(",")[0], timeout=10_000)
    assert picture.evaluate("canvas => canvas.toDataURL()") != drawn


def test_a_comparison_is_answered_by_keyboard(page: Page, learned: None, http: httpx.Client) -> None:
    judged = http.get("/v1/quality/report").json()["judgments"]
    page.goto("/studio/quality")
    expect(page.locator("#task")).to_contain_text("Somebody searched for")
    page.locator("#main").focus()
    pressed = 0
    while page.evaluate("document.activeElement.textContent") != "Store this judgment":
        page.keyboard.press("Tab")
        page.keyboard.press("Space" if page.evaluate("document.activeElement.type === 'radio'") else "Shift")
        assert (pressed := pressed + 1) < 40
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Stored.")
    assert http.get("/v1/quality/report").json()["judgments"] == judged + 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_on_a_desk_and_on_a_telephone(browser: Browser, running: Running, learned: None, theme: str) -> None:
    context = browser.new_context(base_url=running[0], viewport={"width": 390, "height": 800}, color_scheme=theme)
    small = context.new_page()
    for each in PAGES:
        small.goto(f"{each.path}?query=love")
        for width in (390, 1280):
            small.set_viewport_size({"width": width, "height": 800})
            small.wait_for_timeout(600)
            assert small.evaluate("document.documentElement.scrollWidth") == width, each.name
            assert serious(small) == [], each.name
    context.close()
