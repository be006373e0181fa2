"""What a feature is: the declaration that every family makes, and the schema that holds models and logs to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from core.types import Floats


@dataclass(frozen=True, slots=True)
class Feature:
    """One column, in words that the reference is made of.

    `range` as `low..high`, open where nothing bounds it. `missing`: when it is NaN, empty if never. `source`: where the
    figure comes from. `direction`: 1 where sense demands that a higher value never lowers a score, -1 the other way
    round (a better match may not hurt, whatever a few hundred queries suggest), 0 where either may be. `recalls`: what
    people did before, or what the item is whatever was asked, by which trees could know a query's answers again instead
    of learning what makes an answer good. Half of what is trained on lacks it, or has the feature `instead`.
    """

    name: str
    meaning: str
    source: str
    unit: str = ""
    range: str = ""
    missing: str = ""
    direction: Literal[-1, 0, 1] = 0
    recalls: bool = False
    instead: str = ""


class Schema:
    """The columns of a feature matrix, in order. `version` changes with any declaration: a model serves, and rows
    train, only under the version that they were made with."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = tuple(features)
        self.names = tuple(feature.name for feature in self.features)
        if twice := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise ValueError(f"features declared twice: {', '.join(twice)}")
        declared = json.dumps([asdict(feature) for feature in self.features], sort_keys=True)
        self.version = hashlib.sha256(declared.encode()).hexdigest()[:12]

    @property
    def directions(self) -> list[int]:
        """LightGBM's monotone_constraints."""
        return [feature.direction for feature in self.features]

    @property
    def recalling(self) -> list[int]:
        """The columns by which trees could know answers again."""
        return [column for column, feature in enumerate(self.features) if feature.recalls]

    def unasked(self, values: Floats) -> Floats:
        """A copy of [n, F] `values` as they would be had nobody ever asked the query nor seen the items."""
        found = values.copy()
        found[:, self.recalling] = np.nan
        for column, feature in enumerate(self.features):
            if feature.instead:
                found[:, column] = values[:, self.names.index(feature.instead)]
        return found
