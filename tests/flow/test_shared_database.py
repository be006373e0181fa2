"""Several services on one PostgreSQL: they see one another's items and models, and one of their learners leads."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from http_words import event, search
from postgres_server import PostgresServer, postgres_server
from served import Served, within
from small_service import ITEMS

from app.schemas.items import ItemBody
from feedback.postgres.database import LEADING, Database
from feedback.postgres.registry import PostgresRegistry


class Running(Served):
    """With the learner that it starts."""

    def __init__(self, folder: Path, cache: Path, database: str, *, reload_s: float) -> None:
        settings = f"""
            [database]
            url = "{database}"
            [service]
            reload_s = {reload_s}
            [feedback]
            window_s = 0.2
            [learner]
            interval_s = 0.2
            """
        super().__init__(folder, cache, settings)
        self.start()

    def found(self, query: str) -> list[str]:
        body = {"query": query, "preview": True, "plan": "lexical"}
        return [hit["id"] for hit in self.http.post("/v1/search", json=body).json()["hits"]]

    def release(self) -> int:
        return int(self.http.get("/readyz").json()["release"])

    def search_and_click(self, query: str) -> None:
        answer = search(self.http, query, client_id="c")
        sent = event(answer, answer["hits"][0]["id"], event_id=answer["query_id"])
        assert self.http.post("/v1/events", json=sent).json()["stored"] == 1


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    return postgres.migrated()


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, cache: Path, database: str, encoder: object
) -> Iterator[tuple[Running, Running]]:
    """One that only notifications can tell in time, and one that looks often. The encoder is in the cache already."""
    folder = tmp_path_factory.mktemp("shared")
    both = (
        Running(folder / "notified", cache, database, reload_s=600.0),
        Running(folder / "polling", cache, database, reload_s=0.5),
    )
    try:
        for each in both:
            each.wait()
        yield both
    finally:
        for each in both:
            each.close()


def test_items_of_one_are_found_by_the_other_within_two_seconds(services: tuple[Running, Running]) -> None:
    for one, other in (services, services[::-1]):
        items = [ItemBody.of(item).model_dump(mode="json", exclude_none=True) for item in ITEMS]
        assert one.http.put("/v1/items", json=items).json()["stored"] == len(ITEMS)
        within(2.0, lambda other=other: other.found("lullabies") == ["playlist:quiet"])
        assert one.http.delete("/v1/items/playlist:quiet").status_code == 204
        within(2.0, lambda other=other: "playlist:quiet" not in other.found("lullabies"))


def test_models_reach_every_service_within_two_seconds_and_a_killed_learner_is_replaced(
    services: tuple[Running, Running], database: str
) -> None:
    led = set[int]()
    for _ in range(2):
        (leader,) = learners(database)
        led.add(leader)
        before = newest(database)
        for service in services:  # searches of both teach the one learner
            service.search_and_click("taylor swift")
        within(30.0, lambda before=before: newest(database) > before)
        for service in services:
            within(2.0, lambda service=service: service.release() == newest(database))
        if len(led) == 1:
            os.kill(leader, signal.SIGKILL)
            within(5.0, lambda leader=leader: learners(database) not in ([], [leader]))
    assert len(led) == 2


def newest(database: str) -> int:
    """The number of the newest release."""
    return int(rows(database, "SELECT coalesce(max(number), 0) FROM releases")[0][0])


def learners(database: str) -> list[int]:
    """The processes that lead."""
    sql = """
        SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND objid = %s AND pg_locks.database =
            (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    return [int(name.split()[1]) for (name,) in rows(database, sql, LEADING)]


def rows(database: str, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(sql, parameters).fetchall()


def test_who_hears_nothing_finds_out_by_looking(services: tuple[Running, Running], database: str) -> None:
    notified, polling = services
    before = newest(database)
    for learner in learners(database):  # nobody publishes meanwhile: whoever takes over first learns the log again
        os.kill(learner, signal.SIGSTOP)
    try:
        with psycopg.connect(database) as connection:  # without the NOTIFY that belongs to it
            connection.execute("UPDATE current_release SET number = (SELECT min(number) FROM releases)")
        within(2.0, lambda: polling.release() < before)
        assert notified.release() == before
        PostgresRegistry(opened := Database(database)).activate(before)
        opened.close()
        for service in services:
            within(2.0, lambda service=service: service.release() == before)
    finally:
        for learner in learners(database):
            os.kill(learner, signal.SIGCONT)


def test_a_service_waits_for_its_database(tmp_path: Path, cache: Path, encoder: object) -> None:
    with postgres_server() as server:
        url = server.migrated()
        server.stop(signal.SIGKILL)
        service = Running(tmp_path / "early", cache, url, reload_s=0.5)
        try:
            within(30.0, lambda: "The service could not start: The database" in told(service))
            server.start()
            service.wait()
            assert service.http.get("/readyz").json()["items"] == 0
        finally:
            service.close()


def told(service: Running) -> str:
    try:
        return str(service.http.get("/readyz").json().get("message"))
    except httpx.TransportError:
        return ""
