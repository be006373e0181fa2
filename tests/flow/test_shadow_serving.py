"""Shadow traffic in a real service: every arm speaks, and no answer changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from words import query

from app.service import Service
from app.settings import Settings
from app.wiring.plans import ARMS
from app.wiring.service import build_service
from core.types import QueryId


@contextmanager
def service(settings: Settings, state: Path, share: float) -> Iterator[Service]:
    changed = settings.model_copy(update={"shadow": settings.shadow.model_copy(update={"share": share})})
    made = build_service(changed, state=state)
    made.start()
    yield made
    made.close()


def test_every_arm_is_asked_in_full_after_the_answer(settings: Settings, tmp_path: Path) -> None:
    with service(settings, tmp_path, share=1.0) as running:
        running.follow(60.0)
        page = running.search(replace(query("love"), time=time.time()))
        until = time.monotonic() + 20
        while not (found := running.store.shadows([QueryId("q")])) and time.monotonic() < until:
            time.sleep(0.02)
    assert set(found[QueryId("q")].ranks) == set(ARMS)
    assert set(found[QueryId("q")].depths.values()) == {settings.shadow.depth}
    assert "sparse" not in page.impression.ranks
    for arm, ranks in page.impression.ranks.items():
        assert found[QueryId("q")].ranks[arm] == ranks


def test_a_preview_has_no_shadow(settings: Settings, tmp_path: Path) -> None:
    with service(settings, tmp_path, share=1.0) as running:
        running.search(query("love"), preview=True)
        running.search(query("love"), preview=True, plan="lexical")
        running.shadows.finish()
        assert running.shadows.outcomes["logged"] == 0


def test_answers_are_the_same_with_and_without(settings: Settings, tmp_path: Path) -> None:
    shown = []
    for share in (0.0, 1.0):
        with service(settings, tmp_path / str(share), share) as running:
            pages = [running.search(query(text, f"{n}")) for n, text in enumerate(("love", "taylor", "calm night"))]
            running.shadows.finish()
            shown.append([page.impression.shown for page in pages])
            assert running.shadows.outcomes["logged"] == 3 * share
    assert shown[0] == shown[1]
