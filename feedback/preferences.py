"""Which of two items people took when they looked at both for the same query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.episodes import Episode
from core.text import query_key
from core.types import ItemId


@dataclass(frozen=True, slots=True)
class Preference:
    """For this query, `taken` was bought, or else engaged with the most, where `left` was looked at and left.

    `searches`: in how many more searches than the other way round.
    """

    query: str
    taken: ItemId
    left: ItemId
    searches: int


def preferences(episodes: Iterable[Episode]) -> list[Preference]:
    """The clearest first, then the newest. Queries of the same words are one, and read as they were last typed.

    In a search, the one item with the largest gain was taken, those with a smaller gain above 0 were looked at and
    left: a click on one, a purchase of the other. Without a single largest gain nothing can be told.
    """
    net: dict[tuple[str, ItemId, ItemId], int] = {}
    typed: dict[str, str] = {}
    newest: dict[tuple[str, ItemId, ItemId], int] = {}
    for time, episode in enumerate(episodes):
        key = query_key(episode.impression.query.text)
        typed[key] = episode.impression.query.text
        for taken, left in _in(episode):
            entry, sign = ((key, taken, left), 1) if taken < left else ((key, left, taken), -1)
            net[entry] = net.get(entry, 0) + sign
            newest[entry] = time
    ordered = sorted(net, key=lambda entry: (-abs(net[entry]), -newest[entry]))
    return list(_clear(ordered, net, typed))


def _in(episode: Episode) -> Iterator[tuple[ItemId, ItemId]]:
    gains = dict(zip(episode.impression.shown, episode.gains, strict=True))
    most = max(gains.values(), default=0.0)
    best = [item for item, gain in gains.items() if gain == most]
    if most > 0 and len(best) == 1:
        yield from ((best[0], item) for item, gain in gains.items() if 0 < gain < most)


def _clear(
    ordered: Iterable[tuple[str, ItemId, ItemId]],
    net: Mapping[tuple[str, ItemId, ItemId], int],
    typed: Mapping[str, str],
) -> Iterator[Preference]:
    for key, one, other in ordered:
        balance = net[key, one, other]
        if balance:
            taken, left = (one, other) if balance > 0 else (other, one)
            yield Preference(typed[key], taken, left, abs(balance))
