"""Answers are remembered until the arm may say something else, and cost what they cost to find."""

from __future__ import annotations

from arms_with_items import Okapi, Structured
from words import item, query

from app.search.fanout import FanOut
from core.types import ArmStatus, Plan, Query, Scored
from retrievers.lexical import LexicalRetriever

PLAN = Plan("lexical", {"lexical": 10})


class Counted(LexicalRetriever):
    """Counts how often it is asked."""

    asked = 0

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        self.asked += 1
        return super().retrieve(query, depth)


class Asked:
    """An arm behind a fan-out that remembers `remembered` answers."""

    def __init__(self, remembered: int) -> None:
        self.arm = Counted()
        self.arm.apply([item("red", "Red lamp"), item("blue", "Blue lamp")], [])
        self.fan_out = FanOut({"lexical": self.arm}, remembered=remembered)

    def __call__(self, text: str, depth: int = 10, **filters: str) -> list[str]:
        answers, reports = self.fan_out(Plan("p", {"lexical": depth}), query(text, **filters))
        assert reports["lexical"].status is ArmStatus.OK
        return [hit.item_id for hit in answers["lexical"]]


def test_who_asks_the_same_again_gets_the_same_answer_without_asking_the_arm() -> None:
    ask = Asked(10)
    assert ask("lamp") == ask("lamp") == ["blue", "red"]
    assert (ask.arm.asked, ask.fan_out.newest.used["lexical"]) == (1, 1)
    first, second = (ask.fan_out(PLAN, query("lamp"))[1]["lexical"] for _ in range(2))
    assert first == second  # the time that it took to find, too
    assert first.took_ms > 0


def test_another_text_depth_or_filter_is_another_question() -> None:
    ask = Asked(10)
    assert (ask("lamp"), ask("lamp", depth=1), ask("red lamp")) == (["blue", "red"], ["blue"], ["red", "blue"])
    assert ask("lamp", brand="Acme") == ask("lamp", brand="Acme") == []
    assert ask.arm.asked == 5


def test_after_a_change_the_arm_is_asked_again() -> None:
    ask = Asked(10)
    ask("lamp")
    ask.arm.apply([item("new", "Green lamp")], ["red"])
    assert ask("lamp") == ["blue", "new"]


def test_what_was_asked_longest_ago_goes_first() -> None:
    ask = Asked(2)
    for text in ("lamp", "red", "lamp", "blue", "lamp"):
        ask(text)
    assert ask.arm.asked == 3
    ask("red")
    assert ask.arm.asked == 4


def test_nothing_is_remembered_where_that_is_configured() -> None:
    ask = Asked(0)
    assert ask("lamp") == ask("lamp")
    assert ask.arm.asked == 2


def test_arms_that_also_look_at_who_asks_are_always_asked() -> None:
    fan_out = FanOut({"lexical": Okapi(), "structured": Structured()}, remembered=10)
    assert fan_out.newest.asked("lexical", query("lamp"), 10) is None
    assert fan_out.newest.asked("structured", query("lamp"), 10) is not None
