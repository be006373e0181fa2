"""Pictures of every page of the studio, for the docs: `make screenshots` runs the demo for them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.studio.pages import PAGES

_WIDTHS = {"": (1280, 900), "-phone": (390, 844)}
_DETAILS = {
    "search": ("/?q=tayler+love", None),
    "why": ("/?q=tayler+love", "document.querySelector('.acts .link').click()"),
    "beside": ("/?q=something+to+fall+asleep+to", "document.getElementById('beside').click()"),
    "memory": ("/studio/memory?query=tayler+love", None),
}
_DARK = {"search", "learning"}
_SETTLES_MS = 2_500
_PORT = 8099
_FOLDER = Path("var/screenshots")


def take(url: str, folder: Path) -> None:
    """All pages at both widths, and two of them in dark."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (path, script) in ({page.name: (page.path, None) for page in PAGES} | _DETAILS).items():
            for suffix, (width, height) in _WIDTHS.items():
                _one(browser, url + path, script, folder / f"studio-{name}{suffix}.png", (width, height), "light")
            if name in _DARK:
                _one(browser, url + path, script, folder / f"studio-{name}-dark.png", _WIDTHS[""], "dark")
        browser.close()


def _one(browser: Browser, address: str, script: str | None, path: Path, size: tuple[int, int], theme: str) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    # The pictures must not teach: every search is a preview.
    page.add_init_script("sessionStorage.setItem('bowerbird-look', 'yes')")
    page.goto(address)
    page.wait_for_timeout(_SETTLES_MS)
    if script:
        page.evaluate(script)
        page.wait_for_timeout(_SETTLES_MS)
    page.screenshot(path=path)
    context.close()


@contextmanager
def demo() -> Iterator[str]:
    """The studio of a demo of its own, once its listeners are done."""
    wanted = ["demo", "--port", str(_PORT), "--folder", str(_FOLDER), "--no-browser", "--json"]
    run = subprocess.Popen([sys.executable, "-m", "app.cli", *wanted], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    try:
        if not any(line.rstrip() == "}" for line in run.stdout):  # the end of its report
            sys.exit("The demo has failed; see above.")
        yield f"http://127.0.0.1:{_PORT}"
    finally:
        run.terminate()
        run.wait()


if __name__ == "__main__":
    pictures, *given = sys.argv[1:]
    if given:
        take(given[0], Path(pictures))
    else:
        with demo() as url:
            take(url, Path(pictures))
            shutil.copy(_FOLDER / "demo.png", pictures)
