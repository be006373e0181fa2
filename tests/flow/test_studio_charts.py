"""How the studio draws its charts, whatever the data."""

from __future__ import annotations

import re

import pytest
from http_service import Running
from playwright.sync_api import Browser, Page
from studio_browser import ACCENT, PAINTED

# One series whose interval, and another whose line, lie where the first one's line is.
COVERED = """async (address) => {
  const { Chart } = await import(address);
  const section = document.querySelector("main").appendChild(document.createElement("section"));
  section.append(document.createElement("h2"));
  const flat = (value) => [1, 2, 3, 4].map(() => value);
  const series = [
    { name: "first", colour: "--accent", values: flat(0.5), low: flat(0.4), high: flat(0.6), width: 3 },
    { name: "second", colour: "--warn", values: flat(0.5), low: flat(0.1), high: flat(0.9) },
  ];
  const figure = (value) => String(value);
  const x = { values: [1, 2, 3, 4], name: "x", time: false, format: figure };
  new Chart(section, { twin: "", nothing: "" }).draw({ series, x, format: figure });
  section.id = "covered";
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_interval_and_no_line_covers_the_first_one(browser: Browser, running: Running, theme: str) -> None:
    context = browser.new_context(base_url=running[0], color_scheme=theme)
    page = context.new_page()
    page.goto("/studio/learning")
    module = str(page.locator("script[type=module]").get_attribute("src")).replace("learning.js", "chart.js")
    page.evaluate(COVERED, module)
    assert page.locator("#covered canvas").evaluate(PAINTED, ACCENT[theme]) > 100
    context.close()


def test_a_line_through_midnight_has_times_and_one_of_days_has_dates(page: Page) -> None:
    page.goto("/studio/learning")
    words = str(page.locator("script[type=module]").get_attribute("src")).replace("learning.js", "words.js")
    short, long, old = page.evaluate(
        """async (words) => {
          const { along } = await import(words);
          const now = Date.now() / 1000;
          const first = (times) => along(times)(times[0]);
          return [first([now - 43000, now]), first([now - 200000, now]), first([now - 200000, now - 199000])];
        }""",
        words,
    )
    assert re.fullmatch(r"\d\d:\d\d:\d\d", short)
    assert re.match(r"\d+ [A-Z][a-z]+", long)
    assert re.match(r"\d+ [A-Z][a-z]+", old)
