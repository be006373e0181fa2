"""A sentence-transformers model as ONNX: exported, fused and rounded once, and kept.

PyTorch and sentence-transformers take seconds to import and half a GiB, so they are loaded only to export, in a process
of its own (or when a model cannot be exported); serving needs neither. `python -m retrievers.vectors.export FOLDER
EXACT QUICK` is that process.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from core.errors import InvalidConfig
from retrievers.offline import never_ask_the_hub

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)
_INPUTS, _OUTPUT = ("input_ids", "attention_mask", "token_type_ids"), "hidden"
_EXPORTED = (
    ["Transformer", "Pooling"],
    ["Transformer", "Pooling", "Normalize"],
)


def export(folder: Path, cache: Path, version: str) -> tuple[Path, Path] | None:
    """The transformer of the model in the folder, and the same with weights of 8 bits; None for a model that is not
    transformer + mean pooling (+ normalise). InvalidConfig when it cannot be exported."""
    made = exact, quick = cache / f"{version}.fused.onnx", cache / f"{version}.fused.int8.onnx"
    if exact.is_file() and quick.is_file():
        return made
    if not _exportable(folder):
        return None
    cache.mkdir(parents=True, exist_ok=True)
    partial = [path.with_suffix(f".{os.getpid()}.partial") for path in made]
    try:
        if subprocess.run([sys.executable, "-m", __name__, str(folder), *map(str, partial)], check=False).returncode:
            raise InvalidConfig(
                "encoder_not_exported",
                f"The encoder in {folder} could not be exported; why is told above.",
                "PyTorch is needed for that (pip install torch), and a whole model of the BERT family.",
            )
        for path, target in zip(partial, made, strict=True):
            path.replace(target)
    finally:
        for path in partial:
            path.unlink(missing_ok=True)
    return made


def load_torch(folder: Path, **options: Any) -> SentenceTransformer:
    """As it is, on the CPU."""
    never_ask_the_hub()
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", model_kwargs=options)


def _exportable(folder: Path) -> bool:
    modules = [module["type"].rsplit(".", 1)[-1] for module in json.loads((folder / "modules.json").read_text())]
    pooling = folder / "1_Pooling" / "config.json"
    return (
        modules in _EXPORTED
        and pooling.is_file()
        and bool(json.loads(pooling.read_text()).get("pooling_mode_mean_tokens", False))
    )


def _export(folder: Path, target: Path) -> None:
    """What a layer does in some 40 operations is then fused into 7: of a query's time a good part is the way from one
    to the next. Attention is found where it is spelt out (`eager`)."""
    import torch
    from onnxruntime.transformers.optimizer import optimize_model

    class LastHidden(torch.nn.Module):
        def __init__(self, transformer: Any) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
            output = self.transformer(input_ids=ids, attention_mask=mask, token_type_ids=types)
            hidden: torch.Tensor = output.last_hidden_state
            return hidden

    transformer: Any = load_torch(folder, attn_implementation="eager")[0].auto_model
    ids = torch.ones(2, 8, dtype=torch.long)
    with warnings.catch_warnings():
        # The tracing exporter is announced as legacy; the newer one needs packages that this one does without.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LastHidden(transformer).eval(),
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            str(target),
            input_names=list(_INPUTS),
            output_names=[_OUTPUT],
            dynamic_axes={name: {0: "batch", 1: "sequence"} for name in (*_INPUTS, _OUTPUT)},
            opset_version=17,
            dynamo=False,
        )
    config, fused = transformer.config, target.with_suffix(".fused")
    made = optimize_model(str(target), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size)
    made.save_model_to_file(str(fused))
    if _agree(target, fused, config.vocab_size):
        fused.replace(target)
    else:
        log.warning("%s is encoded with as it was exported: what was fused of it says something else", folder)
        fused.unlink()


def _agree(exported: Path, fused: Path, words: int) -> bool:
    """On two texts, one of them shorter, with these many words to know."""
    ids = np.arange(16, dtype=np.int64).reshape(2, 8) % words
    mask = np.ones_like(ids)
    mask[1, 5:] = 0
    given = dict(zip(_INPUTS, (ids, mask, np.zeros_like(ids)), strict=True))
    first, second = (
        onnxruntime.InferenceSession(str(each), providers=["CPUExecutionProvider"]).run(None, given)[0]
        for each in (exported, fused)
    )
    return bool(np.allclose(first[mask > 0], second[mask > 0], atol=1e-3))


def _quantize(model: Path, target: Path) -> None:
    """Weights of 8 bits, a scale per channel."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # ONNX knows no types of what comes out of fused operations.
    types = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    logging.disable(logging.WARNING)  # it advises to optimise the model first, which has been done
    try:
        quantize_dynamic(str(model), str(target), weight_type=QuantType.QInt8, per_channel=True, extra_options=types)
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    model, exact, quick = map(Path, sys.argv[1:])
    _export(model, exact)
    _quantize(exact, quick)
