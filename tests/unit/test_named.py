"""What a configuration names and is not there: each is said by its key, before any model is loaded."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.operating.diagnosis import diagnose
from app.settings import load_settings
from app.wiring.named import check_named, unusable
from core.errors import InvalidConfig

WRONG = {
    "plans": ({"retrieval": {"default_plan": "alll"}}, "Unknown default plan 'alll'. Did you mean 'all'?"),
    "deadlines": ({"retrieval": {"arm_deadline_ms": {"lexicl": 10.0}}}, "'lexicl'. Did you mean 'lexical'?"),
    "encoder": ({"vector": {"encoder": "nothere"}}, "vector.encoder = 'nothere' is no folder"),
    "sparse model": ({"sparse": {"model": "nothere"}}, "sparse.model = 'nothere' is no folder"),
    "memory model": ({"memory": {"model": "nothere"}}, "memory.model = 'nothere' is no folder"),
    "neural model": ({"neural": {"model": "alsonot"}}, "neural.model = 'alsonot': it is no folder"),
    "judgments": ({"ranking": {"judgments": "no.csv"}}, "ranking.judgments = 'no.csv': Cannot read no.csv"),
}  # fmt: skip


def test_the_default_names_nothing_that_is_not_there() -> None:
    check_named(load_settings())


@pytest.mark.parametrize("part", WRONG)
def test_what_is_not_there_is_refused_in_a_sentence(part: str) -> None:
    overrides, sentence = WRONG[part]
    settings = load_settings(overrides=overrides)
    assert list(unusable(settings)) == [part]
    with pytest.raises(InvalidConfig) as caught:
        check_named(settings)
    assert sentence in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"query,docid,rating\nlamp,a,many\n", "line 2: rating 'many' is no number"),
        (b"1 0 a 3\n", "no header `query,docid,rating`"),
        (b"query,docid,rating\nl\xe4mp,a,1\n", "can't decode byte"),
        (gzip.compress(b"query,docid,rating\nlamp,a,1\n")[:-9], "ended before the end-of-stream"),
    ],
)
def test_judgments_are_read_whole(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / ("ratings.csv.gz" if content.startswith(b"\x1f\x8b") else "ratings.csv")
    file.write_bytes(content)
    with pytest.raises(InvalidConfig, match="whole numbers as ratings, or leave it empty") as caught:
        check_named(load_settings(overrides={"ranking": {"judgments": str(file)}}))
    assert why in caught.value.message


def test_doctor_shows_each_that_is_broken_once(tmp_path: Path) -> None:
    overrides: dict[str, Any] = {"service": {"data_dir": str(tmp_path)}}
    for wrong, _ in WRONG.values():
        for section, keys in wrong.items():
            overrides[section] = {**overrides.get(section, {}), **keys}
    found = [finding for finding in diagnose(load_settings(overrides=overrides)) if finding.part in WRONG]
    assert [(finding.part, finding.state) for finding in found] == [(part, "broken") for part in WRONG]


def test_nothing_heavy_is_imported_to_look() -> None:
    heavy = "{'torch', 'sentence_transformers', 'transformers', 'faiss', 'lightgbm', 'ir_measures'}"
    code = (
        "import sys, app.operating.diagnosis, app.wiring.named as named, app.settings;"
        f"named.check_named(app.settings.load_settings()); print(*({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
