"""How long `bowerbird serve` takes until it is ready, with 100,000 items: the first time, and with an index at hand."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.catalogue import SyntheticItems
from benchmarks.data_directory import fill
from benchmarks.loop import serving


def starts(folder: Path, port: int) -> dict[str, float]:
    """Seconds from the start of the process until GET /readyz answers 200; the folder has a catalogue and vectors."""
    with serving(folder, port) as (_, first_s):
        pass
    with serving(folder, port) as (_, again_s):
        pass
    return {"first_s": first_s, "again_s": again_s}


def start_up(count: int, *, port: int = 8792, seed: int = 1) -> dict[str, float]:
    # The learner may still be writing its last lines when the service has gone.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        fill(Path(folder), SyntheticItems(count, seed))
        return starts(Path(folder), port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    print(json.dumps(start_up(parser.parse_args().items), indent=1))


if __name__ == "__main__":
    main()
