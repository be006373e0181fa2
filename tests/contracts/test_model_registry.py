"""What every model registry must do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from postgres_server import PostgresServer, opened

from core.errors import Conflict, CorruptModel, NotFound
from core.protocols import ModelRegistry
from feedback.postgres.registry import PostgresRegistry
from feedback.registry import FileRegistry


@pytest.fixture(params=("files", "postgres"))
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModelRegistry]:
    if request.param == "files":
        yield FileRegistry(tmp_path)
        return
    database, close = opened(request.getfixturevalue("postgres"))
    yield PostgresRegistry(database())
    close()


def test_before_the_first_release(registry: ModelRegistry) -> None:
    assert registry.current() is None
    assert registry.releases() == []


def test_a_release_keeps_the_components_that_did_not_change(registry: ModelRegistry) -> None:
    first = registry.publish({"memory": b"m1", "ranker": b"r1"}, notes={"episodes": "10"})
    second = registry.publish({"memory": b"m2"})
    assert (first.number, second.number) == (1, 2)
    assert registry.load(second, "memory") == b"m2"
    assert registry.load(second, "ranker") == b"r1"
    assert registry.load(first, "memory") == b"m1"
    assert registry.current() == second
    assert registry.releases() == [first, second]
    assert first.notes == {"episodes": "10"}


def test_the_way_back(registry: ModelRegistry) -> None:
    first = registry.publish({"memory": b"m1"})
    registry.publish({"memory": b"m2"})
    assert registry.activate(1) == first == registry.current()
    assert registry.publish({"memory": b"m3"}).number == 3
    with pytest.raises(NotFound, match=r"There is no release 9\. There are: 1, 2, 3\."):
        registry.activate(9)


def test_what_was_decided_by_an_older_release_is_not_published(registry: ModelRegistry) -> None:
    first = registry.publish({"memory": b"m1"})
    second = registry.publish({"memory": b"m2"}, onto=first)
    with pytest.raises(Conflict, match=r"Release 1 is not current: release 2 is\."):
        registry.publish({"memory": b"m3"}, onto=first)
    assert registry.current() == second


def test_an_unknown_component(registry: ModelRegistry) -> None:
    release = registry.publish({"memory": b"m1"})
    with pytest.raises(NotFound, match=r"no component 'ranker'\. It has: memory\."):
        registry.load(release, "ranker")


def test_old_releases_go_and_the_current_one_stays(registry: ModelRegistry) -> None:
    for n in range(6):
        registry.publish({"memory": f"m{n}".encode(), "ranker": b"same"})
    registry.activate(2)
    assert registry.collect(keep=2) == 3
    assert [release.number for release in registry.releases()] == [2, 5, 6]
    for release in registry.releases():
        assert registry.load(release, "ranker") == b"same"
    assert registry.collect(keep=2) == 0


def test_publishers_come_one_after_the_other(registry: ModelRegistry) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: registry.publish({f"model{n}": b"m"}), range(24)))
    assert sorted(release.number for release in found) == list(range(1, 25))
    newest = registry.current()
    assert newest is not None
    assert set(newest.components) == {f"model{n}" for n in range(24)}


def test_a_large_model(registry: ModelRegistry) -> None:
    data = bytes(range(256)) * 100_000
    assert registry.load(registry.publish({"memory": data}), "memory") == data


def test_damage_in_the_database_is_found(postgres: PostgresServer) -> None:
    database, close = opened(postgres)
    registry = PostgresRegistry(database())
    release = registry.publish({"memory": b"m1"})
    for damage in ("UPDATE objects SET data = 'm2'", "DELETE FROM objects"):
        with database().transaction() as connection:
            connection.execute(damage)
        with pytest.raises(CorruptModel, match="'memory' of release 1 is missing or damaged"):
            registry.load(release, "memory")
    close()


def test_damage_is_found(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    release = registry.publish({"memory": b"m1"})
    path = tmp_path / "objects" / release.components["memory"]
    for damage in (b"m2", b"", None):
        path.unlink() if damage is None else path.write_bytes(damage)
        with pytest.raises(CorruptModel, match="'memory' of release 1 is missing or damaged"):
            registry.load(release, "memory")


def test_left_over_files_block_nothing(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    (tmp_path / "objects" / ".abc.1.partial").write_bytes(b"half")
    (tmp_path / "releases" / ".00000001.json.1.partial").write_bytes(b"{")
    release = FileRegistry(tmp_path).publish({"memory": b"m1"})
    assert registry.current() == release
    registry.collect(keep=1)
    assert not list((tmp_path / "objects").glob(".*"))
