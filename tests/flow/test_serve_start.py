"""The real process, when it cannot start: a sentence that says what to do, exit code 1, and nothing announced."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from small_service import prepared

from app.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    return prepared(tmp_path_factory, cache)


def serve(settings: Settings, config: str, *options: str) -> list[str]:
    file = settings.data_dir / "start.toml"
    file.write_text(config)
    before = ["--config", str(file), "--data-dir", str(settings.data_dir)]
    return [sys.executable, "-m", "app.cli", *before, "serve", *options]


def refused(command: list[str]) -> str:
    """What it says when it ends."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    return " ".join(done.stderr.split())


def test_a_port_that_is_taken_is_said_before_anything_is_announced(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(serve(settings, "", "--port", str(port)))
    assert said == f"port_taken: Port {port} is taken. Name another one with --port, or 0 for any that is free."


def test_an_address_of_another_machine_is_refused(settings: Settings) -> None:
    said = refused(serve(settings, "[security]\nfirst_key = true\n", "--host", "192.0.2.1", "--port", "0"))
    assert "Cannot listen on '192.0.2.1', port 0: Cannot assign requested address." in said
    (settings.data_dir / "keys.json").unlink()


def test_a_free_port_is_announced_by_its_number(settings: Settings, tmp_path: Path) -> None:
    config = '[service]\nlearner = false\nhost = "localhost"\nport = 0\nprocesses = 2\n'
    with (tmp_path / "log").open("w") as log, subprocess.Popen(serve(settings, config), stderr=log) as server:
        try:
            until = time.monotonic() + 60
            while not (found := re.search(r"http://localhost:[1-9]\d+", (tmp_path / "log").read_text())):
                assert time.monotonic() < until
                assert server.poll() is None
                time.sleep(0.05)
            with httpx.Client(base_url=found[0], timeout=60) as http:
                assert http.get("/livez").json() == {"status": "alive"}
                while http.get("/readyz").status_code != 200:
                    assert time.monotonic() < until
                    time.sleep(0.1)
                assert http.post("/v1/search", json={"query": "love"}).json()["hits"]
        finally:
            server.terminate()
    assert server.returncode == 0


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ('[vector]\nencoder = "nothere"\n', "vector.encoder = 'nothere' is no folder"),
        ('[neural]\nmodel = "alsonot"\n', "neural.model = 'alsonot': it is no folder with a config.json"),
        ('[retrieval]\ndefault_plan = "alll"\n', "Unknown default plan 'alll'. Did you mean 'all'?"),
    ],
)
def test_a_configuration_that_names_what_is_not_there_is_refused(
    settings: Settings, config: str, sentence: str
) -> None:
    said = refused(serve(settings, config, "--port", "0"))
    assert sentence in said
    assert "Bowerbird at" not in said
    assert "Traceback" not in said


def test_a_model_that_turns_out_to_be_none_ends_the_service_in_a_sentence(settings: Settings, tmp_path: Path) -> None:
    """Only who loads it finds out: the service has begun to listen by then."""
    (tmp_path / "config.json").write_text("{}")
    said = refused(serve(settings, f'[neural]\nmodel = "{tmp_path}"\n', "--port", "0"))
    assert f"neural.model = '{tmp_path}': it cannot be loaded" in said
    assert "or leave it empty." in said
    assert "Traceback" not in said
