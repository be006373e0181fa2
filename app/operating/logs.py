"""How log lines look: for people on a terminal, JSON for programs; either has the id of the request."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from app.settings import Settings
from app.web.request_ids import request_id


def configure_logging(settings: Settings, *, verbose: bool = False) -> None:
    """By [logging], to stderr; may be called again. `verbose` wants everything from `info` on."""
    wanted = settings.logging
    human = wanted.format == "human" or (wanted.format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(HumanLines() if human else JsonLines())
    logging.basicConfig(level=logging.INFO if verbose else wanted.level.upper(), handlers=[handler], force=True)


class HumanLines(logging.Formatter):
    """2026-05-01 12:00:00,000 INFO app.service: serving release 3 [request 8f3a...]"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the base class's name
        line = super().formatMessage(record)
        said = getattr(record, "said", {})
        told = " ".join(f"{name}={value}" for name, value in said.items() if name not in {"method", "path", "status"})
        chosen = request_id()
        return " ".join([line, *([told] if told else []), *([f"[request {chosen}]"] if chosen else [])])


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, request_id, what the line says besides, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if chosen := request_id():
            line["request_id"] = chosen
        line |= getattr(record, "said", {})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()
