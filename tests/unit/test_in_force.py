"""What of a changed configuration is in force without a start."""

from __future__ import annotations

from app.operating.reload import in_force
from app.settings import load_settings


def test_with_a_database_as_well() -> None:
    database = {"database": {"url": "postgresql://user:secret@db.example:5432/shop"}}
    running = load_settings(overrides=database)
    wanted = load_settings(overrides={**database, "retrieval": {"deadline_ms": 321.0}})
    found = in_force(running, wanted)
    assert found.retrieval.deadline_ms == 321.0
    assert found.database.url.get_secret_value() == "postgresql://user:secret@db.example:5432/shop"
