"""One client's 10,000 clicks through the real log, learners and pipeline: what they move, with the caps and without."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from small_service import prepared
from words import item

from app.service import Service, new_query_id
from app.settings import Settings
from app.wiring.learning import build_learning
from app.wiring.service import build_service
from app.wiring.stores import open_catalogue
from core.episodes import EventId, Feedback, Impression
from core.seeds import generator
from core.types import ItemId, Query

LAMPS = [item(f"lamp-{n:02}", f"Lamp {n:02}", popularity=1 - n / 50, colour="red") for n in range(40)]
QUERIES = ("lamp", "red lamp", "", "lamp 07")
TARGET = ItemId("lamp-30")
# Stated in docs/how-to/secure-the-service.md.
MOST_RANKS = 10
_START = 1_700_000_000.0


class Shop:
    """A service on a clock of its own, and its log."""

    def __init__(self, settings: Settings) -> None:
        catalogue = open_catalogue(settings)
        catalogue.put(LAMPS)
        catalogue.close()
        self.settings = settings
        self.now = _START
        self.service: Service = build_service(settings, clock=lambda: self.now)
        self.service.start()

    def ranks(self) -> dict[tuple[str, ItemId], int]:
        """The place of every item for every query, asked by a stranger who asks all arms."""
        found = {}
        for text in QUERIES:
            query = Query(new_query_id(), text, self.now)
            page = self.service.search(query, size=len(LAMPS), plan="all", preview=True)
            found |= {(text, item_id): rank for rank, item_id in enumerate(page.impression.shown, start=1)}
        return found

    def honest(self, searches: int, *, seed: int = 7) -> None:
        """Many clients; each takes one of the first of what it sees."""
        random, pages = generator(seed, "honest"), self._pages("somebody")
        taken = []
        for n in range(searches):
            page = pages[int(random.integers(len(pages)))]
            place = min(int(random.geometric(0.1)) - 1, len(page.shown) - 1)
            taken.append((f"client-{seed}-{n}", page, page.shown[place]))
        self._log(taken, between_s=5.0)

    def fraud(self, client: str, clicks: int) -> None:
        """So many searches of one client within some hours, each with a click on TARGET."""
        pages = [page for page in self._pages(client) if TARGET in page.shown]
        assert pages
        self._log([(client, pages[n % len(pages)], TARGET) for n in range(clicks)], between_s=2.0)

    def _pages(self, client: str) -> list[Impression]:
        """What a client sees for each query."""
        asked = [Query(new_query_id(), text, self.now, client_id=client) for text in QUERIES]
        return [self.service.search(query, size=len(LAMPS), preview=True).impression for query in asked]

    def _log(self, taken: list[tuple[str, Impression, ItemId]], *, between_s: float) -> None:
        """(client, what it saw, what it clicked): as many searches, each with its click."""
        pages = []
        for client, page, _ in taken:
            self.now += between_s
            query = replace(page.query, id=new_query_id(), time=self.now, client_id=client)
            pages.append(replace(page, query=query))
        with ThreadPoolExecutor(64) as pool:
            list(pool.map(self.service.store.append_impression, pages))
        events = [click(page, item_id, client) for page, (client, _, item_id) in zip(pages, taken, strict=True)]
        for start in range(0, len(events), 1_000):
            self.service.record(events[start : start + 1_000])

    def learn(self, settings: Settings) -> None:
        """All there is, from the beginning, with these settings, and serve it."""
        self.now += 3_600.0
        loop = build_learning(settings)
        assert not loop.step(self.now).failed
        loop.close()
        self.service.reload()


def click(page: Impression, item_id: ItemId, client: str) -> Feedback:
    event = EventId(f"click-{page.query.id}")
    return Feedback(event, page.query.id, item_id, "click", page.query.time, page.query.time, client_id=client)


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Shop]:
    few = {"feedback": {"window_s": 10.0}, "ranking": {"max_episodes": 2_000}}
    opened = Shop(prepared(tmp_path_factory, cache, **few))
    yield opened
    opened.service.close()


def uncapped(settings: Settings) -> Settings:
    """The same without any limit on what one client may teach."""
    caps = {"feedback", "memory", "popularity"}
    changed = {name: getattr(settings, name).model_copy(update={"client_cap": 10**6}) for name in caps}
    return settings.model_copy(update=changed)


def test_ten_thousand_clicks_of_one_client_move_no_item_far_and_without_the_caps_they_would(shop: Shop) -> None:
    shop.honest(1_500)
    shop.learn(shop.settings)
    before = shop.ranks()

    def moved() -> int:
        after = shop.ranks()
        lowest = len(LAMPS) + 1
        return max(abs(before.get(key, lowest) - after.get(key, lowest)) for key in {*before, *after})

    shop.fraud("fraud", 10_000)
    shop.learn(shop.settings)
    assert moved() <= MOST_RANKS
    shop.learn(uncapped(shop.settings))
    assert moved() > 2 * MOST_RANKS
