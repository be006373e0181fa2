"""Builds the quality model and the pairs to judge from what is stored, and hands pairs to judges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from app.settings import Settings
from app.wiring.stores import open_catalogue, open_judgments, open_registry, taught_episodes
from core.catalogue import Catalogue
from core.protocols import ModelRegistry
from core.types import Item, ItemId
from feedback.judgments import JudgmentStore, Pair
from feedback.preferences import Preference, preferences
from ranking.quality.build import Recipe, build
from ranking.quality.model import COMPONENT, QualityModel
from ranking.quality.terms import Term
from ranking.quality.texts import SOURCES

_BATCH = 2_000
_OFFERED = 4  # terms of each item and source


@dataclass(frozen=True, slots=True)
class QualityBuild:
    """What was built, and the number of the release that carries it; None while no customer has written anything."""

    release: int | None
    model: QualityModel
    terms: Mapping[str, tuple[Term, ...]]
    pairs: int

    @property
    def sources(self) -> dict[str, dict[str, float]]:
        """Category -> the share of its terms that each source mentions; a term can have several sources."""
        return {
            kind: {str(source): float(np.mean([each.counts[source] > 0 for each in found])) for source in SOURCES}
            for kind, found in self.terms.items()
            if found
        }


class CatalogueItems:
    """All items of a catalogue, as often as asked, without ever holding them all."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __iter__(self) -> Iterator[Item]:
        sequence = 0
        while (changes := self._catalogue.changes(sequence, _BATCH)).sequence > sequence:
            yield from changes.upserts
            sequence = changes.sequence


def recipe(settings: Settings) -> Recipe:
    wanted = settings.quality
    return Recipe(category=wanted.category, price=wanted.price, terms=wanted.terms, least=wanted.least_texts)


def build_quality(settings: Settings) -> QualityBuild:
    """Publishes a model, and replaces the pairs that are offered. A running service follows within seconds."""
    catalogue, judgments = open_catalogue(settings), open_judgments(settings)
    how = recipe(settings)
    try:
        built = build(CatalogueItems(catalogue), how)
        release = _publish(open_registry(settings), built.model)
        found = preferences(taught_episodes(settings))
        pairs = list(islice(_pairs(found, catalogue, built.model, how), settings.quality.pairs))
        judgments.replace_pairs(pairs)
    finally:
        judgments.close()
        catalogue.close()
    return QualityBuild(release, built.model, built.terms, len(pairs))


def _publish(registry: ModelRegistry, model: QualityModel) -> int | None:
    """The number of the release. An empty model is published only to replace an earlier one."""
    current = registry.current()
    if not model.items and (current is None or COMPONENT not in current.components):
        return None
    return registry.publish({COMPONENT: model.encode()}).number


def _pairs(found: Iterable[Preference], catalogue: Catalogue, model: QualityModel, how: Recipe) -> Iterator[Pair]:
    """Preferences between items of one category that customers have written about."""
    for each in found:
        if each.taken not in model.rows or each.left not in model.rows:
            continue
        items = [catalogue.get(item_id) for item_id in (each.taken, each.left)]
        kinds = {how.category_of(item) for item in items if item}
        if None not in items and len(kinds) == 1:
            yield pair_of(each, kinds.pop(), model)


def pair_of(preference: Preference, category: str, model: QualityModel) -> Pair:
    """Its id is a hash of what is shown, and the order of its items a part of that hash."""
    ids = sorted([preference.taken, preference.left])
    offered = _offered(model, ids)
    content = json.dumps([preference.query, ids, offered, preference.taken])
    digest = hashlib.sha256(content.encode()).hexdigest()
    first, second = ids if int(digest[-1], 16) % 2 else reversed(ids)
    return Pair(digest[:20], preference.query, category, (first, second), preference.taken, offered)


def _offered(model: QualityModel, ids: Sequence[ItemId]) -> dict[str, tuple[str, ...]]:
    """For each item and source its first terms; sorted by term, so that their order says nothing."""
    sources: dict[str, set[str]] = {}
    for item_id in ids:
        opinions = model.opinions(item_id)
        for source in map(str, SOURCES):
            for each in [each for each in opinions if source in each.sources][:_OFFERED]:
                sources.setdefault(each.term, set()).update(each.sources)
    return {term: tuple(sorted(found)) for term, found in sorted(sources.items())}


def pairs_to_judge(
    store: JudgmentStore, items: Mapping[ItemId, Item], limit: int
) -> list[tuple[Pair, tuple[Item, Item]]]:
    """The next pairs whose items are still there, noted as served, with their items in the order to show them in."""
    found = []
    for pair in store.offered():
        first, second = (items.get(item_id) for item_id in pair.items)
        if first and second:
            found.append((pair, (first, second)))
        if len(found) == limit:
            break
    store.serve([pair for pair, _ in found])
    return found
