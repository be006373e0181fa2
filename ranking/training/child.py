"""A training in a process of its own, within bounded memory: whatever happens to it happens to nobody else.

Rows travel as .npy files in a folder that both processes know, rounds as lines of a file, the model as text: no pickle.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BowerbirdError
from ranking.features.feature import Schema
from ranking.ltr import pack
from ranking.training.anchor import anchor_of
from ranking.training.clicks import ndcg_by_round
from ranking.training.parameters import Parameters
from ranking.training.rows import ClickedPage, Matrix, matrix
from ranking.training.train import boost

_ROWS = ("values", "labels", "weights", "groups", "stands")
_LATER = ("features", "gains", "positions", "examination", "sizes")
_NO_MEMORY = ("bad_alloc", "MemoryError", "Cannot allocate memory", "can't start new thread")
_MIB = 2**20
_NICENESS = 9  # nobody waits for a model; somebody may wait for an answer


class TrainingFailed(BowerbirdError):
    """A training that made no model; what serves goes on serving."""


class Training:
    """A running training. `stop` it, or wait for its `model`; either ends it and removes what it has written."""

    def __init__(
        self,
        fit: Sequence[ClickedPage],
        later: Sequence[ClickedPage],
        schema: Schema,
        parameters: Parameters,
        *,
        memory_mib: int,
    ) -> None:
        """Starts at once. `later` pages say when to stop; without any, all trees are grown."""
        self._schema = schema
        self._memory_mib = memory_mib
        self._folder = Path(tempfile.mkdtemp(prefix="bowerbird-training-"))
        rows = matrix(fit, schema, parameters)
        for name in _ROWS:
            np.save(self._folder / f"{name}.npy", getattr(rows, name))
        _save_pages(self._folder, later)
        order: dict[str, Any] = {
            "names": schema.names,
            "directions": schema.directions,
            "parameters": asdict(parameters),
        }
        order |= {"memory_mib": memory_mib, "parent": os.getpid()}
        (self._folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
        with (self._folder / "errors").open("wb") as errors:
            command = [sys.executable, "-m", "ranking.training.child", str(self._folder)]
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    @property
    def rounds(self) -> int:
        """Boosting rounds that are done."""
        done = self._folder / "rounds"
        return done.stat().st_size if done.exists() else 0

    def model(self) -> bytes:
        """Waits. TrainingFailed says why there is none."""
        try:
            status = self._child.wait()
            trees = self._folder / "trees.txt"
            if status == 0 and trees.exists():
                anchor = json.loads((self._folder / "anchor.json").read_text(encoding="utf-8"))
                return pack(self._schema, trees.read_text(encoding="utf-8"), anchor)
            raise self._failure(status)
        finally:
            self.stop()

    def stop(self) -> None:
        if self.running:
            self._child.kill()
            self._child.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _failure(self, status: int) -> TrainingFailed:
        told = (self._folder / "errors").read_text(encoding="utf-8", errors="replace").strip()
        last = told.splitlines()[-1] if told else "nothing"
        if any(sign in told for sign in _NO_MEMORY):
            why = f"It needs more than {self._memory_mib} MiB of memory."
            remedy = "Raise ranking.memory_mib, or lower ranking.max_episodes."
        elif status < 0:
            why = f"It was killed by {signal.Signals(-status).name}; its last words: {last}"
            remedy = "Was the machine short of memory? The next training comes after ranking.retrain_every more clicks."
        else:
            why = f"It ended with status {status}: {last}"
            remedy = "The next training comes after ranking.retrain_every more clicks."
        return TrainingFailed("training_failed", f"The training of the ranker failed. {why}", remedy)


def _save_pages(folder: Path, pages: Sequence[ClickedPage]) -> None:
    if not pages:
        return
    sizes = np.array([len(page.gains) for page in pages], dtype=np.int64)
    columns = [np.concatenate([getattr(page, name) for page in pages]) for name in _LATER[:-1]]
    for name, column in zip(_LATER, [*columns, sizes], strict=True):
        np.save(folder / f"later.{name}.npy", column)


def _load_pages(folder: Path) -> list[ClickedPage]:
    if not (folder / "later.sizes.npy").exists():
        return []
    features, gains, positions, looked, sizes = (np.load(folder / f"later.{name}.npy") for name in _LATER)
    ends = np.cumsum(sizes)
    parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    return [ClickedPage("", features[p], gains[p], positions[p], looked[p], features[:0]) for p in parts]


def _main(folder: Path) -> None:
    os.nice(_NICENESS)
    order = json.loads((folder / "order.json").read_text(encoding="utf-8"))
    _bound(order["memory_mib"])
    rows = Matrix(**{name: np.load(folder / f"{name}.npy") for name in _ROWS})
    pages = _load_pages(folder)
    later = None
    if pages:
        shown, nothing = np.vstack([page.features for page in pages]), np.zeros(0)
        labels = np.concatenate([page.gains > 0 for page in pages]).astype(np.int64)
        held = Matrix(shown, labels, nothing, np.array([len(page.gains) for page in pages]), nothing)
        later = held, ndcg_by_round(pages)
    with (folder / "rounds").open("wb", buffering=0) as done:

        def progress(_: int) -> None:
            if os.getppid() != order["parent"]:  # nobody waits for the model any more
                shutil.rmtree(folder, ignore_errors=True)
                sys.exit(0)
            done.write(b".")

        parameters = Parameters.of(order["parameters"])
        trees = boost(rows, order["names"], order["directions"], parameters, later=later, progress=progress)
    anchor = anchor_of(trees, rows, order["names"], parameters)
    (folder / "anchor.json").write_text(json.dumps(anchor), encoding="utf-8")
    (folder / "trees.txt").write_text(trees, encoding="utf-8")


def _bound(mib: int) -> None:
    """Data, not addresses: threads and libraries reserve many of these and use few. No bound where there is no such."""
    import resource

    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (mib * _MIB, mib * _MIB))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
