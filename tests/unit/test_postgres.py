"""What is peculiar to PostgreSQL: its tables, its absence, who may commit before whom, what is on disk."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from builders import click, impression
from postgres_server import PostgresServer, opened, postgres_server
from typer.testing import CliRunner
from words import item

from app.cli import app as cli
from app.settings import load_settings
from app.wiring.stores import open_catalogue, open_registry, open_store
from core.episodes import Feedback
from core.errors import InvalidConfig, Unavailable
from core.protocols import Outcome
from core.types import QueryId
from feedback.postgres import schema
from feedback.postgres.address import place
from feedback.postgres.catalogue import PostgresCatalogue
from feedback.postgres.database import APPENDING, Database, lock_key
from feedback.postgres.event_store import PostgresEventStore
from feedback.postgres.listener import Listener
from feedback.postgres.registry import PostgresRegistry
from feedback.registry import usable

NOBODY = "postgresql://ann:Geheim%2Fnis@/nothing?host=/nowhere"


@pytest.fixture
def open_database(postgres: PostgresServer) -> Iterator[Callable[[], Database]]:
    """Opens the same empty database as often as asked."""
    open_one, close = opened(postgres)
    yield open_one
    close()


@pytest.fixture(scope="module")
def falling() -> Iterator[PostgresServer]:
    """A server of its own, for tests that kill it."""
    with postgres_server() as server:
        yield server


def test_the_newest_migration_is_the_one_that_the_code_needs() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None
    assert int(head) == schema.HEAD


def test_several_that_start_at_once_make_the_tables_once(postgres: PostgresServer) -> None:
    url = postgres.new()
    with ThreadPoolExecutor(4) as pool:
        databases = [Database(url) for _ in range(4)]
        list(pool.map(schema.make_ready, databases))
    assert databases[0].rows("SELECT version_num FROM alembic_version") == [("0001",)]
    assert schema.upgrade(databases[0]) == 0
    for database in databases:
        database.close()


def test_tables_of_another_time_are_refused(postgres: PostgresServer) -> None:
    with closing(Database(postgres.new())) as database:
        with pytest.raises(InvalidConfig, match=r"have version 0, this Bowerbird needs 1\. Run `bowerbird db upgrade`"):
            schema.make_ready(database, migrate=False)
        schema.make_ready(database)
        with database.transaction() as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0099'")
        with pytest.raises(InvalidConfig, match=r"have version 99, this Bowerbird knows 1\. Upgrade Bowerbird"):
            schema.make_ready(database)


def test_who_may_not_make_tables_is_told(postgres: PostgresServer) -> None:
    url = postgres.new()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
    reader = Database(url.replace("bowerbird@", "reader@"))
    with closing(reader), pytest.raises(InvalidConfig, match="permission denied for schema public"):
        schema.make_ready(reader)


def test_db_upgrade_says_what_it_did(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.new()
    (tmp_path / "c.toml").write_text(f'[database]\nurl = "{url}"\n')
    command = ["--config", str(tmp_path / "c.toml"), "db", "upgrade"]
    for count in (1, 0):
        told = CliRunner().invoke(cli, command)
        assert told.exit_code == 0, told.output
        assert f"{count} migrations run, the tables have version 1." in " ".join(told.stdout.split())
    assert isinstance(CliRunner().invoke(cli, ["db", "upgrade"]).exception, InvalidConfig)


def test_a_database_that_is_away_is_told_without_the_password(tmp_path: Path) -> None:
    settings = load_settings(overrides={"database": {"url": NOBODY}, "service": {"data_dir": str(tmp_path)}})
    for opens in (open_store, open_catalogue, open_registry):
        with pytest.raises(Unavailable, match=r"The database /nowhere:5432/nothing cannot do this now") as caught:
            opens(settings)
        assert "Geheim" not in str(caught.value)


def test_the_password_is_printed_nowhere(tmp_path: Path) -> None:
    settings = load_settings(overrides={"database": {"url": NOBODY}})
    other = load_settings(overrides={"database": {"url": NOBODY.replace("Geheim", "secret")}})
    assert settings.hash == other.hash
    (tmp_path / "c.toml").write_text(f'[database]\nurl = "{NOBODY}"\n')
    printed = [CliRunner().invoke(cli, ["--config", str(tmp_path / "c.toml"), "config", *more]).output
               for more in ([], ["--json"])]  # fmt: skip
    for text in (*printed, repr(settings), str(settings), place(NOBODY)):
        assert "nothing" in text or "database" in text
        assert "Geheim" not in text


@pytest.mark.parametrize("wrong", ["postgresql//ann:Geheim@host/db", "mysql://ann:Geheim@host/db", "host=x"])
def test_a_wrong_address_is_refused_without_repeating_it(wrong: str) -> None:
    with pytest.raises(InvalidConfig, match="This is not an address of PostgreSQL") as caught:
        load_settings(overrides={"database": {"url": wrong}})
    assert "Geheim" not in str(caught.value)


def test_each_acknowledged_append_is_on_disk_and_those_who_wait_share(open_database: Callable[[], Database]) -> None:
    database = open_database()
    with closing(PostgresEventStore(database)) as store:
        before = syncs(database)
        for n in range(30):
            store.append_impression(impression(f"alone-{n}"))
            store.append_feedback([click(f"alone-{n}")])
    assert settled(database, above=before + 59) <= before + 60 + 30  # the server syncs now and then by itself
    with closing(PostgresEventStore(database)) as store:
        before = syncs(database)
        with ThreadPoolExecutor(64) as pool:
            list(pool.map(lambda n: store.append_impression(impression(f"together-{n}")), range(1_280)))
    assert settled(database, above=before + 1) < before + 640


def syncs(database: Database) -> int:
    return int(database.rows("SELECT wal_sync FROM pg_stat_wal")[0][0])


def settled(database: Database, *, above: int) -> int:
    """Figures of a session are complete once it has ended and a moment has passed."""
    deadline, found = time.monotonic() + 5, -1
    while time.monotonic() < deadline and (found <= above or found != syncs(database)):
        found = syncs(database)
        time.sleep(0.3)
    assert found > above
    return found


def test_no_reader_sees_a_number_while_a_smaller_one_may_come(open_database: Callable[[], Database]) -> None:
    reader, slow, quick = (PostgresEventStore(open_database()) for _ in range(3))
    quick.append_impression(impression("first"))
    with closing(open_database().line()) as line:  # a writer that has drawn its number and not committed
        line.execute("BEGIN")
        line.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", lock_key(APPENDING))
        line.execute(
            "INSERT INTO impressions (query_id, time, body, shown, context_schema, context, feature_schema, features) "
            "SELECT 'slow', time, body, shown, context_schema, context, feature_schema, features FROM impressions"
        )
        slow.append_impression(impression("third"))
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(lambda: reader.impressions(after=0, limit=10))
            time.sleep(0.2)
            assert not reading.done()
            line.execute("COMMIT")
            assert [entry.impression.query.id for entry in reading.result()] == ["first", "slow", "third"]
    for store in (reader, slow, quick):
        store.close()


def test_readers_follow_several_writers_without_a_gap(open_database: Callable[[], Database]) -> None:
    writers = [PostgresEventStore(open_database()) for _ in range(3)]
    seen, after = list[str](), 0
    with ThreadPoolExecutor(9) as pool:
        waiting = [pool.submit(writers[n % 3].append_impression, impression(f"q{n}")) for n in range(300)]
        while len(seen) < 300:
            over = all(each.done() for each in waiting)
            found = writers[0].impressions(after=after, limit=50)
            seen += [entry.impression.query.id for entry in found]
            after = found[-1].sequence if found else after
            assert found or not over
    assert sorted(seen) == sorted(f"q{n}" for n in range(300))
    for store in writers:
        store.close()


def test_the_same_events_sent_to_several_processes_count_once(open_database: Callable[[], Database]) -> None:
    stores = [PostgresEventStore(open_database()) for _ in range(4)]
    for n in range(20):
        stores[0].append_impression(impression(f"q{n}"))
    events = [click(f"q{n}", event_id=f"e{n}") for n in range(20)]
    other = [click(f"q{n}", "b", event_id=f"e{n}") for n in range(20)]
    sent: list[tuple[PostgresEventStore, list[Feedback]]] = [
        (stores[0], events), (stores[1], events[::-1]), (stores[2], other), (stores[3], other[::-1]),
    ]  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        outcomes = [outcome for found in pool.map(lambda each: each[0].append_feedback(each[1]), sent)
                    for outcome in found]  # fmt: skip
    assert outcomes.count(Outcome.STORED) == 20
    assert outcomes.count(Outcome.DUPLICATE) == 20
    assert outcomes.count(Outcome.CONFLICT) == 40
    for store in stores:
        store.close()


def test_after_a_crash_of_the_server_all_goes_on_and_nothing_is_lost(falling: PostgresServer) -> None:
    with closing(Database(falling.migrated())) as database:
        store, catalogue, registry = (
            PostgresEventStore(database),
            PostgresCatalogue(database),
            PostgresRegistry(database),
        )
        store.append_impression(impression("before"))
        catalogue.put([item("a", "one")])
        release = registry.publish({"memory": b"m1"})
        falling.stop(signal.SIGKILL)
        with pytest.raises(Unavailable, match="cannot do this now"):
            store.append_impression(impression("while"))
        with pytest.raises(Unavailable, match="cannot do this now"):
            store.impressions(after=0, limit=1)
        with pytest.raises(Unavailable, match="cannot do this now"):
            catalogue.put([item("b", "two")])
        with pytest.raises(Unavailable):  # not: the model is damaged, go on without it
            usable(registry, release, "memory")
        falling.start()
        assert catalogue.sequence() == 1  # a question is asked again when its connection turns out to be dead
        assert registry.current() == release
        store.append_impression(impression("after"))
        assert [entry.impression.query.id for entry in store.impressions(after=0, limit=9)] == ["before", "after"]
        assert store.append_feedback([click("before")]) == [Outcome.STORED]
        store.close()


def test_a_read_is_asked_again_when_its_connection_breaks(falling: PostgresServer) -> None:
    url = falling.migrated()
    with closing(Database(url)) as database, psycopg.connect(url, autocommit=True) as killer:
        first = database.rows("SELECT pg_backend_pid()")[0][0]
        killer.execute("SELECT pg_terminate_backend(%s)", (first,))
        assert database.rows("SELECT pg_backend_pid()")[0][0] != first


def test_who_listens_hears_of_items_and_releases_also_after_a_crash(falling: PostgresServer) -> None:
    with closing(Database(falling.migrated())) as database:
        heard = Event()
        listener = Listener(database, heard.set)
        assert heard.wait(5)  # at first, for what was said before
        for change in (
            lambda: PostgresCatalogue(database).put([item("a", "one")]),
            lambda: PostgresCatalogue(database).delete(item("a", "one").id),
            lambda: PostgresRegistry(database).publish({"memory": b"m"}),
            lambda: PostgresRegistry(database).activate(1),
        ):
            time.sleep(0.1)
            heard.clear()
            change()
            assert heard.wait(2)
        heard.clear()
        falling.stop(signal.SIGKILL)
        falling.start()
        assert heard.wait(10)
        listener.close()


def test_a_full_batch_with_every_kind_of_row(open_database: Callable[[], Database]) -> None:
    with closing(PostgresEventStore(open_database())) as store:
        store.append_impression(impression("q"))
        events = [click("q", event_id=f"e{n}", time=float(n)) for n in range(1_000)]
        assert store.append_feedback(events) == [Outcome.STORED] * 1_000
        assert len(store.feedback([QueryId("q")])["q"]) == 1_000


def test_doctor_tells_of_the_database(postgres: PostgresServer, tmp_path: Path) -> None:
    def told(url: str) -> str:
        file = tmp_path / "c.toml"
        file.write_text(f'[database]\nurl = "{url}"\n')
        command = ["--config", str(file), "--data-dir", str(tmp_path), "doctor"]
        return " ".join(CliRunner().invoke(cli, command).output.split())

    url = postgres.migrated()
    assert f"ok database: {place(url)}, tables of version 1." in told(url)
    assert "broken database: The database /nowhere:5432/nothing cannot do this now" in told(NOBODY)
