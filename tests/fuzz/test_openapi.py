"""Whatever is sent, the answer is one that the API documents: never a 5xx, and every refusal has its three parts.

FUZZ_S seconds long, 20 by default; `make fuzz` takes ten minutes, with another seed each time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from http_service import Running
from http_words import search

SECONDS = int(os.environ.get("FUZZ_S", "20"))
SEED = os.environ.get("FUZZ_SEED", "1")
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


@pytest.mark.timeout(SECONDS + 280)
def test_every_answer_is_documented(running: Running, tmp_path: Path) -> None:
    url, _ = running
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json"]
    command += ["--max-time", str(SECONDS), "--max-examples", str(10 * SECONDS), "--checks", ",".join(CHECKS)]
    command += ["--continue-on-failure", "--generation-database", "none", "--no-color", "--no-shrink"]
    command += ["--exclude-checks", "unsupported_method", "--warnings", "off"]
    if SEED != "random":
        command += ["--seed", SEED]
    hooks = Path(__file__).with_name("hooks.py")
    shutil.copy(hooks, tmp_path / "fuzz_hooks.py")
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    counts = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout)
    assert counts is not None
    assert len(set(counts.groups())) == 1, "an operation was left out"
    with httpx.Client(base_url=url, timeout=30) as http:
        assert search(http, "love", preview=True)["hits"]
