"""Preferences from the log, pairs for judges, their judgments, and the report on them: on real files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import click, episode, impression
from words import item

from app.jobs.charts import quality_judged
from app.jobs.quality import build_quality
from app.jobs.quality_report import quality_report
from app.settings import Settings, load_settings
from app.wiring.stores import open_catalogue, open_judgments, open_registry, open_store
from core.types import Item, ItemId, Review
from feedback.judgments import Judgment, Pair
from feedback.preferences import preferences
from ranking.quality.model import QualityModel

A, B = ItemId("a"), ItemId("b")
PAIR = Pair("p", "lamp", "lamp", (A, B), A, {"bulb": ("review",), "shade": ("review", "seller")})


def test_what_was_bought_is_preferred_to_what_was_only_clicked() -> None:
    found = preferences([episode(gains=(1.0, 3.0, 0.0)), episode(gains=(1.0, 3.0, 0.0), text="Lamps")])
    assert [(each.taken, each.left, each.searches, each.query) for each in found] == [("b", "a", 2, "Lamps")]


def test_without_a_single_best_or_a_balance_nothing_is_told() -> None:
    assert preferences([episode(gains=(1.0, 1.0, 0.0)), episode(gains=(-1.0, 0.0, 0.0))]) == []
    assert preferences([episode(gains=(3.0, 1.0, 0.0)), episode(gains=(1.0, 3.0, 0.0))]) == []


def lamp(number: int) -> Item:
    """Dear lamps are better; every second one has a good bulb whatever it costs."""
    good = number % 2 == 0
    made = item(f"lamp-{number}", "A lamp with a shade", kind="lamp", numbers={"price": 10.0 * 1.3**number})
    return replace(made, reviews=(Review("Great bulb.", 5.0) if good else Review("The bulb broke.", 2.0),) * 3)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Twelve lamps and twelve chairs; in twelve searches, long ago, lamp 2n was bought where 2n + 1 was clicked."""
    made = load_settings(overrides={"service": {"data_dir": str(tmp_path)}})
    catalogue, log = open_catalogue(made), open_store(made)
    chair = item("chair", "A chair with a seat", kind="chair")
    chairs = [replace(chair, id=ItemId(f"chair-{n}"), reviews=(Review("Soft seat.", 4.0),) * 3) for n in range(12)]
    catalogue.put([*map(lamp, range(12)), *chairs])
    for n in range(6):
        bought, clicked = f"lamp-{2 * n}", f"lamp-{2 * n + 1}"
        log.append_impression(impression(f"q{n}", text=f"lamp {n}", shown=(clicked, bought, "chair-1"), time=1.0))
        events = [click(f"q{n}", clicked), click(f"q{n}", bought, action="purchase"), click(f"q{n}", "chair-1")]
        log.append_feedback(events)
    catalogue.close()
    log.close()
    return made


def test_build_publishes_a_model_and_finds_pairs_within_a_category(settings: Settings) -> None:
    built = build_quality(settings)
    registry = open_registry(settings)
    release = registry.current()
    assert release is not None
    assert release.number == built.release
    model = QualityModel.decode(registry.load(release, "quality"))
    assert len(model.items) == 24
    assert built.pairs == 6
    assert built.sources["lamp"]["review"] > 0
    store = open_judgments(settings)
    for pair in store.offered():
        assert pair.taken in pair.items
        assert {each.rpartition("-")[0] for each in pair.items} == {"lamp"}
        assert "review" in pair.offered["bulb"]
    firsts = {pair.items[0] == pair.taken for pair in store.offered()}
    assert firsts == {True, False}  # the order tells nothing
    store.close()


def test_build_without_customers_words_publishes_nothing(tmp_path: Path) -> None:
    made = load_settings(overrides={"service": {"data_dir": str(tmp_path)}})
    assert build_quality(made).release is None
    assert open_registry(made).current() is None


def test_when_customers_words_are_gone_the_model_forgets_them(settings: Settings) -> None:
    first = build_quality(settings).release
    catalogue = open_catalogue(settings)
    catalogue.put([replace(lamp(n), reviews=()) for n in range(12)])
    for n in range(12):
        catalogue.delete(ItemId(f"chair-{n}"))
    catalogue.close()
    again = build_quality(settings)
    assert again.model.items == ()
    assert again.release == (first or 0) + 1
    assert again.pairs == 0


def test_the_report_tells_sources_price_and_purchase(settings: Settings, tmp_path: Path) -> None:
    build_quality(settings)
    store = open_judgments(settings)
    pairs = list(store.offered())
    store.serve(pairs)
    for (
        pair
    ) in pairs:  # everybody finds the dearer one better, because of the bulb: it is never the one that was bought
        dearer = max(pair.items, key=lambda each: int(each.rpartition("-")[2]))
        store.judge(Judgment(pair.pair_id, pair.pair_id, dearer, ("bulb",)), received=1.0)
    store.close()
    report = quality_report(settings)
    assert (report["judgments"], report["pairs"]) == (6, 6)
    assert report["sources"]["review"]["chosen"] == 1
    assert report["sources"]["seller"]["chosen"] == 0
    assert report["sources"]["seller"]["offered"] > 0
    assert report["purchase"]["judged"]["accuracy"] == 0
    assert report["purchase"]["residual"]["accuracy"] == 1
    assert report["purchase"]["judged"]["high"] < 0.5 < report["purchase"]["residual"]["low"]
    assert report["price"]["items"] == 12
    assert 0 < report["price"]["correlation"] < 1
    quality_judged(report, tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")


def test_an_empty_report_claims_nothing(tmp_path: Path) -> None:
    report = quality_report(load_settings(overrides={"service": {"data_dir": str(tmp_path)}}))
    assert report["judgments"] == 0
    assert report["price"]["correlation"] is None
    assert report["purchase"]["judged"]["accuracy"] is None
    assert report["sources"]["review"] == {"chosen": None, "offered": None}
    quality_judged(report, tmp_path / "empty.png")
    assert (tmp_path / "empty.png").is_file()
