"""Which queries an item will be asked with, before anyone has asked: the memory's cold start."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest

from core.text import STOP_WORDS, tokens
from core.types import Item
from retrievers.document import title

_LONGEST = 3  # words: three of four real queries are no longer
_PER_ITEM = 32
# How sure a predicted query is, by where its words come from; the prior mean of the gain per examination is a fraction
# of it (memory.PRIOR_GAIN).
_WHOLE_TITLE, _TITLE_START, _TITLE_PART, _LABEL = 1.0, 0.7, 0.5, 0.35


def predicted_queries(item: Item) -> dict[str, float]:
    """Query key -> belief in 0..1 that somebody who asks it wants the item.

    The title, its runs of one to three words, every short field (an artist, a brand) and label, the labels with the
    item's type ("jazz playlist"), and short field + title words ("beatles help").
    """
    beliefs: dict[str, float] = {}
    words = tokens(title(item))
    _offer(beliefs, [words], _WHOLE_TITLE)
    for length in range(1, _LONGEST + 1):
        for start in range(len(words) - length + 1):
            belief = _TITLE_START if start == 0 else _TITLE_PART
            # A run says more the more of the title it is, and words late in a long title are details.
            share = (length / len(words)) ** 0.5
            _offer(beliefs, [words[start : start + length]], belief * share / (1 + 0.05 * start))
    short = [tokens(text) for name, text in item.fields.items() if name != "title" and len(text) <= 40]
    _offer(beliefs, short, _LABEL)
    _offer(beliefs, [[*field, *words[:_LONGEST]] for field in short], _TITLE_START)
    _offer(beliefs, [[*words[:_LONGEST], *field] for field in short], _TITLE_PART)
    labels = [tokens(value) for name, values in item.attributes.items() if not name.endswith("_id") for value in values]
    kind = tokens(item.type)
    _offer(beliefs, [label for label in labels if len(label) <= _LONGEST], _LABEL)
    _offer(beliefs, [[*label, *kind] for label in labels if len(label) < _LONGEST], _TITLE_PART)
    return dict(nlargest(_PER_ITEM, beliefs.items(), key=lambda entry: (entry[1], entry[0])))


def _offer(beliefs: dict[str, float], phrases: Iterable[list[str]], belief: float) -> None:
    for phrase in phrases:
        if phrase and phrase[0] not in STOP_WORDS and phrase[-1] not in STOP_WORDS:
            key = " ".join(phrase)
            beliefs[key] = max(beliefs.get(key, 0.0), belief)
