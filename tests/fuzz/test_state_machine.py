"""Upserts, deletes, searches and events in any order, against a model of a few lines.

`make fuzz` runs more and longer sequences: FUZZ_EXAMPLES of them, 8 by default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from http_service import Running
from http_words import event, search
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from small_service import ITEMS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))
# Distinct words, none of which is a slip of the finger away from another.
WORDS = ("anchor", "bicycle", "cathedral", "dolphin", "elephant", "furnace")
MOODS = ("calm", "wild")
ids = st.sampled_from([f"made/{n}" for n in range(6)])
words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True)


@dataclass
class Model:
    """What has to be there: items with their words and mood, pages with what they showed, events with their body."""

    items: dict[str, tuple[frozenset[str], str]] = field(default_factory=dict)
    pages: dict[str, list[str]] = field(default_factory=dict)
    events: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def holding(self, word: str, mood: str | None) -> set[str]:
        return {i for i, (title, its) in self.items.items() if word in title and mood in (None, its)}

    def outcome(self, event_id: str, body: tuple[str, str, str]) -> str:
        if event_id in self.events:
            return "duplicate" if self.events[event_id] == body else "event_id_reused"
        query_id, item_id, _ = body
        if query_id not in self.pages:
            return "unknown_query"
        return "stored" if item_id in self.pages[query_id] else "item_not_shown"


class Machine(RuleBasedStateMachine):
    """Every answer of the service is what the model says."""

    http: httpx.Client
    runs = 0

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        type(self).runs += 1

    @initialize()
    def starts_empty(self) -> None:
        for item_id in [item.id for item in ITEMS] + [f"made/{n}" for n in range(6)]:
            assert self.http.delete(f"/v1/items/{item_id}").status_code in (204, 404)

    @rule(batch=st.dictionaries(ids, st.tuples(words, st.sampled_from(MOODS)), min_size=1, max_size=4))
    def upserts(self, batch: dict[str, tuple[list[str], str]]) -> None:
        body = [
            {"id": item_id, "fields": {"title": " ".join(title)}, "attributes": {"mood": mood}}
            for item_id, (title, mood) in batch.items()
        ]
        assert self.http.put("/v1/items", json=body).json() == {"stored": len(batch), "rejected": []}
        self.model.items |= {item_id: (frozenset(title), mood) for item_id, (title, mood) in batch.items()}

    @rule(item_id=ids)
    def deletes(self, item_id: str) -> None:
        there = self.model.items.pop(item_id, None)
        assert self.http.delete(f"/v1/items/{item_id}").status_code == (204 if there else 404)

    @rule(item_id=ids)
    def gets(self, item_id: str) -> None:
        response = self.http.get(f"/v1/items/{item_id}")
        assert response.status_code == (200 if item_id in self.model.items else 404)
        if response.status_code == 200:
            title, mood = self.model.items[item_id]
            assert frozenset(response.json()["fields"]["title"].split()) == title
            assert response.json()["attributes"] == {"mood": [mood]}

    @rule(word=st.sampled_from(WORDS), mood=st.sampled_from([None, *MOODS]), size=st.sampled_from([1, 100]))
    def searches(self, word: str, mood: str | None, size: int) -> None:
        filters = {"filters": {"mood": mood}} if mood else {}
        answer = search(self.http, word, size=size, client_id="machine", **filters)
        hits = [hit["id"] for hit in answer["hits"]]
        assert len(hits) == len(set(hits)) <= size
        assert {hit for hit in hits if mood in (None, self.model.items[hit][1])} == set(hits)
        if size == 100 and "lexical" in answer["plan"]["depths"]:
            assert self.model.holding(word, mood) <= set(hits)
        self.model.pages[answer["query_id"]] = hits

    @precondition(lambda self: self.model.pages)
    @rule(data=st.data(), number=st.integers(0, 5), action=st.sampled_from(["click", "like"]), known=st.booleans())
    def feeds_back(self, data: st.DataObject, number: int, action: str, known: bool) -> None:
        query_id = data.draw(st.sampled_from(sorted(self.model.pages))) if known else "never"
        item_id = data.draw(ids)
        event_id, body = f"{self.runs}-{number}", (query_id, item_id, action)
        expected = self.model.outcome(event_id, body)
        sent = event({"query_id": query_id}, item_id, event_id=event_id, action_name=action)
        answer: dict[str, Any] = self.http.post("/v1/events", json=sent).json()
        if expected in ("stored", "duplicate"):
            assert (answer["stored"], answer["duplicates"]) == ((1, 0) if expected == "stored" else (0, 1))
            self.model.events[event_id] = body
        else:
            assert answer["code"] == expected


@pytest.fixture
def http(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running[0], timeout=30) as client:
        yield client


@pytest.mark.timeout(60 + 15 * EXAMPLES)
def test_the_service_does_what_the_model_says(http: httpx.Client) -> None:
    machine = type("Connected", (Machine,), {"http": http})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            derandomize="FUZZ_EXAMPLES" not in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
