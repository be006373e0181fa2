"""Text that PostgreSQL can hold: it knows every character but one, U+0000."""

from __future__ import annotations


def stored(text: str) -> str:
    """Different texts stay different; one without backslash and U+0000 stays as it is."""
    return text.replace("\\", "\\\\").replace("\0", "\\0") if "\\" in text or "\0" in text else text


def plain(text: str) -> str:
    """What `stored` was given."""
    if "\\" not in text:
        return text
    return "\\".join(part.replace("\\0", "\0") for part in text.split("\\\\"))
