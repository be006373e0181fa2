"""The Python client against the real service: every call, in both its forms."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bowerbird_client import (
    AsyncClient,
    Client,
    Event,
    Figures,
    Invalid,
    Item,
    Limits,
    NotFound,
    Question,
    Range,
    Review,
    ValueCount,
)

Running = tuple[str, Callable[[], Any]]
FULL = Item(
    id="track:a/b?c#d%2F..",
    fields={"title": "Crosseyed and painless", "artist": "Talking Heads"},
    type="track",
    attributes={"mood": ("nervous", "wild")},
    numbers={"year": 1980.0},
    dates={"released": datetime(1980, 10, 8, tzinfo=UTC)},
    images=("https://example.org/cover.png",),
    relations={"tracks": ("track:one",)},
    reviews=(Review("Lost my shape.", 5.0, datetime(2020, 1, 1, tzinfo=UTC)),),
    questions=(Question("Is it live?", ("No.",)),),
)


class Awaited:
    """AsyncClient called as if it were Client, so that one test asks both."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._loop = asyncio.Runner()
        self._client = AsyncClient(*args, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **options: self._loop.run(getattr(self._client, name)(*args, **options))

    def __enter__(self) -> Awaited:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._client.aclose())
        self._loop.close()


@pytest.fixture(params=[Client, Awaited])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def client(kind: Any, running: Running) -> Iterator[Client]:
    with kind(running[0]) as made:
        yield made


def test_a_search_says_what_it_found_and_how(client: Client) -> None:
    answer = client.search("tayler love", size=3, client_id="c", session_id="s", explain=True, context={"page": "home"})
    assert answer.hits[0].fields["title"] in {"Love Story", "Lover", "Taylor Swift"}
    assert [hit.position for hit in answer.hits] == [1, 2, 3]
    assert not answer.degraded
    assert set(answer.arms) == set(answer.plan.depths)
    first = answer.hits[0]
    assert first.explanation is not None
    parts = first.explanation.features.values()
    assert first.explanation.base + sum(part.contribution for part in parts) == pytest.approx(first.score, abs=1e-6)


def test_filters_facets_and_pages(client: Client) -> None:
    answer = client.search("", filters={"type": "track", "year": Range(2000, None)}, facets=["mood", "year"])
    assert {hit.id for hit in answer.hits} == {"track:love-story", "track:lover"}
    assert ValueCount("romantic", 2) in answer.facets["mood"]
    figures = answer.facets["year"]
    assert isinstance(figures, Figures)
    assert figures.ranges[0].low == figures.min
    second = client.search("", filters={"type": ["track"], "year": Range(low=2000)}, start=1, size=1)
    assert [hit.position for hit in second.hits] == [2]
    assert client.search("love", preview=True, plan="lexical").plan.name == "lexical"


def test_an_event_counts_once_however_often_it_is_sent(client: Client) -> None:
    answer = client.search("love", client_id="c")
    event = Event.of(answer, answer.hits[0], client_id="c")
    assert client.send_events([event, event]).duplicates == 1
    assert client.send_events([event]).duplicates == 1


def test_refused_events_keep_their_places_over_several_requests(kind: Any, running: Running) -> None:
    with kind(running[0], limits=Limits(events=2)) as client:
        answer = client.search("love")
        shown = Event.of(answer, answer.hits[0])
        strange = replace(shown, item_id="no-such-item", event_id="strange")
        stored = client.send_events([shown, {**shown.body(), "event_id": ""}, strange, replace(strange, event_id="2")])
        assert stored.stored == 2
        assert [(each.index, each.code) for each in stored.rejected] == [(2, "item_not_shown"), (3, "item_not_shown")]
        alone = client.send_events([replace(shown, query_id="never", event_id="3")])
        assert [(each.index, each.code) for each in alone.rejected] == [(0, "unknown_query")]
        assert client.send_events([]).stored == 0


@pytest.mark.parametrize("item_id", [FULL.id, "..", ".", "ä ö", "a//b"])
def test_items_come_back_as_they_were_sent(client: Client, item_id: str) -> None:
    sent = replace(FULL, id=item_id)
    assert client.put_items([sent]).stored == 1
    assert client.get_item(item_id) == sent
    assert client.delete_item(item_id)
    assert not client.delete_item(item_id)
    with pytest.raises(NotFound) as caught:
        client.get_item(item_id)
    assert caught.value.code == "no_such_item"


def test_items_go_in_as_many_requests_as_they_need(kind: Any, running: Running) -> None:
    new = [Item(f"new:{n}", {"title": f"number {n} " + "x" * 300}) for n in range(7)]
    for limits in (Limits(items=3), Limits(body_bytes=1_000)):
        with kind(running[0], limits=limits) as client:
            answer = client.put_items([*new, {"id": "bad", "fields": {}}, {"id": "good", "fields": {"title": "good"}}])
            assert answer.stored == 8
            assert [(each.index, each.code) for each in answer.rejected] == [(7, "invalid_item")]
            assert client.get_item("new:6") == new[6]
            assert client.delete_items([*(item.id for item in new), "good", "never there"]) == 8


def test_memory_and_health(client: Client) -> None:
    remembered = client.memory("love story", limit=3)
    assert remembered.query == "love story"
    assert remembered.entries[0].item_id == "track:love-story"
    assert (client.alive().status, client.ready().status) == ("alive", "ready")
    assert client.wait_until_ready(5).items == client.ready().items
    assert client.pairs(limit=1) == ()


def test_a_problem_carries_what_the_service_said(client: Client) -> None:
    with pytest.raises(Invalid, match="at most 100 are allowed") as caught:
        client.search("love", size=101)
    problem = caught.value
    assert (problem.status, problem.code) == (422, "too_large_size")
    assert problem.remedy == problem.body["remedy"] != ""
    with pytest.raises(NotFound) as unknown:
        client.judge("never", "track:one")
    assert unknown.value.code == "unknown_pair"
    with pytest.raises(ValueError, match="JSON"):
        client.put_items([Item("nan", {"title": "x"}, numbers={"price": float("nan")})])


def test_a_wrong_path_is_no_answer_about_the_entries(kind: Any, running: Running) -> None:
    with kind(f"{running[0]}/elsewhere") as client, pytest.raises(NotFound) as caught:
        client.put_items([FULL])
    assert caught.value.code == "http_404"


def test_both_clients_have_the_same_calls() -> None:
    def calls(client: type) -> dict[str, Any]:
        public = inspect.getmembers(client, inspect.isfunction)
        return {name: inspect.signature(call) for name, call in public if not name.startswith("_")}

    waiting, awaited = calls(Client), calls(AsyncClient)
    del waiting["close"], awaited["aclose"]
    assert waiting == awaited


def test_the_example_of_the_readme(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[2] / "clients" / "python" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    exec(example.replace("http://127.0.0.1:8080", running[0]), {})
    assert "Love Story" in capsys.readouterr().out
