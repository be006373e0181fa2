"""The Python client knows every field that the service takes and answers, under the same key, and no other."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import bowerbird_client as client
import pytest
from bowerbird_client import answers
from bowerbird_client.search import search_body
from bowerbird_client.wire import decode, encode, key_of
from pydantic import BaseModel

from app.schemas import events, explanation, facets, items, memory, operations, parts, quality, search

PAIRED: list[tuple[type, type[BaseModel]]] = [
    (client.SearchAnswer, search.SearchAnswer),
    (client.Hit, search.Hit),
    (client.Found, search.Found),
    (client.ArmReport, search.ArmBody),
    (client.Plan, search.PlanBody),
    (client.Range, search.RangeBody),
    (client.Explanation, explanation.ExplanationBody),
    (client.Part, explanation.PartBody),
    (client.Quality, explanation.QualityBody),
    (client.Praised, explanation.PraisedBody),
    (client.ValueCount, facets.ValueBody),
    (client.RangeCount, facets.RangeCountBody),
    (client.Figures, facets.FiguresBody),
    (client.EventsAnswer, events.EventsAnswer),
    (client.Rejection, parts.Rejection),
    (client.Item, items.ItemBody),
    (client.Review, items.ReviewBody),
    (client.Question, items.QuestionBody),
    (client.ItemsAnswer, items.ItemsAnswer),
    (client.MemoryAnswer, memory.MemoryAnswer),
    (client.MemoryEntry, memory.EntryBody),
    (client.Remembered, memory.RememberedBody),
    (client.Neighbour, memory.NeighbourBody),
    (answers.Pairs, quality.PairsAnswer),
    (client.Pair, quality.PairBody),
    (client.JudgedItem, quality.JudgedItem),
    (client.OfferedTerm, quality.OfferedTerm),
    (answers.Judged, quality.JudgmentAnswer),
    (client.Health, operations.Health),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRED, ids=lambda kind: kind.__name__)
def test_fields_are_the_same(ours: Any, theirs: type[BaseModel]) -> None:
    expected = {field.alias or name for name, field in theirs.model_fields.items()}
    assert {key_of(each) for each in fields(ours)} == expected


@pytest.mark.parametrize(("ours", "theirs"), PAIRED, ids=lambda kind: kind.__name__)
def test_the_example_of_the_service_is_read_whole(ours: Any, theirs: type[BaseModel]) -> None:
    example = json.loads(
        theirs(**theirs.model_config["json_schema_extra"]["examples"][0]).model_dump_json(by_alias=True)
    )
    read = decode(ours, example)
    assert theirs(**encode(read)) == theirs(**example)
    assert decode(ours, {**example, "of_a_newer_service": 1}) == read


def test_a_search_can_ask_for_everything() -> None:
    names = {"from" if name == "start" else name for name in client.SearchOptions.__annotations__} | {"query"}
    assert names == {field.alias or name for name, field in search.SearchBody.model_fields.items()}
    asked = search_body("love", {"start": 3, "filters": {"year": client.Range(2000), "type": "track"}})
    assert search.SearchBody(**asked).start == 3
    assert search.SearchBody(**asked).filters["year"] == search.RangeBody(low=2000)


def test_an_event_has_the_services_form() -> None:
    event = client.Event("q", "i", "like", 3, "c", "s", "u")
    body = events.EventBody(**event.body())
    feedback = body.feedback(received=0.0, hashed=lambda user: user)
    assert (feedback.event_id, feedback.item_id, feedback.position) == (event.event_id, "i", 3)
    assert feedback.time == event.timestamp.timestamp()
    assert client.Event("q", "i").event_id != client.Event("q", "i").event_id
