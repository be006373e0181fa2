"""What POST /v1/events/algolia and /v1/events/metarank answer."""

from __future__ import annotations

from pydantic import BaseModel

from app.adapters.translation import Note
from app.schemas.events import EventsAnswer
from app.schemas.parts import model


class NoteBody(BaseModel):
    """What was taken but not used, of the entry `index`, counted from 0."""

    model_config = model(
        {
            "index": 0,
            "code": "unknown_field",
            "field": "colour",
            "message": "colour is not a field of this format; it is not used.",
        }
    )

    index: int
    code: str
    field: str
    message: str

    @classmethod
    def of(cls, index: int, note: Note) -> NoteBody:
        return cls(index=index, code=note.code, field=note.what, message=note.message)


class AdaptedAnswer(EventsAnswer):
    """What became of the events, and in `notes` what of them is not used: nothing goes unsaid."""

    model_config = model({"stored": 1, "duplicates": 0, "rejected": [], "notes": []})

    notes: list[NoteBody]
