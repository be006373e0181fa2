"""What a diagnosis says of one part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "waits", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    state: State
    message: str
