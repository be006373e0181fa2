"""The demo's listeners on the real service, and what the studio then has to show."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from http_service import Running
from playwright.sync_api import Page, expect
from studio_browser import first_paint_ms, serious

from app.commands.demo import _wait_until_ready, demo
from app.demo.run import Listeners, catalogue, reviewers
from app.jobs.quality import build_quality
from app.settings import CONFIGS, Settings, load_settings
from app.studio.pages import PAGES
from app.studio.pages import Page as StudioPage
from app.wiring.learning import build_learning
from app.wiring.stores import open_catalogue
from core.errors import Unavailable
from core.text import words
from core.types import Item
from feedback.leader import FileLeader

SEARCHES = 400
# Whether a listener meets two items to compare is a matter of chance: in 400 searches one to three do, or none.
MOST_ROUNDS = 10
# Words that say nothing of what somebody wants.
FUNCTION_WORDS = {
    "a",
    "about",
    "all",
    "and",
    "are",
    "at",
    "for",
    "from",
    "i",
    "is",
    "no",
    "of",
    "so",
    "the",
    "to",
    "you",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    """As the demo configures it, without a learner process of its own."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "cache").symlink_to(cache)
    made = load_settings(CONFIGS / "demo.toml", overrides={"service": {"data_dir": str(folder), "learner": False}})
    store = open_catalogue(made)
    store.put(catalogue())
    store.close()
    return made


@pytest.fixture(scope="module")
def listened(running: Running, settings: Settings) -> int:
    """Rounds of 400 searches until there are pairs to compare; how many there are then."""
    pairs = 0
    for seed in range(1, MOST_ROUNDS + 1):
        progress: list[int] = []
        with Listeners(running[0], seed=seed) as listeners:
            curve = listeners.listen(SEARCHES, progress.append)
        assert len(progress) == SEARCHES
        assert [point["round"] for point in curve] == list(range(40, 401, 40))
        if pairs := learned_pairs(settings):
            break
    running[1]().reload()
    return pairs


def learned_pairs(settings: Settings) -> int:
    """How many pairs there are to compare, once what the listeners did is learned from."""
    time.sleep(settings.feedback.window_s + 0.1)
    loop = build_learning(settings)
    loop.step(time.time())
    loop.close()
    return build_quality(settings).pairs


def test_without_the_client_the_demo_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container, which has the service alone."""
    monkeypatch.setitem(sys.modules, "bowerbird_client", None)
    with pytest.raises(Unavailable, match="pip install clients/python"):
        demo(folder=tmp_path)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """A catalogue in the folder of the demo."""
    (tmp_path / "catalogue.sqlite").write_bytes(b"of another demo")
    yield tmp_path / "catalogue.sqlite"
    assert (tmp_path / "catalogue.sqlite").read_bytes() == b"of another demo"


def test_a_port_that_is_taken_is_said_before_anything_is_deleted(kept: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(Unavailable, match=r"taken\. .* --port, or 0"):
        demo(folder=kept.parent, port=other.getsockname()[1])


def test_a_folder_in_which_another_service_learns_is_left_alone(kept: Path) -> None:
    with closing(FileLeader(kept.parent / "learner.lock")) as leader:
        assert leader.lead()
        with pytest.raises(Unavailable, match="name another folder with --folder"):
            demo(folder=kept.parent, port=0)


def test_another_service_that_answers_is_not_taken_for_its_own() -> None:
    """It has the port, so the demo's own service has ended by the time of its answer."""
    own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own.kill()
            own.wait()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        answering = threading.Thread(target=other.handle_request)
        answering.start()
        with pytest.raises(Unavailable, match="did not become ready"):
            _wait_until_ready(own, f"http://127.0.0.1:{other.server_port}")
        answering.join()


def test_who_interrupts_the_listeners_does_not_wait_for_all_they_had_planned(running: Running) -> None:
    """At this rate they would go on for 20 seconds."""
    seen: list[int] = []

    def quality(*_: object) -> dict[str, float]:
        raise KeyboardInterrupt

    with Listeners(running[0], seed=1) as listeners, pytest.MonkeyPatch.context() as patched:
        patched.setattr(listeners, "_quality", quality)
        with pytest.raises(KeyboardInterrupt):
            listeners.listen(4_000, seen.append, rate=200)
    assert 400 <= len(seen) < 800


def test_reviews_follow_from_what_an_item_is_like() -> None:
    reviewed = [item for item in catalogue() if item.reviews]
    assert {item.type for item in reviewed} == {"playlist", "station"}
    by_merit = sorted(reviewed, key=lambda item: reviewers().pleases(item) or 0.0)

    def mean_rating(items: list[Item]) -> float:
        ratings = [review.rating or 0.0 for item in items for review in item.reviews]
        return sum(ratings) / len(ratings)

    third = len(by_merit) // 3
    assert mean_rating(by_merit[-third:]) > mean_rating(by_merit[:third]) + 1
    assert catalogue() == catalogue()


def test_reviews_say_nothing_that_somebody_searches_for() -> None:
    """They would change what is found, and the demo is not about that."""
    listeners = tomllib.loads(files("app.demo").joinpath("listeners.toml").read_text("utf-8"))
    asked = {word for intent in listeners["intent"] for text, _ in intent["queries"] for word in words(text)}
    written = {word for item in catalogue() for review in item.reviews for word in words(review.text)}
    assert asked & written <= FUNCTION_WORDS


def test_there_are_pairs_to_compare(page: Page, listened: int) -> None:
    assert listened >= 1
    page.goto("/studio/quality")
    expect(page.locator("#task")).to_contain_text("Somebody searched for")
    expect(page.locator("#task blockquote").first).to_contain_text("rated")
    expect(page.locator("#task fieldset.terms li").first).to_be_visible()
    assert serious(page) == []


def test_what_is_liked_was_heard(listened: int, http: httpx.Client) -> None:
    seen = http.get("/v1/insights/events").json()
    assert set(seen["counts"]) == {"stored"}
    assert {event["action"] for event in seen["events"]} == {"click", "like"}
    liked = {(e["query_id"], e["item_id"]) for e in seen["events"] if e["action"] == "like"}
    clicked = {(e["query_id"], e["item_id"]) for e in seen["events"] if e["action"] == "click"}
    assert len({query for query, _ in liked - clicked}) <= 1  # the ring of the newest events may have cut a page in two


def test_the_search_page_is_painted_within_a_second(page: Page, listened: int) -> None:
    """Of five loads the quickest: other processes can only make a page slower than it is."""
    paints = []
    for _ in range(5):
        page.goto("/?q=tayler+love")
        page.locator("#results .hit").first.wait_for()
        paints.append(first_paint_ms(page))
    assert 0 < min(paints) < 1_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_says_that_this_is_a_demo(page: StudioPage, http: httpx.Client) -> None:
    assert "their reviews are invented." in http.get(page.path).text
