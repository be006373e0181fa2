"""What is known of every item's quality, as a value that a release can carry."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptModel
from core.types import ItemId

COMPONENT = "quality"
_VERSION = 1
_FEW = 5  # terms on either side of an explanation


@dataclass(frozen=True, slots=True)
class TermOpinion:
    """What customers think of one attribute of an item.

    `seller`, `review` and `question` count the item's texts that mention it. `sentiment` is on the rating scale, above
    or below the category's mean; NaN when no review tells.
    """

    term: str
    seller: int
    review: int
    question: int
    sentiment: float

    @property
    def sources(self) -> tuple[str, ...]:
        """Who mentions it."""
        counts = {"seller": self.seller, "review": self.review, "question": self.question}
        return tuple(source for source, count in counts.items() if count)


@dataclass(frozen=True, slots=True)
class QualityWords:
    """Why an item is thought good or bad: its strongest terms on either side, and its figures.

    `rating` is the mean rating, drawn towards the category's; `residual` the quality that price does not explain, both
    on the rating scale and NaN without a review. Where `priced` is false, `residual` compares with the category's mean.
    """

    rating: float
    reviews: int
    residual: float
    priced: bool
    positive: tuple[TermOpinion, ...]
    negative: tuple[TermOpinion, ...]


@dataclass(frozen=True)
class QualityModel:
    """Rows of `items` side by side; terms of item k are entries starts[k]:starts[k + 1] of the last five arrays.

    `term` numbers `terms`. Items that no customer has written about have no row.
    """

    items: tuple[ItemId, ...]
    rating: NDArray[np.float32]
    reviews: NDArray[np.int32]
    residual: NDArray[np.float32]
    priced: NDArray[np.bool_]
    terms: tuple[str, ...]
    starts: NDArray[np.int64]
    term: NDArray[np.int32]
    seller: NDArray[np.int32]
    review: NDArray[np.int32]
    question: NDArray[np.int32]
    sentiment: NDArray[np.float32]

    @cached_property
    def rows(self) -> Mapping[ItemId, int]:
        return {item_id: row for row, item_id in enumerate(self.items)}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Term -> its number."""
        return {term: number for number, term in enumerate(self.terms)}

    def opinions(self, item_id: ItemId) -> tuple[TermOpinion, ...]:
        """All terms of the item, the strongest sentiment first; empty for an item that is not known."""
        row = self.rows.get(item_id)
        entries = range(0) if row is None else range(int(self.starts[row]), int(self.starts[row + 1]))
        return tuple(
            TermOpinion(
                self.terms[int(self.term[n])],
                int(self.seller[n]), int(self.review[n]), int(self.question[n]), float(self.sentiment[n]),
            )
            for n in entries
        )  # fmt: skip

    def words(self, item_id: ItemId) -> QualityWords | None:
        """The explanation of an item's quality; None where no customer has written about it."""
        row = self.rows.get(item_id)
        if row is None:
            return None
        found = self.opinions(item_id)
        return QualityWords(
            float(self.rating[row]),
            int(self.reviews[row]),
            float(self.residual[row]),
            bool(self.priced[row]),
            tuple(each for each in found if each.sentiment > 0)[:_FEW],
            tuple(each for each in found if each.sentiment < 0)[:_FEW],
        )

    def encode(self) -> bytes:
        """As npz, without pickle."""
        buffer = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        texts = {"items": _json(self.items), "terms": _json(self.terms), "version": np.array(_VERSION)}
        np.savez_compressed(buffer, allow_pickle=False, **arrays, **texts)
        return buffer.getvalue()

    @staticmethod
    def decode(data: bytes) -> QualityModel:
        """CorruptModel for bytes of another format."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                if int(stored["version"]) != _VERSION:
                    raise ValueError(f"format {int(stored['version'])}, this Bowerbird reads {_VERSION}")
                items = tuple(map(ItemId, json.loads(stored["items"].tobytes())))
                terms = tuple(json.loads(stored["terms"].tobytes()))
                return QualityModel(items=items, terms=terms, **{name: stored[name] for name in _ARRAYS})
        except (ValueError, KeyError, OSError) as error:
            raise CorruptModel(
                "quality_unreadable",
                f"The quality model cannot be read: {error}.",
                "Make another one with `bowerbird quality build`.",
            ) from None


_ARRAYS = (
    "rating", "reviews", "residual", "priced", "starts", "term", "seller", "review", "question", "sentiment",
)  # fmt: skip


def _json(texts: Sequence[str]) -> NDArray[Any]:
    return np.frombuffer(json.dumps(list(texts)).encode(), dtype=np.uint8)
