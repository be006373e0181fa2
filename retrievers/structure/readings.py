"""From a query to its best few readings: which phrases name values, which figures are ranges, which are just words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest

from core.text import STOP_WORDS, fold, stem
from retrievers.structure.facts import MAX_PHRASE, WHOLE
from retrievers.structure.lexicon import Lexicon
from retrievers.structure.quantities import CONVERSIONS, MONEY, YEAR, Quantity, is_unit, quantities

# phrase (or `unit_key`) -> attribute -> how much more often clicked items bear that reading out than shown ones do; the
# attribute "" is: just words
Lifts = Mapping[str, Mapping[str, float]]
Share = Callable[[str, float, float], float]  # of the items that have the number, the share that has it in low..high

MAX_READINGS = 4
_BEAM = 12
_MAX_TOKENS = 16
_MAX_CHARACTERS = 300
_NAMES_PER_PHRASE = 3
# One item that says otherwise: no phrase is certain.
_SMOOTHING = float(WHOLE)
# Words that stand together as a value are a phrase on purpose twice as often as by chance.
_PHRASE_BONUS = math.log(2.0)
_LEAST = 0.02
# The odds that `16gb` or `under 300` is a figure rather than words; a unit that only the catalogue knows is less sure.
_FIGURE_BONUS = math.log(20.0)
_BARE_YEAR = 0.3
# `weight under 2 kg`: the word before the figure doubles the votes for the numbers it is in the name of.
_NAMED = 2.0
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A value of attribute `name` contains `phrase`; without a phrase, its number is in low..high."""

    name: str
    phrase: str = ""
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True)
class Reading:
    """`constraints` with the probability of each, the words that none of them explains, the reading's likelihood.

    Likelihoods of the readings of one query sum to at most 1. `explained`: share of the tokens in constraints.
    """

    constraints: Mapping[Constraint, float]
    words: tuple[str, ...]
    likelihood: float
    explained: float


@dataclass(frozen=True, slots=True)
class _Segment:
    start: int
    end: int
    constraint: Constraint | None
    p: float
    log_weight: float


_Path = tuple[float, tuple[_Segment, ...]]


def readings(text: str, lexicon: Lexicon, lifts: Lifts, share: Share) -> list[Reading]:
    """At most MAX_READINGS readings, the likeliest first, and then "just words" unless it is among them.

    Phrases are read independently, so a reading's likelihood is the product over its segments (a unigram
    segmentation model), normalised over the beam.
    """
    folded = fold(text[:_MAX_CHARACTERS])
    spans = [(match.start(), stem(match[0])) for match in _WORD.finditer(folded)][:_MAX_TOKENS]
    words = [word for _, word in spans]
    if not words:
        return []
    segments: list[list[_Segment]] = [[] for _ in words]
    for segment in (*_phrases(words, lexicon, lifts), *_figures(folded, spans, lexicon, lifts, share)):
        segments[segment.start].append(segment)
    paths = _best(segments)
    likelihoods = _normalised(paths)
    found = [_reading(words, path, p) for (_, path), p in zip(paths, likelihoods, strict=True)]
    best = found[:MAX_READINGS]
    if all(reading.constraints for reading in best):
        plain = next((reading for reading in found if not reading.constraints), None)
        best.append(plain or Reading({}, _wanted(words), found[-1].likelihood, 0.0))
    return best


def unit_key(unit: str) -> str:
    """How lifts name figures in the unit; no phrase has this form."""
    return f"#{unit}"


def names_for(phrase: str, words: list[str], lexicon: Lexicon, lifts: Lifts) -> dict[str, float]:
    """Attribute -> P(a value of it is meant | phrase); the rest to 1 is for "just words"."""
    lifted = lifts.get(phrase, {})
    votes = {name: count * lifted.get(name, 1.0) for name, count in lexicon.names(phrase).items()}
    plain = min(lexicon.plain(word) for word in words) * lifted.get("", 1.0)
    total = sum(votes.values()) + plain + _SMOOTHING
    likely = nlargest(_NAMES_PER_PHRASE, ((count / total, name) for name, count in votes.items()))
    return {name: p for p, name in likely if p >= _LEAST}


def _phrases(words: list[str], lexicon: Lexicon, lifts: Lifts) -> Iterator[_Segment]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + MAX_PHRASE, len(words)) + 1):
            within = words[start:end]
            phrase = " ".join(within)
            names = names_for(phrase, within, lexicon, lifts)
            for name, p in names.items():
                log_weight = math.log(p) + (len(within) - 1) * _PHRASE_BONUS
                yield _Segment(start, end, Constraint(name, phrase), p, log_weight)
            if len(within) == 1:
                plain = max(1 - sum(names.values()), _LEAST)
                yield _Segment(start, end, None, plain, math.log(plain))


def _figures(
    folded: str, spans: list[tuple[int, str]], lexicon: Lexicon, lifts: Lifts, share: Share
) -> Iterator[_Segment]:
    for quantity in quantities(folded, lambda unit: bool(lexicon.numbers(unit))):
        inside = [n for n, (start, _) in enumerate(spans) if quantity.start <= start < quantity.end]
        if not inside:
            continue
        before = spans[inside[0] - 1][1] if inside[0] else ""
        bonus = _FIGURE_BONUS if quantity.compared or is_unit(quantity.unit) else _PHRASE_BONUS
        for constraint, p in _numbers(quantity, before, lexicon, lifts, share):
            yield _Segment(inside[0], inside[-1] + 1, constraint, p, math.log(p) + bonus)


def _numbers(
    quantity: Quantity, before: str, lexicon: Lexicon, lifts: Lifts, share: Share
) -> Iterator[tuple[Constraint, float]]:
    """What the figure may measure: by its unit, by the word before it, or, when it only says `under`, the price."""
    if not quantity.unit and not quantity.compared:
        return
    pool = _scaled(quantity, lexicon)
    named = lexicon.numbers(before) if quantity.compared else {}
    if named and not quantity.unit:
        pool = [(votes, Constraint(name, low=quantity.low, high=quantity.high)) for name, votes in named.items()]
    lifted = lifts.get(unit_key(quantity.unit or MONEY), {})
    weights = {
        each: votes * lifted.get(each.name, 1.0) * (_NAMED if each.name in named else 1.0)
        for votes, each in nlargest(2 * _NAMES_PER_PHRASE, pool, key=lambda vote: (vote[0], vote[1].name))
    }
    likely = {each: weight * share(each.name, each.low, each.high) for each, weight in weights.items()}
    known = sum(weights.values()) / (sum(weights.values()) + _SMOOTHING)
    if quantity.unit == YEAR and not quantity.compared:
        known *= _BARE_YEAR
    for each in nlargest(_NAMES_PER_PHRASE, likely, key=lambda each: (likely[each], each.name)):
        if likely[each] > 0:
            yield each, known * likely[each] / sum(likely.values())


def _scaled(quantity: Quantity, lexicon: Lexicon) -> list[tuple[int, Constraint]]:
    """The numbers that the quantity's unit may mean, with votes; and those that it means converted (2 TB: 2000 GB)."""
    unit = quantity.unit or MONEY
    pool = [
        (votes, Constraint(name, low=quantity.low, high=quantity.high)) for name, votes in lexicon.numbers(unit).items()
    ]
    if unit in CONVERSIONS:
        other, factor = CONVERSIONS[unit]
        low, high = quantity.low * factor, quantity.high * factor
        pool += [(votes, Constraint(name, low=low, high=high)) for name, votes in lexicon.numbers(other).items()]
    return pool


def _best(segments: list[list[_Segment]]) -> list[_Path]:
    """The likeliest segmentations, by beam search from left to right."""
    beams: list[list[_Path]] = [[(0.0, ())], *([] for _ in segments)]
    for start, starting in enumerate(segments):
        beams[start] = nlargest(_BEAM, beams[start], key=lambda path: path[0])
        for log_p, path in beams[start]:
            for segment in starting:
                beams[segment.end].append((log_p + segment.log_weight, (*path, segment)))
    return nlargest(_BEAM, beams[-1], key=lambda path: path[0])


def _normalised(paths: list[_Path]) -> list[float]:
    top = paths[0][0]
    weights = [math.exp(log_p - top) for log_p, _ in paths]
    return [weight / sum(weights) for weight in weights]


def _reading(words: list[str], path: tuple[_Segment, ...], likelihood: float) -> Reading:
    constraints: dict[Constraint, float] = {}
    left: list[str] = []
    explained = 0
    for segment in path:
        if segment.constraint is None:
            left += words[segment.start : segment.end]
        else:
            explained += segment.end - segment.start
            constraints.setdefault(segment.constraint, segment.p)
    return Reading(constraints, _wanted(left, fallback=not constraints), likelihood, explained / len(words))


def _wanted(words: Iterable[str], *, fallback: bool = True) -> tuple[str, ...]:
    """Distinct words without stop words; with them when nothing else is left."""
    distinct = tuple(dict.fromkeys(words))
    return tuple(word for word in distinct if word not in STOP_WORDS) or (distinct if fallback else ())
