"""BM25 as weights of terms: what an inverted index makes of term frequencies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.types import Floats


@dataclass(frozen=True, slots=True)
class Bm25:
    """Okapi's BM25 with Lucene's idf, which is above 0 however common the term.

    idf x tf (k1 + 1) / (tf + k1 (1 - b + b length / mean length)), idf = ln(1 + (N - n + 0.5) / (n + 0.5)); Robertson
    and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond". A length is the sum of frequencies.
    """

    k1: float = 1.2
    b: float = 0.75

    def idf(self, total: int, frequency: int) -> float:
        """Of a term that `frequency` of `total` documents hold."""
        return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))

    def norms(self, lengths: Floats, mean: float) -> Floats:
        """[documents] what a frequency is weighed against: k1, less in short documents and more in long ones."""
        norms: Floats = (self.k1 * (1 - self.b + self.b * lengths / max(mean, 1e-9))).astype(np.float32)
        return norms

    def saturated(self, frequencies: Floats, norms: Floats) -> Floats:
        """The score but for the idf; both of the same length."""
        return np.float32(self.k1 + 1) * frequencies / (frequencies + norms)
