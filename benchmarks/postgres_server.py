"""A real PostgreSQL server of its own: in a temporary folder, reached by a socket in it, never as root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from feedback.postgres.database import Database
from feedback.postgres.schema import upgrade

_USER = "bowerbird"
_START_S = 30
_TABLES = """
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'catalogue')
"""


class PostgresServer:
    """Started on demand, also again after a kill. What is committed is on disk: fsync is on, as by default."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self._binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None
        self._shared: str | None = None
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:  # the server refuses to run as root
            user = "postgres" if _has("postgres") else "nobody"
            shutil.chown(folder, user)
            self._as = {"user": user, "extra_groups": []}
        initdb = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", _USER, "--auth=trust", "--encoding=UTF8"]
        subprocess.run([*initdb, "--no-locale", "--no-sync"], check=True, capture_output=True, cwd="/", **self._as)

    def start(self) -> None:
        """Returns when it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "max_connections": 200,
            "recovery_init_sync_method": "syncfs",  # after a kill, one sync instead of a thousand
        }
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            command = [str(self._binaries / "postgres"), "-D", str(self.folder / "data"), *options]
            process: subprocess.Popen[bytes] = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as)
        self._process = process
        deadline = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT: at once, without tidying up. SIGKILL: it and all its children, as a crash would."""
        if self._process is None:
            return
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if how == signal.SIGKILL else []
        for each in (pid, *map(int, children)):
            os.kill(each, how)
        self._process.wait()
        self._process = None
        for child in children:
            while _runs(child):
                time.sleep(0.005)

    def url(self, name: str) -> str:
        return f"postgresql://{_USER}@/{name}?host={self.folder}"

    def new(self) -> str:
        """The URL of a new database without tables."""
        name = f"d{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def migrated(self) -> str:
        """The URL of a new database with our tables."""
        url = self.new()
        database = Database(url)
        upgrade(database)
        database.close()
        return url

    def emptied(self) -> str:
        """The URL of a database with our tables and nothing in them: always the same one, which is quicker."""
        if self._shared is None:
            self._shared = self.migrated()
        with psycopg.connect(self._shared) as connection:
            tables = connection.execute(_TABLES).fetchall()
            connection.execute(f"TRUNCATE {', '.join(name for (name,) in tables)} RESTART IDENTITY")
            connection.execute("UPDATE catalogue SET sequence = 0")
        return self._shared

    def _execute(self, sql: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql)


@contextmanager
def running(binaries: Path) -> Iterator[PostgresServer]:
    """Until the block ends, which also removes its data."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket has 107 characters at most
    server = None
    try:
        server = PostgresServer(folder, binaries)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder)


def installed() -> Path | None:
    """The folder with the programs of the newest server of those that are installed."""
    known = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    for folder in [*known, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _has(user: str) -> bool:
    import pwd

    return any(entry.pw_name == user for entry in pwd.getpwall())


def _runs(pid: str) -> bool:
    """Whether there is such a process, and it is not merely waiting for its exit status to be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
