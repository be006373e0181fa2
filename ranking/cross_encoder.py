"""A cross-encoder: a transformer that reads query and item together (Nogueira and Cho 2019, "Passage re-ranking").

PyTorch and sentence-transformers take seconds to import; they are imported when a model is opened, and only then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidConfig
from core.types import Candidate, Item, Query

Doubles = NDArray[np.float64]
_BATCH = 4  # they are sorted by length; larger ones are mostly padding


class CrossEncoderModel:
    """A CrossEncoder of sentence-transformers with one output, from a local folder."""

    def __init__(self, folder: Path, text: Callable[[Item], str], *, tokens: int = 128) -> None:
        """Loads the model, which takes seconds. `text`: what is read of an item, its first `tokens` with the query's.

        InvalidConfig if there is no such model.
        """
        check_folder(folder)
        from sentence_transformers import CrossEncoder
        from torch.nn import Identity

        try:
            # The logit: a sigmoid would make the best ones equal.
            self._model = CrossEncoder(
                str(folder), device="cpu", local_files_only=True, activation_fn=Identity(), max_length=tokens
            )
        except Exception as error:
            raise _unusable(folder, f"it cannot be loaded ({error})") from error
        if (outputs := self._model.num_labels) != 1:
            raise _unusable(folder, f"its model has {outputs} outputs instead of 1")
        self._text = text
        self.version = f"{folder.name}-{_digest(folder)}"

    def score(self, query: Query, candidates: Sequence[Candidate]) -> Doubles:
        """[len(candidates)] logits, higher is better."""
        pairs = [(query.text, self._text(candidate.item)) for candidate in candidates]
        scores = self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)
        return np.asarray(scores, dtype=np.float64).reshape(len(candidates))


def check_folder(folder: Path) -> None:
    """InvalidConfig when there can be no model in it. Whether there is one tells who loads it."""
    if not (folder / "config.json").is_file():
        raise _unusable(folder, "it is no folder with a config.json")


def blend(ranker: Doubles, neural: Doubles, weight: float) -> Doubles:
    """`weight` of the one and 1 - `weight` of the other, both scaled to 0..1 within what is compared.

    The convex combination of Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval".
    """
    return (1 - weight) * _scaled(ranker) + weight * _scaled(neural)


def _scaled(scores: Doubles) -> Doubles:
    span = np.ptp(scores) if scores.size else 0.0
    scaled: Doubles = (scores - scores.min()) / span if span > 0 else np.zeros_like(scores)
    return scaled


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".json", ".safetensors", ".bin", ".txt"}:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _unusable(folder: Path, why: str) -> InvalidConfig:
    return InvalidConfig(
        "unknown_cross_encoder",
        f"neural.model = {str(folder)!r}: {why}.",
        "Name a folder with a cross-encoder of one output, as CrossEncoder.save writes it, or leave it empty.",
    )
