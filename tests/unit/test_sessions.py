"""What a session has engaged with."""

from __future__ import annotations

from dataclasses import replace

from builders import click

from feedback.sessions import Sessions

WEIGHTS = {"click": 1.0, "dismiss": -1.0}


def test_newest_last_each_once_and_only_what_pleased() -> None:
    sessions = Sessions(WEIGHTS)
    for item, action in [("a", "click"), ("b", "click"), ("c", "dismiss"), ("a", "click"), ("d", "unheard-of")]:
        sessions.add([replace(click(item_id=item, action=action), session_id="s")])
    assert sessions.history("s") == ("b", "a")
    assert sessions.history("another") == ()
    assert sessions.history(None) == ()


def test_it_is_bounded() -> None:
    sessions = Sessions(WEIGHTS)
    sessions.add([replace(click(item_id=f"i{n}"), session_id="s") for n in range(100)])
    assert sessions.history("s") == tuple(f"i{n}" for n in range(80, 100))
    sessions.add([replace(click(item_id="x"), session_id=f"other-{n}") for n in range(60_000)])
    assert sessions.history("s") == ()
    sessions.add([click(item_id="y")])
    assert sessions.history("other-59999") == ("x",)
