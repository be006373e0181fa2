"""Vectors that are computed once: items' by content hash on disk, queries' in a small memory cache."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from core.protocols import Encoder
from core.types import Floats
from retrievers.encoded_store import EncodedStore, content_key

_CHUNK = 256


class StoredEmbeddings:
    """`encode` with a memory on disk: a text that was encoded before, by the same model, costs a look-up."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        self._store = EncodedStore(path)
        self._newest: QueryVectors | None = None

    def look_first(self, newest: QueryVectors) -> None:
        """Take vectors of queries from there, where they are: a search has just computed what is learned from it."""
        self._newest = newest

    @property
    def encoder(self) -> Encoder:
        """Without the memory."""
        return self._encoder

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def version(self) -> str:
        return self._encoder.version

    def encode(self, texts: Sequence[str], progress: Callable[[int], object] = lambda _: None) -> Floats:
        """[len(texts), dimension]; `progress` is told how many more are done. What is done is kept when interrupted."""
        return self._encoded(texts, self.version, self._encoder.encode, progress)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """[len(texts), dimension]"""
        return self._encoded(texts, f"{self.version} for queries", self._encode_queries)

    def _encode_queries(self, texts: Sequence[str]) -> Floats:
        if self._newest is None:
            return self._encoder.encode_queries(texts)
        found = [self._newest.known(text) for text in texts]
        missing = iter(self._encoder.encode_queries([t for t, v in zip(texts, found, strict=True) if v is None]))
        return np.array([next(missing) if vector is None else vector for vector in found])

    def _encoded(
        self,
        texts: Sequence[str],
        version: str,
        encode: Callable[[Sequence[str]], Floats],
        progress: Callable[[int], object] = lambda _: None,
    ) -> Floats:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        keys = [content_key(version, text) for text in texts]
        missing = []
        for row, found in enumerate(self._store.find(keys)):
            if found is not None:
                vectors[row] = np.frombuffer(found, dtype=np.float32)
            else:
                missing.append(row)
        progress(len(texts) - len(missing))
        missing.sort(key=lambda row: len(texts[row]))
        for start in range(0, len(missing), _CHUNK):
            rows = missing[start : start + _CHUNK]
            vectors[rows] = encode([texts[row] for row in rows])
            self._store.add((keys[row], vectors[row].tobytes()) for row in rows)
            progress(len(rows))
        return vectors

    def close(self) -> None:
        self._store.close()


class QueryVectors:
    """The newest query vectors, each computed once even when several arms ask for it at the same time."""

    def __init__(self, encoder: Encoder, capacity: int = 10_000) -> None:
        self._encoder = encoder
        self._capacity = capacity
        self._lock = threading.Lock()
        self._futures: OrderedDict[str, Future[Floats]] = OrderedDict()

    def __call__(self, text: str) -> Floats:
        """[dimension] float32 of length 1."""
        with self._lock:
            future = self._futures.get(text)
            if mine := future is None:
                future = self._futures[text] = Future()
                if len(self._futures) > self._capacity:
                    self._futures.popitem(last=False)
            self._futures.move_to_end(text)
        assert future is not None
        if mine:
            try:
                future.set_result(self._encoder.encode_queries([text])[0])
            except BaseException as error:
                with self._lock:
                    self._futures.pop(text, None)
                future.set_exception(error)
                raise
        return future.result()

    def known(self, text: str) -> Floats | None:
        """The vector, if it is here; it stays as new as it was."""
        with self._lock:
            future = self._futures.get(text)
        return future.result() if future is not None and future.done() and not future.exception() else None

    def __contains__(self, text: str) -> bool:
        with self._lock:
            return text in self._futures
