"""What clicks say of readings: of the items clicked for a phrase, how many bear out that it names this attribute."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

from core.episodes import Episode
from core.rates import Rates
from core.text import fold, tokens
from core.types import Item, ItemId
from retrievers.structure.facts import MAX_PHRASE, Facts, facts_of
from retrievers.structure.quantities import Quantity, quantities
from retrievers.structure.readings import unit_key

MAX_PHRASES = 20_000
_MAX_FACTS = 2_000
_MAX_TOKENS = 16
# Shown items count like this many clicks: a lift needs about as many clicks to show.
_STRENGTH = 5.0
_LEAST, _MOST = 0.1, 10.0
JUST_WORDS = ""
_ALL = "\x00all"


class ReadingsLearner:
    """Per (phrase, attribute), examinations and clicks of items where a value of the attribute has the phrase.

    `item` looks the shown items up as they are now. Clients are not told apart: a lift is bounded and spread over
    all queries with the phrase.
    """

    component = "readings"

    def __init__(self, *, item: Callable[[ItemId], Item | None], half_life_s: float) -> None:
        self._item = item
        self._half_life_s = half_life_s
        self._rates: OrderedDict[str, Rates[str]] = OrderedDict()
        self._seen: OrderedDict[ItemId, tuple[Item, Facts]] = OrderedDict()
        self._time = 0.0
        self._changed = False

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            # Filters choose the items, not the words; and without a click nothing tells the readings apart.
            if any(gain > 0 for gain in episode.gains) and not episode.impression.query.filters:
                self._learn(episode)

    def snapshot(self) -> bytes | None:
        if not self._changed:
            return None
        self._changed = False
        lifts = {key: _lifts(rates.at(self._time)) for key, rates in self._rates.items()}
        return json.dumps(lifts, ensure_ascii=False, separators=(",", ":")).encode()

    def _learn(self, episode: Episode) -> None:
        query = episode.impression.query
        rows = zip(episode.impression.shown, episode.gains, episode.examination, strict=True)
        shown = [(facts, min(gain, 1.0), seen) for item_id, gain, seen in rows if (facts := self._facts(item_id))]
        self._time = max(self._time, query.time)
        for key, agreeing in _questions(query.text):
            counted = [(agreeing(facts), gain, seen) for facts, gain, seen in shown]
            if not any(name for names, _, _ in counted for name in names):
                continue
            rates = self._rates.setdefault(key, Rates[str](self._half_life_s))
            self._rates.move_to_end(key)
            if len(self._rates) > MAX_PHRASES:
                self._rates.popitem(last=False)
            for names, gain, seen in counted:
                for name in (*names, _ALL):
                    rates.add(name, gain=gain, examined=seen, time=query.time)
            self._changed = True

    def _facts(self, item_id: ItemId) -> Facts | None:
        """The item's facts, kept while it is shown often; None when it is gone."""
        item = self._item(item_id)
        if item is None:
            return None
        known = self._seen.pop(item_id, None)
        facts = known[1] if known and known[0] == item else facts_of(item)
        self._seen[item_id] = item, facts
        if len(self._seen) > _MAX_FACTS:
            self._seen.popitem(last=False)
        return facts


def load_lifts(model: bytes) -> dict[str, dict[str, float]]:
    """phrase or `unit_key` -> attribute (JUST_WORDS: none) -> factor on the votes for that reading."""
    lifts: dict[str, dict[str, float]] = json.loads(model)
    return lifts


def _questions(text: str) -> list[tuple[str, Callable[[Facts], Collection[str]]]]:
    """What a query may mean differently: (key of the lifts, the attributes of an item that bear a meaning out)."""
    words = tokens(text)[:_MAX_TOKENS]
    spans = {(a, b) for a in range(len(words)) for b in range(a + 1, min(a + MAX_PHRASE, len(words)) + 1)}
    phrases = sorted({" ".join(words[start:end]) for start, end in spans})
    asked = {unit_key(each.unit): each for each in quantities(fold(text), lambda _: False) if each.unit}
    return [
        *((phrase, partial(_naming, phrase)) for phrase in phrases),
        *((key, partial(_measuring, quantity)) for key, quantity in asked.items()),
    ]


def _naming(phrase: str, facts: Facts) -> Collection[str]:
    """The attributes with the phrase in a value; JUST_WORDS when only the title has its words."""
    names = [name for name, said in facts.phrases if said == phrase]
    return names or ([JUST_WORDS] if facts.title.issuperset(phrase.split()) else [])


def _measuring(quantity: Quantity, facts: Facts) -> Collection[str]:
    return {name for name, value in facts.numbers if quantity.low <= value <= quantity.high}


def _lifts(entries: Iterable[tuple[str, float, float]]) -> Mapping[str, float]:
    """P(agrees | clicked) / P(agrees | examined), the former smoothed towards the latter by _STRENGTH clicks."""
    counted = {name: (gain, examined) for name, gain, examined in entries}
    clicks, examined = counted.pop(_ALL)
    lifts = {}
    for name, (gain, seen) in counted.items():
        base = (seen + 1) / (examined + 2)
        lift = (gain + _STRENGTH * base) / ((clicks + _STRENGTH) * base)
        lifts[name] = round(min(max(lift, _LEAST), _MOST), 4)
    return lifts
