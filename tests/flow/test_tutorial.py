"""The tutorial's commands, run as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "first-hour.md"


def test_the_tutorial_runs_from_top_to_bottom(tmp_path: Path, cache: Path) -> None:
    script = "\n".join(re.findall(r"```bash\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL))
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "cache").symlink_to(cache)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    # A group of its own, so that a server which a failing step leaves behind goes with it.
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"trap 'kill 0' ERR\n{script}"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, start_new_session=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 items stored" in done.stdout
    assert done.stdout.count('"stored":1') == 1
    assert done.stdout.count('"duplicates":1') == 2
    told = re.sub(r"\s+", " ", done.stdout)
    assert "needs 300 searches with a click, has 1" in told
    assert "ok service: it runs, with 5 items" in told
