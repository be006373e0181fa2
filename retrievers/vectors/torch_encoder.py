"""A sentence-transformers model by PyTorch, for what cannot be exported, and to export it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.types import Floats
from retrievers.offline import never_ask_the_hub

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class TorchEncoder:
    """Any sentence-transformers model, as it is: slower, for what cannot be exported."""

    def __init__(self, folder: Path, version: str) -> None:
        self.version = version
        self._model = load_torch(folder)
        self.dimension = int(self._model.encode("dimension").shape[0])

    def encode(self, texts: Sequence[str]) -> Floats:
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimension)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        return self.encode(texts)


def load_torch(folder: Path, **options: Any) -> SentenceTransformer:
    """As it is, on the CPU."""
    never_ask_the_hub()
    from sentence_transformers import SentenceTransformer  # slow to import, and it stays

    return SentenceTransformer(str(folder), device="cpu", model_kwargs=options)
