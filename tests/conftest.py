"""Fixtures that many tests share. Everything here is a real part; the encoder is exported once a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer, postgres_server

from core.protocols import Encoder
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings
from retrievers.vectors.encoder import BUNDLED, open_encoder

DATA = Path(os.environ.get("BOWERBIRD_DATA", "../shared/data"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the exported encoder and vectors, shared by the whole run."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def encoder(cache: Path) -> Encoder:
    return open_encoder(BUNDLED, cache)


@pytest.fixture(scope="session")
def embeddings(encoder: Encoder, cache: Path) -> StoredEmbeddings:
    return StoredEmbeddings(encoder, cache / "embeddings.sqlite")


@pytest.fixture(scope="session")
def query_vector(encoder: Encoder) -> QueryVectors:
    return QueryVectors(encoder)


@pytest.fixture(scope="session")
def dataset() -> Callable[[str], Path]:
    """The folder of a real data set; the test is skipped where it is absent, and fails instead under CI=true."""

    def find(name: str) -> Path:
        folder = DATA / name
        if not folder.is_dir():
            message = f"the data set {name} is not at {folder}; set BOWERBIRD_DATA to the folder that holds it"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        return folder

    return find


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real server for the whole run; every test makes itself a database."""
    with postgres_server() as server:
        yield server
