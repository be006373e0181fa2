"""A real service over real HTTP, for whatever comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from http_service import Running, served
from small_service import prepared


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Running]:
    with served(prepared(tmp_path_factory, cache)) as service:
        yield service
