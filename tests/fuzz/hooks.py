"""What schemathesis cannot know by itself: how to write NDJSON."""

from __future__ import annotations

from typing import Any

import orjson
import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(context: Any, value: Any) -> bytes:
    """A line for every entry; what is text already goes as it is."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    entries = value if isinstance(value, list) else [value]
    return b"\n".join(orjson.dumps(entry, default=str) for entry in entries)
