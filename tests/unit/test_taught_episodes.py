"""What commands teach models by hand, as the learner does."""

from __future__ import annotations

from pathlib import Path

from builders import click, impression

from app.settings import load_settings
from app.wiring.stores import closed_episodes, open_store, taught_episodes


def test_one_client_teaches_no_more_than_its_cap(tmp_path: Path) -> None:
    settings = load_settings(overrides={"service": {"data_dir": str(tmp_path)}, "feedback": {"client_cap": 5}})
    store = open_store(settings)
    for n in range(40):
        store.append_impression(impression(f"q{n}", time=float(n), client_id="fraud"))
        store.append_feedback([click(f"q{n}", "a", time=n + 1.0, client_id="fraud")])
    store.append_impression(impression("honest", time=50.0, client_id="somebody"))
    store.close()
    assert len(list(closed_episodes(settings))) == 41
    assert [str(each.impression.query.id) for each in taught_episodes(settings)] == [
        *(f"q{n}" for n in range(5)),
        "honest",
    ]
