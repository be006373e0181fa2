"""Which words of titles people meant by the words of their queries, learned from what they clicked."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from heapq import nlargest

from core.client_cap import ClientCap
from core.episodes import Episode
from core.rates import Rates
from core.text import STOP_WORDS, query_tokens, tokens
from core.types import Item, ItemId
from retrievers.document import title

MAX_WORDS = 20_000
MAX_PER_WORD = 16
# A word's gains count as if it had gained so much more with none of the words: few clicks teach little.
PRIOR_GAIN = 5.0
_MAX_COUNTED = 200  # title words kept per query word while learning
_MAX_BACKGROUND = 50_000
_MAX_QUERY_TOKENS = 8

Expansions = Mapping[str, Sequence[tuple[str, float]]]


def dump_expansions(expansions: Expansions) -> bytes:
    return json.dumps(expansions).encode()


def load_expansions(data: bytes) -> Expansions:
    """Query word -> title words with strengths in 0..1, best first."""
    return {word: tuple((other, float(s)) for other, s in found) for word, found in json.loads(data).items()}


class ExpansionLearner:
    """Gain by query word and title word of the clicked item, decayed, against the title word's share of all gain.

    strength(q, t) = gain(q, t) / (gain(q) + PRIOR_GAIN) - gain(t) / gain: how much more of q's gain than of anyone's is
    with items whose title holds t. A client's searches count for a query word at most `client_cap` times.
    """

    component = "expansion"

    def __init__(self, item: Callable[[ItemId], Item | None], *, half_life_s: float, client_cap: int) -> None:
        self._item = item
        self._half_life_s = half_life_s
        self._cap = ClientCap(client_cap)
        self._words: OrderedDict[str, Rates[str]] = OrderedDict()
        self._background: Rates[str] = Rates(half_life_s)
        self._time = 0.0
        self._changed = False

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._learn(episode)

    def snapshot(self) -> bytes | None:
        if not self._changed:
            return None
        self._changed = False
        background = _gains(self._background, self._time)
        everything = background.pop("", 0.0)
        expansions: dict[str, list[tuple[str, float]]] = {}
        for word, rates in sorted(self._words.items()):
            gains = _gains(rates, self._time)
            whole = gains.pop("", 0.0) + PRIOR_GAIN
            strengths = {t: gain / whole - background.get(t, 0.0) / everything for t, gain in gains.items()}
            best = nlargest(MAX_PER_WORD, strengths.items(), key=lambda pair: (pair[1], pair[0]))
            if found := [(other, round(strength, 4)) for other, strength in best if strength > 0.01]:
                expansions[word] = found
        return dump_expansions(expansions)

    def _learn(self, episode: Episode) -> None:
        query = episode.impression.query
        asked = query_tokens(query.text)[:_MAX_QUERY_TOKENS]
        clicked = [(i, g) for i, g in zip(episode.impression.shown, episode.gains, strict=True) if g > 0]
        # Other answers under a filter say little about the words.
        if query.filters or not asked or not clicked:
            return
        counted = [word for word in asked if self._cap.admits(query, word)]
        for item_id, gain in clicked:
            item = self._item(item_id)
            if item is not None:
                self._count(counted, _title_words(item, asked), gain, query.time)
        self._time = max(self._time, query.time)

    def _count(self, asked: Sequence[str], meant: Sequence[str], gain: float, time: float) -> None:
        """`""` stands for all words: the sum that shares are of."""
        for word in asked:
            rates = self._words.setdefault(word, Rates[str](self._half_life_s))
            self._words.move_to_end(word)
            for key in ("", *meant):
                rates.add(key, gain=gain, examined=0.0, time=time)
                self._background.add(key, gain=gain, examined=0.0, time=time)
            _bound(rates, _MAX_COUNTED)
            self._changed = True
        _bound(self._background, _MAX_BACKGROUND)
        while len(self._words) > MAX_WORDS:
            self._words.popitem(last=False)


def _title_words(item: Item, asked: Sequence[str]) -> list[str]:
    """What the title adds to the query."""
    found = dict.fromkeys(tokens(title(item)))
    return [word for word in found if len(word) > 1 and word not in STOP_WORDS and word not in asked]


def _gains(rates: Rates[str], time: float) -> dict[str, float]:
    return {key: gain for key, gain, _ in rates.at(time)}


def _bound(rates: Rates[str], most: int) -> None:
    """Forget the weaker half of a list that has grown to twice its bound."""
    if len(rates.evidence) > 2 * most:
        gains = _gains(rates, max(entry.time for entry in rates.evidence.values()))
        rates.evidence = {key: rates.evidence[key] for key in nlargest(most, gains, key=lambda key: (gains[key], key))}
