"""Sparse expansion by a SPLADE model: sentence-transformers' SparseEncoder for items and queries.

PyTorch and sentence-transformers take seconds to import, so they are loaded when the first text is encoded.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from core.errors import InvalidConfig
from core.text import words
from core.types import Item
from retrievers.document import passage
from retrievers.encoded_store import EncodedStore, content_key
from retrievers.impact.index import ImpactIndex
from retrievers.impact.term_weights import QueryTerms
from retrievers.offline import never_ask_the_hub
from retrievers.vectors.encoder import version_of

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SparseEncoder

# Most of what a model says of a text is in its heaviest terms; the rest makes postings long and queries slow.
DOCUMENT_TERMS = 128
QUERY_TERMS = 24
_BATCH = 16
_CACHED_QUERIES = 10_000


class SpladeTerms:
    """Word pieces with the weights of the model in `folder`; an item is read as the other encoder reads it.

    Formal et al. 2021, "SPLADE v2". An item's terms are kept in `store`: what was encoded before, by the same model,
    costs a look-up.
    """

    bm25 = None

    def __init__(self, folder: Path, store: EncodedStore) -> None:
        self._folder = folder
        self._store = store
        self._tokenizer = Tokenizer.from_file(str(splade_tokenizer(folder)))
        self._tokenizer.no_padding()
        self._queries: OrderedDict[str, QueryTerms] = OrderedDict()
        self._encoding = Lock()  # tokenizers are not safe in several threads at once
        self._caching = Lock()

    @property
    def edition(self) -> int:
        return 0  # nothing is learned here

    def load(self, model: bytes | None) -> None:
        """Nothing is learned from clicks: the expansion is the model's."""

    def refresh(self, index: ImpactIndex) -> None:
        """Nothing is learned from the catalogue either."""

    def saving(self) -> Callable[[Path], None]:
        """Nothing was learned."""
        return lambda folder: None

    def restore(self, folder: Path, index: ImpactIndex) -> None:
        """Nothing was learned."""

    def documents(self, items: Sequence[Item]) -> list[Mapping[str, float]]:
        texts = [passage(item) for item in items]
        keys = [content_key(self._version, text) for text in texts]
        found = [_unpacked(data) if data is not None else None for data in self._store.find(keys)]
        missing = [row for row, terms in enumerate(found) if terms is None]
        for start in range(0, len(missing), _BATCH):
            rows = missing[start : start + _BATCH]
            encoded = self._encoded([texts[row] for row in rows])
            self._store.add((keys[row], _packed(terms)) for row, terms in zip(rows, encoded, strict=True))
            for row, terms in zip(rows, encoded, strict=True):
                found[row] = terms
            time.sleep(0.001)  # locks are not fair: let a query in
        return [terms for terms in found if terms is not None]

    def query(self, text: str) -> QueryTerms:
        """Kept for the newest queries, because the model takes tens of milliseconds."""
        with self._caching:
            known = self._queries.get(text)
        if known is not None:
            return known
        if not words(text):
            return QueryTerms({}, {})
        with self._encoding:
            encoded = self._model.encode_query([text], show_progress_bar=False, max_active_dims=QUERY_TERMS)
            terms = self._decoded(encoded)[0]
        pieces = set(self._tokenizer.encode(text, add_special_tokens=False).tokens)
        found = QueryTerms(
            own={term: weight for term, weight in terms.items() if term in pieces},
            added={term: weight for term, weight in terms.items() if term not in pieces},
        )
        with self._caching:
            self._queries[text] = found
            if len(self._queries) > _CACHED_QUERIES:
                self._queries.popitem(last=False)
        return found

    def signals(self, text: str) -> Mapping[str, float]:
        """How long the query is, and how many of its words are words to the model, not pieces it was not taught."""
        asked = words(text)
        pieces = self._tokenizer.encode(text, add_special_tokens=False).tokens
        whole = min(1.0, len(asked) / len(pieces)) if pieces else 0.0
        return {"words": min(len(asked), 20) / 20, "whole_words": whole}

    @cached_property
    def _model(self) -> SparseEncoder:
        never_ask_the_hub()
        from sentence_transformers import SparseEncoder

        return SparseEncoder(str(self._folder), device="cpu", local_files_only=True)

    @cached_property
    def _version(self) -> str:
        """Names the weights, and all that the kept terms depend on beside them."""
        return f"{version_of(self._folder)}-{DOCUMENT_TERMS}"

    def _encoded(self, texts: list[str]) -> list[Mapping[str, float]]:
        with self._encoding:
            encoded = self._model.encode_document(texts, show_progress_bar=False, max_active_dims=DOCUMENT_TERMS)
            return self._decoded(encoded)

    def _decoded(self, encoded: torch.Tensor) -> list[Mapping[str, float]]:
        decoded: Any = self._model.decode(encoded)  # one list of pairs for each row of a matrix
        return [{term: weight for term, weight in pairs if weight > 0} for pairs in decoded]


def splade_tokenizer(folder: Path) -> Path:
    """The tokenizer of the model in the folder. InvalidConfig when there is none."""
    tokenizers = sorted(folder.rglob("tokenizer.json"))  # below the root in models with a router
    if not tokenizers or not (folder / "modules.json").is_file():
        raise InvalidConfig(
            "unknown_sparse_encoder",
            f"sparse.model = {str(folder)!r} is no folder with a SPLADE model of sentence-transformers.",
            "Name a folder that holds a modules.json and a tokenizer.json, as SparseEncoder.save writes it, or leave "
            "it empty.",
        )
    return tokenizers[0]


def _packed(terms: Mapping[str, float]) -> bytes:
    """The weights as float32, which they are, after a line of JSON with the terms."""
    return json.dumps(list(terms)).encode() + b"\n" + np.array(list(terms.values()), dtype=np.float32).tobytes()


def _unpacked(data: bytes) -> Mapping[str, float]:
    names, _, weights = data.partition(b"\n")
    return dict(zip(json.loads(names), np.frombuffer(weights, dtype=np.float32).tolist(), strict=True))
