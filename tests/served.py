"""`bowerbird serve` as a real process on a data directory of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

_START_S = 60.0


class Served:
    """`settings`: TOML of what differs from the default. Started and killed as often as asked, on the same port."""

    def __init__(self, folder: Path, cache: Path, settings: str) -> None:
        folder.mkdir()
        (folder / "cache").symlink_to(cache)
        self.folder = folder
        self._config = folder / "config.toml"
        self._config.write_text(settings)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.http = httpx.Client(base_url=self.url, timeout=10)

    def start(self) -> None:
        command = [sys.executable, "-m", "app.cli", "--config", str(self._config), "--data-dir", str(self.folder)]
        self._process = subprocess.Popen([*command, "serve", "--port", str(self._port)])

    def wait(self) -> None:
        """Until it is ready."""
        within(_START_S, self._ready)

    @property
    def runs(self) -> bool:
        return self._process is not None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.http.close()
        self.stop()

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "it ended"
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def within(seconds: float, holds: Callable[[], bool]) -> float:
    """How long it took to become true."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() < started + seconds
        time.sleep(0.02)
    return time.monotonic() - started
