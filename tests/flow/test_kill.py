"""What was acknowledged survives `kill -9`; what is published is whole."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.types import QueryId
from feedback.registry import FileRegistry
from feedback.sqlite_store import SqliteEventStore

HERE = Path(__file__).parent
_APPEND = """
import sys
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
sys.path[:0] = [sys.argv[2], sys.argv[3]]
from builders import click, impression
from feedback.sqlite_store import SqliteEventStore
store = SqliteEventStore(Path(sys.argv[1]))
def visit(n):
    query = f"{sys.argv[4]}-{n}"
    store.append_impression(impression(query))
    store.append_feedback([click(query)])
    sys.stdout.write(query + "\\n")
    sys.stdout.flush()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(visit, range(1_000_000)))
"""
_PUBLISH = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[2], sys.argv[3]]
from feedback.registry import FileRegistry
registry = FileRegistry(Path(sys.argv[1]))
for n in range(1_000_000):
    registry.publish({"memory": str(n).encode() * 20_000, "ranker": str(n // 3).encode()})
    registry.collect(keep=3)
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
"""


def run_and_kill(script: str, path: Path, name: str, after_s: float, words: int = 1) -> list[str]:
    """What the child said before it was killed, some time after its first `words`: slow disks too get there."""
    command = [sys.executable, "-c", script, str(path), str(HERE.parent), str(HERE.parent.parent), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = [child.stdout.readline() for _ in range(words)]
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        # The last line may be cut, and then it was not yet told to anyone.
        return [line.strip() for line in [*first, *child.stdout] if line.endswith("\n")]


@pytest.mark.parametrize("seed", range(3))
def test_acknowledged_events_survive_kill_9(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "events.sqlite"
    acknowledged: list[str] = []
    for round_ in range(3):
        after_s = random.Random(seed + 10 * round_).uniform(0.05, 0.5)
        acknowledged += run_and_kill(_APPEND, path, str(round_), after_s, words=5)
    store = SqliteEventStore(path)
    found = store.feedback([QueryId(query) for query in acknowledged])
    store.close()
    assert len(acknowledged) > 10
    assert set(found) == set(acknowledged)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_kill_while_publishing_leaves_the_old_release_or_the_new_one(tmp_path: Path) -> None:
    for round_ in range(4):
        said = run_and_kill(_PUBLISH, tmp_path, str(round_), random.Random(round_).uniform(0.02, 0.2))
        registry = FileRegistry(tmp_path)
        release = registry.current()
        assert release is not None
        assert release.number >= len(said)
        for component in release.components:
            registry.load(release, component)
