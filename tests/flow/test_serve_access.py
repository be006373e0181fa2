"""The real process: where it may listen, what it says of keys, and what a flood costs it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from http_words import refused
from served import free_port
from small_service import prepared

from app.settings import Settings
from app.web.keys import Keys


def bowerbird(settings: Settings, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "app.cli", "--verbose", "--data-dir", str(settings.data_dir), *arguments]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    return prepared(tmp_path_factory, cache)


@contextmanager
def serving(settings: Settings, config: str, log: Path, host: str = "127.0.0.1") -> Iterator[tuple[str, int]]:
    """The URL and the process id of a ready service with this configuration; what it says goes into `log`."""
    port = free_port()
    file = settings.data_dir / "serve.toml"
    file.write_text(config)
    command = bowerbird(settings, "--config", str(file), "serve", "--host", host, "--port", str(port))
    with log.open("a") as said, subprocess.Popen(command, stdout=said, stderr=said) as server:
        try:
            while server.poll() is None:
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                time.sleep(0.1)
            assert server.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()


def test_without_a_key_it_refuses_other_addresses_in_a_sentence(settings: Settings) -> None:
    command = bowerbird(settings, "serve", "--host", "0.0.0.0")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert "listen on '0.0.0.0', which other machines can reach, and there is no API key." in said
    assert "bowerbird keys create" in said


def test_a_first_key_is_shown_once_and_no_token_is_told_again(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    config = "[service]\nlearner = false\n[security]\nfirst_key = true\n"
    with serving(settings, config, log, host="0.0.0.0") as (url, _):
        (token,) = re.findall(r"bb_[0-9a-f]{8}_[0-9a-f]{64}", log.read_text())
        headers = {"authorization": f"Bearer {token}"}
        body = {"query": "love", "user_id": "ann.unmistakable@example.org", "client_id": "browser"}
        assert httpx.post(f"{url}/v1/search", json=body, headers=headers).status_code == 200
        assert httpx.post(f"{url}/v1/search?key={token}", json={"query": 7}, headers=headers).status_code == 422
        assert httpx.get(f"{url}/metrics").status_code == 401
        metrics = httpx.get(f"{url}/metrics", headers=headers).text
    with serving(settings, config, log, host="0.0.0.0"):
        pass
    said = log.read_text()
    assert said.count(token) == 1
    assert [secret for secret in ("unmistakable", token.rsplit("_")[-1]) if secret in metrics] == []
    assert "unmistakable" not in said
    Keys(settings.data_dir)._path.unlink()


def test_keys_on_the_command_line(settings: Settings, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        command = bowerbird(settings, "keys", *arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    made = json.loads(run("create", "--scope", "search", "--name", "shop", "--rate", "5", "--json"))
    assert run("create", "--scope", "admin").startswith("bb_")
    listed = json.loads(run("list", "--json"))
    assert [(key["scopes"], key.get("rate")) for key in listed] == [(["search"], 5.0), (["admin"], None)]
    assert made["token"] not in json.dumps(listed)
    for key in listed:
        assert "revoked" in run("revoke", key["id"])
    assert json.loads(run("list", "--json")) == []
    Keys(settings.data_dir)._path.unlink()


def resident_mib(pid: int) -> float:
    """The most memory that the process has held so far."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(line) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc, which is Linux's")
def test_a_gigabyte_in_chunks_is_refused_and_memory_stays_flat(settings: Settings, tmp_path: Path) -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with serving(settings, "[service]\nlearner = false\n", tmp_path / "log") as (url, pid):
        assert httpx.post(f"{url}/v1/events", content=b"[" + b"{}," * 600_000 + b"{}]").status_code == 413
        before = resident_mib(pid)
        with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port), timeout=30) as line:
            line.sendall(b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
            sent = 0
            try:
                while sent < 2**30:
                    line.sendall(chunk)
                    sent += 65_536
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has hung up, as it should
        assert sent < 2**26, "it should hang up soon after 2 MB"
        assert resident_mib(pid) < before + 32
        refused(httpx.post(f"{url}/v1/events", content=b"x" * 2_000_001), 413, "body_too_large")
