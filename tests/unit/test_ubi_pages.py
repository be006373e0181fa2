"""Pages of a UBI export, put together from rows of several applications."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.ingest.events import FORMATS, EventFiles, Report
from core.episodes import Impression
from feedback.sqlite_store import SqliteEventStore

TIME = "2026-01-01T00:00:00Z"
ASKED = {"query_id": "q1", "user_query": "love", "timestamp": TIME}


def seen(item_id: str, ordinal: int, **more: str) -> dict[str, Any]:
    about = {"object": {"object_id": item_id}, "position": {"ordinal": ordinal}}
    return {"action_name": "impression", "query_id": "q1", "timestamp": TIME, "event_attributes": about, **more}


def loaded(folder: Path, *rows: dict[str, Any], received: float = 2e9) -> tuple[Report, list[Impression]]:
    file = folder / "ubi.ndjson"
    file.write_text("\n".join(map(json.dumps, rows)))
    store = SqliteEventStore(folder / "events.sqlite")
    report = EventFiles([file], FORMATS["ubi"], hashed=lambda user: user, received=received).load(store, {}, "config")
    found = [row.impression for row in store.impressions(after=0, limit=10)]
    store.close()
    return report, found


def test_a_query_row_of_another_application_or_none_does_not_matter(tmp_path: Path) -> None:
    rows = [seen("a", 0, application="web"), seen("b", 1, application="web")]
    for n, query in enumerate((ASKED, {**ASKED, "application": "backend"})):
        (tmp_path / str(n)).mkdir()
        _, (page,) = loaded(tmp_path / str(n), query, *rows)
        assert (page.query.text, page.shown, page.first_position) == ("love", ("a", "b"), 1)


def test_a_page_of_a_time_to_come_is_refused(tmp_path: Path) -> None:
    """The learner waits for the feedback of a page before it goes on to the next."""
    report, pages = loaded(tmp_path, ASKED, seen("a", 1), received=1e9)
    assert pages == []
    assert report.refused == {"in the future": 2}
