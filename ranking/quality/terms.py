"""Which words name what matters in a category: those that sellers or customers there use more than elsewhere."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from core.types import Item
from ranking.quality.texts import CUSTOMERS, SOURCES, Source, grams, is_term, texts

Sides = tuple[tuple[Source, ...], ...]

# Sellers and customers are compared with their own kind elsewhere: they write differently everywhere.
_SIDES: Sides = ((Source.SELLER,), CUSTOMERS)
_PRIOR = 100.0  # mentions that the whole catalogue's frequencies count for
_SIGNIFICANT = 1.96
_CLUMPED = 0.1  # bits above which a word keeps to some items more than chance would


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a pair, and how many of the category's texts of each source mention it. `score`: see `log_odds`."""

    text: str
    score: float
    counts: Mapping[Source, int]


class _Mentions:
    """What one side wrote: how many of its texts mention each word, by category and source, and how many items."""

    def __init__(self, items: Iterable[Item], category: Callable[[Item], str], side: tuple[Source, ...]) -> None:
        self.texts: dict[str, dict[Source, Counter[str]]] = {}
        self.items: Counter[str] = Counter()
        self.count = 0
        for item in items:
            found = {source: _terms_of(item, source) for source in side}
            mine = {term for counts in found.values() for term in counts}
            if mine:
                counts = self.texts.setdefault(category(item), {source: Counter() for source in side})
                for source in side:
                    counts[source].update(found[source])
                self.items.update(mine)
                self.count += 1

    def of(self, category: str) -> Counter[str]:
        return _together(self.texts[category].values())


def _terms_of(item: Item, source: Source) -> Counter[str]:
    return Counter(gram for text in texts(item, source) for gram in grams(text) if is_term(gram))


def find_terms(
    items: Iterable[Item], category: Callable[[Item], str], *, most: int, least: int
) -> dict[str, tuple[Term, ...]]:
    """Category -> its terms, best first: at most `most` by what customers write and as many by what sellers write.

    A term is in `least` of the category's texts of that side, and significantly more frequent there than in the rest
    of the catalogue. Where a side writes about one category only there is no rest: terms are then the most frequent
    words that keep to some items more than chance would (see `clumping`). Reads `items` twice.
    """
    sides = [_Mentions(items, category, side) for side in _SIDES]
    chosen: dict[str, dict[str, float]] = defaultdict(dict)
    for mentions in sides:
        counts = {name: mentions.of(name) for name in mentions.texts}
        total = _together(counts.values())
        for name, mine in counts.items():
            scores = _scores(mine, total, mentions, least=least)
            for gram in sorted(scores, key=lambda gram: (-scores[gram], gram))[:most]:
                chosen[name][gram] = max(scores[gram], chosen[name].get(gram, 0.0))
    names = {name for mentions in sides for name in mentions.texts}
    return {name: _ordered(chosen[name], _by_source(name, sides)) for name in sorted(names)}


def _together(counts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def _by_source(category: str, sides: Iterable[_Mentions]) -> dict[Source, Counter[str]]:
    found: dict[Source, Counter[str]] = {source: Counter() for source in SOURCES}
    for mentions in sides:
        found.update(mentions.texts.get(category, {}))
    return found


def _scores(mine: Counter[str], total: Counter[str], mentions: _Mentions, *, least: int) -> dict[str, float]:
    frequent = {gram: count for gram, count in mine.items() if count >= least}
    if len(mentions.texts) == 1:
        return {
            gram: math.log(count)
            for gram, count in frequent.items()
            if clumping(count, mentions.items[gram], mentions.count) > _CLUMPED
        }
    size, everything = mine.total(), total.total()
    scored = {
        gram: log_odds(count, size, total[gram] - count, everything - size, _PRIOR * total[gram] / everything)
        for gram, count in frequent.items()
    }
    return {gram: score for gram, score in scored.items() if score > _SIGNIFICANT}


def _ordered(scores: Mapping[str, float], counts: Mapping[Source, Counter[str]]) -> tuple[Term, ...]:
    ordered = sorted(scores, key=lambda gram: (-scores[gram], gram))
    return tuple(Term(gram, scores[gram], {source: counts[source][gram] for source in SOURCES}) for gram in ordered)


def log_odds(here: float, size: float, elsewhere: float, rest: float, prior: float) -> float:
    """z-score of the log-odds ratio of a word here against elsewhere, with an informative Dirichlet prior.

    `here` of `size` mentions against `elsewhere` of `rest`; `prior` is the word's share of the _PRIOR mentions that
    are given to both sides (Monroe, Colaresi and Quinn 2008, "Fightin' words", equations 16, 20 and 22).
    """
    one = (here + prior) / (size + _PRIOR - here - prior)
    other = (elsewhere + prior) / (rest + _PRIOR - elsewhere - prior)
    return math.log(one / other) / math.sqrt(1 / (here + prior) + 1 / (elsewhere + prior))


def clumping(mentions: float, items: float, all_items: float) -> float:
    """Bits by which a word is in fewer items than if its mentions fell on them by chance (Church and Gale 1995,
    "Inverse document frequency: a measure of deviations from Poisson")."""
    return math.log2(all_items / max(items, 1.0)) + math.log2(1 - math.exp(-mentions / all_items))
