"""The query adapter: a linear map that moves query vectors to where clicks say the wanted items are."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass

import numpy as np

from core.types import Floats

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueryAdapter:
    """q -> (q + matrix q), of length 1. `matrix` is [dimension, dimension]; None: the identity, as before any click.

    `encoder` is the version of the encoder that it was learned with.
    """

    encoder: str
    matrix: Floats | None = None

    def __call__(self, vector: Floats) -> Floats:
        if self.matrix is None:
            return vector
        moved = vector + self.matrix @ vector
        adapted: Floats = moved / np.maximum(np.linalg.norm(moved), 1e-12)
        return adapted

    def dump(self) -> bytes:
        buffer = io.BytesIO()
        matrix = np.empty((0, 0), dtype=np.float32) if self.matrix is None else self.matrix
        np.savez(buffer, encoder=np.frombuffer(self.encoder.encode(), dtype=np.uint8), matrix=matrix)
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes | None, encoder: str) -> QueryAdapter:
        """The identity when there is none, or when it was learned with another encoder, which is logged."""
        if data is None:
            return cls(encoder)
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            made_with, matrix = stored["encoder"].tobytes().decode(), stored["matrix"]
        if made_with != encoder:
            log.warning(
                "the query adapter was learned with encoder %s, not %s; queries stay as they are", made_with, encoder
            )
            return cls(encoder)
        return cls(encoder, matrix if matrix.size else None)
