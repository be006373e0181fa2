"""Queries that a sequence-to-sequence model makes up for items (doc2query), each item's computed once.

Nogueira and Lin 2019, "From doc2query to docTTTTTquery". PyTorch and transformers take seconds to import, so they are
loaded when the first item is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import InvalidConfig
from core.types import Item
from retrievers.document import passage
from retrievers.encoded_store import EncodedStore, content_key
from retrievers.offline import never_ask_the_hub

_PER_ITEM = 5
_LONGEST = 16  # tokens of a query
_READ = 384  # tokens of an item
_BATCH = 8


class GeneratedQueries:
    """The queries of the model in `folder`, by beam search; what was made up is kept in `store`."""

    def __init__(self, folder: Path, store: EncodedStore) -> None:
        self._folder = folder
        self._weights = [folder / "config.json", *generator_weights(folder)]
        self._store = store

    def __call__(self, items: Sequence[Item]) -> list[list[str]]:
        """Of each item; those that are not known take tenths of a second each on a CPU."""
        texts = [passage(item) for item in items]
        keys = [content_key(self._version, text) for text in texts]
        found = self._store.find(keys)
        missing = [row for row, known in enumerate(found) if known is None]
        for start in range(0, len(missing), _BATCH):
            rows = missing[start : start + _BATCH]
            for row, queries in zip(rows, self._generate([texts[row] for row in rows]), strict=True):
                found[row] = json.dumps(queries).encode()
            self._store.add((keys[row], found[row] or b"") for row in rows)
        return [json.loads(known or b"[]") for known in found]

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
        never_ask_the_hub()
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(self._folder), local_files_only=True)
        return tokenizer, AutoModelForSeq2SeqLM.from_pretrained(str(self._folder), local_files_only=True).eval()


def generator_weights(folder: Path) -> list[Path]:
    """The files with the weights of the model in the folder. InvalidConfig when there is none."""
    weights = sorted(file for file in folder.glob("*") if file.suffix in {".safetensors", ".bin"})
    if not weights or not _is_encoder_decoder(folder / "config.json"):
        raise InvalidConfig(
            "unknown_query_generator",
            f"memory.model = {str(folder)!r} is no folder with a sequence-to-sequence model of transformers.",
            "Name a folder with the config.json, tokenizer and weights of a model such as docT5query, as "
            "save_pretrained writes them, or leave it empty.",
        )
    return weights


def _is_encoder_decoder(config: Path) -> bool:
    try:
        read = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(read, dict) and bool(read.get("is_encoder_decoder"))
