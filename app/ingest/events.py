"""Loads the event files of another system: pages it has shown become impressions, what people did there feedback."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pydantic import ValidationError

from app.adapters import algolia, metarank, ubi
from app.adapters.translation import Hashed, Shown, Translate, Translation
from app.web.bodies import sentences
from core.episodes import IMPORTED, Feedback, Impression
from core.errors import BowerbirdError, Conflict, InvalidInput
from core.protocols import EventStore, Outcome
from core.types import Choice, Features, ItemId, Plan, Query, QueryId

FORMATS: Mapping[str, Translate] = {
    "ubi": ubi.translate,
    "algolia": algolia.translate,
    "metarank": metarank.translate,
}
_BATCH = 1_000
_WRITERS = 64  # they share commits
_EXAMPLES = 20
_NOTHING = Features((), np.empty(0, dtype=np.float32))


@dataclass(slots=True)
class Report:
    """Counts, by reason where something was not taken; the first `examples` of refusals with file and line."""

    pages: int = 0
    known_pages: int = 0
    events: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    not_used: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        return {f.name: dict(v) if isinstance(v := getattr(self, f.name), Counter) else v for f in fields(self)}

    def refuse(self, reason: str, where: str, why: str) -> None:
        self.refused[reason] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{where}: {why}")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file that was understood."""

    where: str
    translation: Translation


class EventFiles:
    """Reads the files twice: first what was shown, then what people did with it. Order of files and rows is free."""

    def __init__(
        self,
        files: Sequence[Path],
        translate: Translate,
        *,
        hashed: Hashed,
        received: float,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._files = files
        self._translate = translate
        self._hashed = hashed
        self._received = received
        self._advance = advance

    def load(self, store: EventStore, weights: Mapping[str, float], config: str) -> Report:
        """Everything that can be taken. Again, it changes nothing: pages and events that are there are counted."""
        report, pages = Report(), Pages()
        for row in self._rows(report):
            for note in row.translation.notes:
                (report.unknown_fields if note.code == "unknown_field" else report.not_used)[note.what] += 1
            if (shown := row.translation.shown) and shown.time > self._received:
                report.refuse(
                    "in the future", row.where, "the page is of a time to come; nothing is learned until then"
                )
            elif shown:
                pages.add(shown)
        _append(store, pages.put_together(config, report), report)
        events = ((row.where, event) for row in self._rows(Report()) for event in row.translation.feedback)
        while batch := list(islice(events, _BATCH)):
            _record(store, batch, weights, report)
        return report

    def _rows(self, report: Report) -> Iterator[Row]:
        for path in self._files:
            for number, line in enumerate(_lines(path), start=1):
                self._advance(1)
                where = f"{path}:{number}"
                try:
                    for value in _values(line):
                        yield Row(where, self._translate(value, received=self._received, hashed=self._hashed))
                except ValidationError as error:
                    report.refuse("not understood", where, sentences(error.errors()))
                except orjson.JSONDecodeError as error:
                    report.refuse("not JSON", where, str(error))
                except BowerbirdError as error:
                    report.refuse(error.code, where, f"{error.message} {error.remedy}")


class Pages:
    """Puts pages together from their parts: rows of queries, and impressions of single items.

    What a query row lists was answered, and so was shown in the sense of our own log; impressions may add to it.
    """

    def __init__(self) -> None:
        self._parts: dict[str, Shown] = {}
        self._seen: dict[str, dict[ItemId, tuple[str, int]]] = {}  # by whom and where
        self._found: dict[str, tuple[ItemId, ...]] = {}
        self._lowest: dict[str, int] = {}

    def add(self, part: Shown) -> None:
        known = self._parts.get(part.query_id)
        self._parts[part.query_id] = _merged(known, part) if known else replace(part, items=())
        if not part.seen:
            before = self._found.get(part.query_id, ())
            self._found[part.query_id] = tuple(dict.fromkeys((*before, *part.items)))
            return
        places = self._seen.setdefault(part.query_id, {})
        for n, item_id in enumerate(part.items):
            places.setdefault(item_id, (part.source, part.first_position + n))
        if part.items:
            self._lowest[part.source] = min(self._lowest.get(part.source, 1), part.first_position)

    def put_together(self, config: str, report: Report) -> Iterator[Impression]:
        """In order of time. Pages of which no item is known are left out, and counted."""
        for part in sorted(self._parts.values(), key=lambda part: (part.time, part.query_id)):
            places = {item_id: n for n, item_id in enumerate(self._found.get(part.query_id, ()), start=1)}
            for item_id, (source, place) in self._seen.get(part.query_id, {}).items():
                places.setdefault(item_id, place - self._lowest[source] + 1)
            if places:
                items = tuple(sorted(places, key=lambda item_id: places[item_id]))
                yield impression(replace(part, items=items, first_position=min(places.values())), config)
            else:
                report.not_used["page without a known item"] += 1


def impression(shown: Shown, config: str) -> Impression:
    """What another system has shown: no arm of ours was asked, no plan drawn, no feature computed."""
    query = Query(
        id=QueryId(shown.query_id),
        text=shown.text,
        time=shown.time,
        surface=IMPORTED,
        user_id=shown.user_id,
        session_id=shown.session_id,
        client_id=shown.client_id,
    )
    return Impression(
        query=query,
        choice=Choice(Plan(IMPORTED, {}), 1.0, IMPORTED),
        context=_NOTHING,
        shown=shown.items,
        features=Features((), np.empty((len(shown.items), 0), dtype=np.float32)),
        ranks={},
        arms={},
        ranker=IMPORTED,
        release=0,
        config=config,
        first_position=shown.first_position,
    )


def _merged(known: Shown, part: Shown) -> Shown:
    """What one of them lacks, the other may have; the page was shown at the earlier time."""
    return replace(
        known,
        text=known.text or part.text,
        time=min(known.time, part.time),
        client_id=known.client_id or part.client_id,
        session_id=known.session_id or part.session_id,
        user_id=known.user_id or part.user_id,
    )


def _append(store: EventStore, pages: Iterator[Impression], report: Report) -> None:
    def append(page: Impression) -> bool:
        try:
            store.append_impression(page)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(_WRITERS) as pool:
        while batch := list(islice(pages, _BATCH)):
            new = sum(pool.map(append, batch))
            report.pages += new
            report.known_pages += len(batch) - new


def _record(
    store: EventStore, batch: Sequence[tuple[str, Feedback]], weights: Mapping[str, float], report: Report
) -> None:
    known = []
    for where, event in batch:
        if event.action in weights:
            known.append((where, event))
        else:
            allowed = ", ".join(sorted(weights))
            report.refuse("unknown action", where, f"action {event.action!r}; [feedback.weights] has: {allowed}")
    for (where, event), outcome in zip(known, store.append_feedback([event for _, event in known]), strict=True):
        if outcome is Outcome.STORED:
            report.events += 1
        elif outcome is Outcome.DUPLICATE:
            report.duplicates += 1
        else:
            report.refuse(outcome.replace("_", " "), where, f"query {event.query_id!r}, item {event.item_id!r}")


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from (line for line in file if line.strip())
    except (OSError, EOFError) as error:
        raise InvalidInput(
            "file_unreadable", f"Cannot read {path}: {error}.", "Check the path, and the file."
        ) from None


def _values(line: bytes) -> Sequence[Any]:
    """A line is an event, an array, or Algolia's {"events": [...]}."""
    value = orjson.loads(line)
    if isinstance(value, dict) and isinstance(value.get("events"), list):
        value = value["events"]
    return value if isinstance(value, list) else [value]
