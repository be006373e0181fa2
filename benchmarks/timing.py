"""How long something takes, warm, and how much memory this process holds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def timed(run: Callable[[int], object], count: int) -> dict[str, float]:
    """p50 and p99 of `run(n)` in milliseconds, after a tenth to warm up."""
    times = []
    for n in range(count + count // 10):
        started = time.perf_counter()
        run(n)
        times.append((time.perf_counter() - started) * 1000)
    return percentiles(times[count // 10 :])


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99."""
    return {"p50_ms": statistics.median(milliseconds), "p99_ms": statistics.quantiles(milliseconds, n=100)[98]}


def resident_bytes() -> int:
    """Of this process, files that it has mapped and touched included (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


def size_on_disk(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
