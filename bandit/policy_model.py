"""What models of policies have in common: an npz with a JSON header, a version by their bytes, refusals in words."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptModel
from core.types import Features

Model = TypeVar("Model")
# All that numpy, zipfile and json raise for bytes that were cut or altered.
_UNREADABLE = (ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, zipfile.BadZipFile)


def pack(header: Mapping[str, Any], **arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **arrays)
    return buffer.getvalue()


def unpack(data: bytes, read: Callable[[Mapping[str, Any], Mapping[str, NDArray[Any]]], Model]) -> Model:
    """What `read` makes of the header and the arrays; CorruptModel when the bytes are not what `pack` writes."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return read(json.loads(stored["header"].tobytes()), stored)
    except _UNREADABLE as error:
        raise corrupt(f"it cannot be read ({error})") from error


def version(kind: str, data: bytes, seed: int) -> str:
    """Names the exact propensity function: changes with any byte of the model, and with the seed."""
    return f"{kind}-{hashlib.sha256(data + str(seed).encode()).hexdigest()[:10]}"


def check_names(trained: tuple[str, ...], context: Features) -> None:
    """CorruptModel when the context has other features than those that the model was trained on."""
    if context.names != trained:
        different = sorted(set(context.names) ^ set(trained))
        raise CorruptModel(
            "policy_features_differ",
            f"The policy was trained on other context features (different: {different}).",
            "The default plan serves meanwhile; the learner publishes a fitting policy after new clicks.",
        )


def corrupt(why: str) -> CorruptModel:
    return CorruptModel("bad_policy", f"The policy model is damaged: {why}.", "The learner publishes another.")
