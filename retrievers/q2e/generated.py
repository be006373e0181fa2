"""Queries that a sequence-to-sequence model makes up for items (doc2query), each item's computed once.

Nogueira and Lin 2019, "From doc2query to docTTTTTquery". PyTorch and transformers take seconds to import, so they are
loaded when the first item is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import InvalidConfig
from core.types import Item
from retrievers.document import passage

_PER_ITEM = 5
_LONGEST = 16  # tokens of a query
_READ = 384  # tokens of an item
_BATCH = 8


class GeneratedQueries:
    """The queries of the model in `folder`, by beam search; what was made up is kept in the database at `path`."""

    def __init__(self, folder: Path, path: Path) -> None:
        weights = sorted(file for pattern in ("*.safetensors", "*.bin") for file in folder.glob(pattern))
        if not weights or not _is_encoder_decoder(folder / "config.json"):
            raise InvalidConfig(
                "unknown_query_generator",
                f"memory.model = {str(folder)!r} is no folder with a sequence-to-sequence model of transformers.",
                "Name a folder with the config.json, tokenizer and weights of a model such as docT5query, as "
                "save_pretrained writes them, or leave it empty.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._weights = [folder / "config.json", *weights]
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")  # lost queries are made up again
        self._db.execute("CREATE TABLE IF NOT EXISTS queries (key BLOB PRIMARY KEY, found TEXT) WITHOUT ROWID")

    def __call__(self, items: Sequence[Item]) -> list[list[str]]:
        """Of each item; those that are not known take tenths of a second each on a CPU."""
        texts = [passage(item) for item in items]
        keys = [hashlib.sha256(f"{self._version}\n{text}".encode()).digest() for text in texts]
        with self._lock:
            found = {key: known for key in keys if (known := self._stored(key)) is not None}
            missing = [row for row, key in enumerate(keys) if key not in found]
            for start in range(0, len(missing), _BATCH):
                rows = missing[start : start + _BATCH]
                made = zip([keys[row] for row in rows], self._generate([texts[row] for row in rows]), strict=True)
                new = dict(made)
                stored = [(key, json.dumps(queries)) for key, queries in new.items()]
                self._db.executemany("INSERT OR IGNORE INTO queries VALUES (?, ?)", stored)
                found |= new
        return [found[key] for key in keys]

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _stored(self, key: bytes) -> list[str] | None:
        row = self._db.execute("SELECT found FROM queries WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def _generate(self, texts: list[str]) -> list[list[str]]:
        tokenizer, model = self._model
        read = tokenizer(texts, max_length=_READ, truncation=True, padding=True, return_tensors="pt")
        said = model.generate(
            input_ids=read["input_ids"],
            attention_mask=read["attention_mask"],
            num_beams=_PER_ITEM,
            num_return_sequences=_PER_ITEM,
            max_new_tokens=_LONGEST,
            do_sample=False,
        )
        queries = [query.strip() for query in tokenizer.batch_decode(said, skip_special_tokens=True)]
        return [queries[n : n + _PER_ITEM] for n in range(0, len(queries), _PER_ITEM)]

    @cached_property
    def _version(self) -> str:
        digest = hashlib.sha256(f"{_PER_ITEM} {_LONGEST} {_READ}".encode())
        for path in self._weights:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @cached_property
    def _model(self) -> tuple[Any, Any]:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a local folder needs no hub, and asking takes minutes to fail
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(self._folder), local_files_only=True)
        return tokenizer, AutoModelForSeq2SeqLM.from_pretrained(str(self._folder), local_files_only=True).eval()


def _is_encoder_decoder(config: Path) -> bool:
    try:
        read = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(read, dict) and bool(read.get("is_encoder_decoder"))
