"""A real headless Chromium for the studio's tests: the system's own, nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

# How many pixels of a canvas have exactly this colour.
PAINTED = """(canvas, [red, green, blue]) => {
  const seen = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let at = 0; at < seen.length; at += 4) {
    count += seen[at] === red && seen[at + 1] === green && seen[at + 2] === blue && seen[at + 3] === 255;
  }
  return count;
}"""
ACCENT = {"light": (0x1D, 0x4F, 0x91), "dark": (0x8F, 0xBC, 0xF5)}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Skips where there is none, and fails instead under CI=true."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        message = "there is no chromium here; on Debian: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def complaints(page: Page) -> list[str]:
    """Filled while the page lives: what its scripts threw, and what its security policy has refused."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console", lambda line: found.append(line.text) if line.type == "error" and not _answer(line.text) else None
    )
    return found


def _answer(line: str) -> bool:
    """An error that the API has answered, which the page tells."""
    return line.startswith("Failed to load resource: the server responded with")


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps somebody out: rule and element."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


def first_paint_ms(page: Page) -> float:
    """From asking for the page to its first contents on the screen, waited for: it is reported a frame later.

    A function and not an expression, because the pages' security policy refuses to evaluate an expression again.
    """
    paint = page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    return float(paint.json_value())
