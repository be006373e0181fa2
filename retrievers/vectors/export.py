"""A sentence-transformers model as ONNX, made once, by a process of its own, and kept.

PyTorch and sentence-transformers take seconds to import and half a GiB, and stay where they are imported. Who serves
needs neither.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import InvalidConfig

_EXACT, _QUICK = ".fused.onnx", ".fused.int8.onnx"
_PROGRAM = "retrievers.vectors.exporter"
_EXPORTED = (
    ["Transformer", "Pooling"],
    ["Transformer", "Pooling", "Normalize"],
)


def export(folder: Path, cache: Path, version: str) -> tuple[Path, Path] | None:
    """The transformer of the model in the folder, and the same with weights of 8 bits; None for a model that is not
    transformer + mean pooling (+ normalise). InvalidConfig when it cannot be exported."""
    exact, quick = cache / f"{version}{_EXACT}", cache / f"{version}{_QUICK}"
    if exact.is_file() and quick.is_file():
        return exact, quick
    if not _exportable(folder):
        return None
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache) as made:
        if subprocess.run([sys.executable, "-m", _PROGRAM, folder, made], check=False).returncode:
            raise InvalidConfig(
                "encoder_not_exported",
                f"The encoder in {folder} could not be exported; why is told above.",
                "PyTorch is needed for that (pip install torch), and a whole model of the BERT family.",
            )
        (Path(made) / "exact").replace(exact)
        (Path(made) / "quick").replace(quick)
    return exact, quick


def exported(cache: Path) -> list[Path]:
    """The models there, as they are for items."""
    return sorted(cache.glob(f"*{_EXACT}"))


def _exportable(folder: Path) -> bool:
    modules = [module["type"].rsplit(".", 1)[-1] for module in json.loads((folder / "modules.json").read_text())]
    pooling = folder / "1_Pooling" / "config.json"
    return (
        modules in _EXPORTED
        and pooling.is_file()
        and bool(json.loads(pooling.read_text()).get("pooling_mode_mean_tokens", False))
    )
