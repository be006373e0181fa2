"""What another process loads into the catalogue is found by a running service within two seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx

from app.settings import Settings


def test_ingest_beside_a_running_service(http: httpx.Client, settings: Settings, tmp_path: Path) -> None:
    rows = [{"id": f"new-{n}", "fields": {"title": f"Xylophone sonata {n}"}} for n in range(50)]
    (tmp_path / "new.ndjson").write_text("\n".join(map(json.dumps, rows)))
    folder = str(settings.data_dir)
    command = [sys.executable, "-m", "app.cli", "--data-dir", folder, "ingest", str(tmp_path / "new.ndjson"), "--json"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    loaded = time.monotonic()
    unseen = {"lexical", "vector", "memory"}
    while unseen and time.monotonic() < loaded + 2:
        for plan in sorted(unseen):
            body = {"query": "xylophone sonata 7", "preview": True, "plan": plan}
            hits = http.post("/v1/search", json=body).json()["hits"]
            if hits and hits[0]["id"].startswith("new-"):
                unseen.discard(plan)
        time.sleep(0.05)
    assert not unseen
    for row in rows:
        assert http.delete(f"/v1/items/{row['id']}").status_code == 204
