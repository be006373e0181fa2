"""Which arms are asked for which kinds of queries."""

from __future__ import annotations

from collections import Counter
from typing import Any

from core.episodes import Episode, Impression
from core.text import words

KINDS = (
    "no words",
    "with a model number",
    "one word, asked before",
    "one word, new",
    "several words, asked before",
    "several words, new",
)


class Kinds:
    """Kind of query -> how often each arm was asked."""

    def __init__(self) -> None:
        self._searches: Counter[str] = Counter()
        self._arms: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}

    def add(self, episode: Episode) -> None:
        kind = kind_of(episode.impression)
        self._searches[kind] += 1
        self._arms[kind].update(episode.impression.choice.plan.depths.keys())

    def to_json(self) -> list[dict[str, Any]]:
        """Kinds that were asked, with the share of their searches that asked each arm."""
        return [
            {
                "kind": kind,
                "searches": self._searches[kind],
                "arms": {arm: asked / self._searches[kind] for arm, asked in sorted(self._arms[kind].items())},
            }
            for kind in KINDS
            if self._searches[kind]
        ]


def kind_of(impression: Impression) -> str:
    """One of KINDS, from the text and from what the policy saw; `asked before` is what the memory had learned of."""
    seen = dict(zip(impression.context.names, impression.context.values.tolist(), strict=True))
    count = len(words(impression.query.text))
    if not count:
        return KINDS[0]
    if seen.get("query.model_number"):
        return KINDS[1]
    size = "one word" if count == 1 else "several words"
    return f"{size}, {'asked before' if seen.get('memory.observed') else 'new'}"
