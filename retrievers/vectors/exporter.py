"""`python -m retrievers.vectors.exporter MODEL TARGET`: the transformer of the model in one folder as ONNX in the
other, `exact` with its weights as they are and `quick` with weights of 8 bits: docs/decisions/021-query-encoder.md.
"""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.optimizer import optimize_model

from retrievers.vectors.torch_encoder import load_torch

log = logging.getLogger(__name__)
_INPUTS, _OUTPUT = ("input_ids", "attention_mask", "token_type_ids"), "hidden"


class _LastHidden(torch.nn.Module):
    """Positional inputs, one output: what the exporter can trace."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        output = self.transformer(input_ids=ids, attention_mask=mask, token_type_ids=types)
        hidden: torch.Tensor = output.last_hidden_state
        return hidden


def main(model: Path, target: Path) -> None:
    # What fuses operations knows attention where it is spelt out.
    transformer: Any = load_torch(model, attn_implementation="eager")[0].auto_model
    exported, fused, exact = target / "exported", target / "fused", target / "exact"
    _export(transformer, exported)
    _fuse(transformer.config, exported, fused)
    if _agree(exported, fused, transformer.config.vocab_size):
        fused.replace(exact)
    else:
        log.warning("%s is encoded with as it was exported: what was fused of it says something else", model)
        exported.replace(exact)
    _quantize(exact, target / "quick")


def _export(transformer: Any, target: Path) -> None:
    ids = torch.ones(2, 8, dtype=torch.long)
    with warnings.catch_warnings():
        # The tracing exporter is announced as legacy; the newer one needs packages that this one does without.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _LastHidden(transformer).eval(),
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            str(target),
            input_names=list(_INPUTS),
            output_names=[_OUTPUT],
            dynamic_axes={name: {0: "batch", 1: "sequence"} for name in (*_INPUTS, _OUTPUT)},
            opset_version=17,
            dynamo=False,
        )


def _fuse(config: Any, exported: Path, target: Path) -> None:
    """The operations of a layer become seven: of a query's time a good part is the way from one to the next."""
    made = optimize_model(str(exported), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size)
    made.save_model_to_file(str(target))


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
    # ONNX knows no types of what comes out of fused operations.
    types = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    logging.disable(logging.WARNING)  # it advises to optimise the model first, which has been done
    try:
        quantize_dynamic(str(model), str(target), weight_type=QuantType.QInt8, per_channel=True, extra_options=types)
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
