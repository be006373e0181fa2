"""Traffic of five kinds on a real catalogue: what people want differs by kind, and so does the arm that finds it.

| kind | queries | law | wanted |
|---|---|---|---|
| topical | the rated queries | Zipf | the rated items, by their grades |
| exact | brand and model name of a product | each once | that product |
| misspelt | words of its title, one with a typo | each once | that product |
| described | its brand and attribute values | each once | that product |
| head | 30 pairs of title words that fit 8 to 40 products | Zipf | three of these products |

Known items are the long tail: their queries start again only when the pool is used up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, cycle

from benchmarks.known_items import known_items
from core.seeds import generator
from core.text import STOP_WORDS, words
from core.types import Item, ItemId
from ranking.metrics import Judgments, answerable
from simulation.traffic import zipf

KINDS = ("topical", "exact", "misspelt", "described", "head")
BEST = 3
_KNOWN = {"exact": "exact", "misspelt": "typo1", "described": "described"}
_HEAD_QUERIES, _HEAD_WANTED = 30, 3
_FITTING = range(8, 41)


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody types and which items please: grades from 1 to BEST; other items have none."""

    kind: str
    text: str
    grades: Mapping[ItemId, int]


def pools(items: Sequence[Item], judgments: Judgments, *, known: int, seed: int) -> dict[str, list[Intent]]:
    """Kind -> its distinct intents; a sample of about `known` products for each kind of known item."""
    queries = known_items(items, count=known, seed=seed)
    return {
        "topical": [
            Intent("topical", text, {item: grade for item, grade in judgments[text].items() if grade > 0})
            for text in answerable(judgments)
        ],
        **{
            kind: [Intent(kind, text, {item_id: BEST}) for text, item_id in queries[source]]
            for kind, source in _KNOWN.items()
        },
        "head": _heads(items, seed),
    }


def traffic(pools: Mapping[str, Sequence[Intent]], *, seed: int) -> Iterator[Intent]:
    """Endless, the kinds in turn, so that they have equal shares of any stretch."""
    streams = [_shuffled(pools[kind], seed) if kind in _KNOWN else zipf(pools[kind], seed=seed) for kind in KINDS]
    return (next(stream) for stream in cycle(streams))


def _shuffled(intents: Sequence[Intent], seed: int) -> Iterator[Intent]:
    """All of them in random order, again and again."""
    return cycle([intents[n] for n in generator(seed, "known items").permutation(len(intents))])


def _heads(items: Sequence[Item], seed: int) -> list[Intent]:
    """Pairs of words that stand side by side in some titles and together in 8 to 40: words don't tell who is wanted."""
    random = generator(seed, "head queries")
    titles = [[word for word in words(item.fields["title"]) if word not in STOP_WORDS] for item in items]
    together = Counter(pair for title in titles for pair in combinations(sorted(set(title)), 2))
    chosen: dict[str, Intent] = {}
    for n in random.permutation(len(items)):
        title = titles[n]
        at = int(random.integers(max(1, len(title) - 1)))
        pair = title[at : at + 2]
        if len(chosen) == _HEAD_QUERIES:
            break
        if together.get(tuple(sorted(set(pair))), 0) in _FITTING and all(
            word.isalpha() and len(word) > 2 for word in pair
        ):
            fitting = [item.id for item, other in zip(items, titles, strict=True) if set(pair) <= set(other)]
            wanted = random.permutation(len(fitting))[:_HEAD_WANTED]
            chosen.setdefault(text := " ".join(pair), Intent("head", text, {fitting[w]: BEST for w in wanted}))
    return list(chosen.values())
