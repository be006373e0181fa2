"""A copy taken while serving, restored elsewhere: the same answers, and nothing torn is ever put back."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import impression
from small_service import prepared

from app.operating.backup import export, restore
from app.service import Service, new_query_id
from app.settings import Settings
from app.wiring.learning import build_learning
from app.wiring.service import build_service
from core.episodes import EventId, Feedback
from core.errors import InvalidInput
from core.types import Query, QueryId

QUERIES = ["love", "swift", "taylor one", "history", "quiet night", "metallica", "lullabies", "", "lover story", "calm"]


def top(service: Service) -> list[tuple[str, ...]]:
    """What is shown for QUERIES; ids and times are given, so that nothing but data and models can differ."""
    return [
        service.search(Query(QueryId(f"q{n}"), text, 1e9), preview=True).impression.shown
        for n, text in enumerate(QUERIES)
    ]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    return prepared(tmp_path_factory, cache, feedback={"window_s": 1.0})


@pytest.fixture(scope="module")
def learned(settings: Settings) -> Iterator[Service]:
    """A service that has learned from some clicks, and is running."""
    service = build_service(settings)
    service.start()
    for n in range(20):
        page = service.search(Query(new_query_id(), "love", service.clock(), client_id=f"c{n}"))
        chosen = page.impression.shown[-1]
        service.record([Feedback(EventId(f"e{n}"), page.impression.query.id, chosen, "click", 0.0, service.clock())])
    learning = build_learning(settings)
    learning.step(service.clock() + 60)
    learning.close()
    service.reload()
    yield service
    service.close()


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_the_same_answers_elsewhere(
    learned: Service, settings: Settings, tmp_path: Path, cache: Path, name: str
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[limits]\npage_size = 50\n")
    secret = settings.data_dir / "user-ids.secret"
    secret.write_text("hush")
    secret.chmod(0o600)
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            learned.store.append_impression(impression(f"{name}-{(n := n + 1)}", time=1e9))

    writing = threading.Thread(target=write)
    writing.start()
    try:
        backup = export(settings, config, tmp_path / name)
    finally:
        stop.set()
        writing.join()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "cache").symlink_to(cache)
    assert restore(tmp_path / name, elsewhere).files == backup.files
    assert (elsewhere / "config.toml").read_text() == config.read_text()
    assert (elsewhere / "user-ids.secret").read_text() == "hush"
    assert [(path.stat().st_mode & 0o077) for path in (tmp_path / name, elsewhere / "user-ids.secret")] == [0, 0]
    service = build_service(
        settings.model_copy(update={"service": settings.service.model_copy(update={"data_dir": str(elsewhere)})})
    )
    service.start()
    try:
        assert service.serving.release == learned.serving.release > 0
        assert top(service) == top(learned)
        assert service.store.feedback([QueryId("none")]) == {}
        assert service.store.counts()["feedback"] == 20
        assert service.catalogue.name == learned.catalogue.name
        assert service.catalogue.sequence() == learned.catalogue.sequence()
    finally:
        service.close()


def test_nothing_is_put_over_data_or_from_what_is_not_whole(
    learned: Service, settings: Settings, tmp_path: Path
) -> None:
    good = tmp_path / "good"
    export(settings, None, good)
    with pytest.raises(InvalidInput, match="is there already"):
        export(settings, None, good)
    with pytest.raises(
        InvalidInput, match=r"holds catalogue\.sqlite, events\.sqlite, models, quality\.sqlite.* already"
    ):
        restore(good, settings.data_dir)
    for damage in ("bit", "missing", "manifest", "escape"):
        bad, target = tmp_path / damage, tmp_path / f"to-{damage}"
        shutil.copytree(good, bad)
        if damage == "bit":
            with (bad / "events.sqlite").open("r+b") as file:
                file.seek(5_000)
                byte = file.read(1)
                file.seek(5_000)
                file.write(bytes([byte[0] ^ 1]))
        elif damage == "missing":
            next((bad / "models" / "objects").iterdir()).unlink()
        elif damage == "manifest":
            (bad / "manifest.json").write_text("{")
        else:
            manifest = json.loads((bad / "manifest.json").read_text())
            manifest["files"]["../good/events.sqlite"] = manifest["files"]["events.sqlite"]
            (bad / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(InvalidInput, match=r"cannot be restored: .*nothing was changed"):
            restore(bad, target)
        assert not target.exists()
    (tmp_path / "no.tar").write_text("nothing of the kind")
    with pytest.raises(InvalidInput, match="cannot be restored"):
        restore(tmp_path / "no.tar", tmp_path / "to-no")
