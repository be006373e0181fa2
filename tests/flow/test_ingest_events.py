"""`bowerbird ingest-events`: another system's log becomes ours, once, and every row that does not is counted."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.settings import load_settings
from app.web.user_ids import UserIds
from app.wiring.learning import build_learning
from app.wiring.stores import open_registry, open_store
from core.episodes import Impression
from core.types import QueryId
from retrievers.q2e.memory_model import MemoryModel


def ingested(folder: Path, *arguments: str, code: int = 0) -> Any:
    command = [sys.executable, "-m", "app.cli", "--data-dir", str(folder), "ingest-events", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else " ".join(done.stderr.split())


def logged(folder: Path) -> dict[str, Impression]:
    store = open_store(load_settings(), folder)
    found = {row.impression.query.id: row.impression for row in store.impressions(after=0, limit=10_000)}
    store.close()
    return {str(query_id): impression for query_id, impression in found.items()}


@pytest.fixture
def ubi(dataset: Callable[[str], Path]) -> list[str]:
    folder = dataset("ubi-esci-sample")
    return [str(folder / "ubi_events.jsonl.gz"), str(folder / "ubi_queries.jsonl.gz")]


def test_a_ubi_export_is_taken_once_and_taught(tmp_path: Path, ubi: list[str]) -> None:
    rows, queries = (
        [json.loads(line) for line in gzip.decompress(Path(file).read_bytes()).splitlines()] for file in ubi
    )
    pages = {row["query_id"] for row in rows if row["action_name"] == "impression"}
    pages |= {row["query_id"] for row in queries if row.get("query_response_hit_ids")}
    clicks = [row for row in rows if row["action_name"] in ("click", "add_to_cart")]
    report = ingested(tmp_path, *ubi)
    assert report["pages"] == len(pages)
    assert report["events"] + report["duplicates"] + sum(report["refused"].values()) - 2 == len(clicks)
    empty = {row["query_id"] for row in queries} - pages
    unused = {"search event": 504, "page without a known item": len(empty)}
    assert (report["refused"], report["not_used"], bool(empty)) == ({"not understood": 2}, unused, True)
    assert report["unknown_fields"] == {}
    assert "query_id: Input should be a valid string (got None)" in report["examples"][0]
    again = ingested(tmp_path, *ubi)
    assert (again["pages"], again["known_pages"], again["events"]) == (0, len(pages), 0)
    assert again["duplicates"] == report["events"] + report["duplicates"]
    # One application counts positions from 0, the other from 1: both mean the first place.
    shown = logged(tmp_path)
    first = next(row for row in rows if row["action_name"] == "impression")
    assert shown[first["query_id"]].first_position == 1
    assert shown[first["query_id"]].shown[0] == first["event_attributes"]["object"]["object_id"]
    assert Counter(page.first_position for page in shown.values()).most_common(1)[0][0] == 1
    assert all(page.imported for page in shown.values())
    settings = load_settings(overrides={"service": {"data_dir": str(tmp_path)}})
    loop = build_learning(settings)
    step = loop.step(time.time())
    loop.close()
    assert (step.episodes, step.failed) == (len(pages), {})
    registry = open_registry(settings)
    release = registry.current()
    assert release is not None
    assert "ps4" in MemoryModel.load(registry.load(release, "memory")).rows
    assert not {"policy", "ranker"} & release.components.keys()


def test_metarank_rankings_are_what_was_shown(tmp_path: Path) -> None:
    ranking = {
        "event": "ranking",
        "id": "r1",
        "items": [{"id": "item3", "fields": [{"name": "relevancy", "value": 2.0}]}, {"id": "item1"}, {"id": "item3"}],
        "user": "user1",
        "session": "session1",
        "fields": [{"name": "query", "value": "jeans"}, {"name": "source", "value": "search"}],
        "timestamp": "1599391467000",
    }
    bought = {"event": "interaction", "id": "i1", "ranking": "r1", "type": "purchase", "item": "item1", "user": "user1"}
    bought["timestamp"] = "1599391468000"
    rows = [
        bought,
        ranking,
        bought | {"id": "i2", "item": "item9"},
        bought | {"id": "i3", "ranking": "r9"},
        bought | {"id": "i4", "type": "teleport"},
        bought | {"timestamp": "1599391469000"},
        {"event": "item", "id": "e", "item": "item1", "timestamp": 1, "fields": [], "colour": "red"},
    ]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(json.dumps(row) for row in rows) + '\n\n{"event": \n')
    report = ingested(tmp_path / "data", str(file), "--format", "metarank")
    assert (report["pages"], report["events"], report["duplicates"]) == (1, 1, 0)
    reasons = {"not shown": 1, "unknown query": 1, "unknown action": 1, "conflict": 1, "not JSON": 1}
    assert report["refused"] == reasons
    assert report["not_used"] == {"items.fields": 1, "fields.source": 1, "item event": 1}
    assert report["unknown_fields"] == {"colour": 1}
    assert len(report["examples"]) == sum(reasons.values())
    page = logged(tmp_path / "data")["r1"]
    assert (page.query.text, page.shown, page.query.time) == ("jeans", ("item3", "item1"), 1_599_391_467.0)
    assert page.query.user_id == UserIds(tmp_path / "data").hashed("user1")
    store = open_store(load_settings(), tmp_path / "data")
    (heard,) = store.feedback([QueryId("r1")])[QueryId("r1")]
    store.close()
    assert (heard.action, heard.item_id, heard.time) == ("purchase", "item1", 1_599_391_468.0)


def test_mistakes_of_the_command(tmp_path: Path) -> None:
    said = ingested(tmp_path, "no-such-file", code=1)
    assert "Cannot read no-such-file" in said
    (tmp_path / "x").write_text("{}\n")
    assert "Did you mean 'algolia'?" in ingested(tmp_path, str(tmp_path / "x"), "--format", "algolai", code=1)
