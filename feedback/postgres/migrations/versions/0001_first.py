"""Event log, catalogue, model releases, judgments."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

# Features are numbers that hardly compress. An item without a body was deleted.
_TABLES = """
CREATE TABLE impressions (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, query_id TEXT NOT NULL UNIQUE,
    time DOUBLE PRECISION NOT NULL, user_id TEXT, client_id TEXT, body BYTEA NOT NULL, shown BYTEA NOT NULL,
    context_schema TEXT NOT NULL, context BYTEA NOT NULL, feature_schema TEXT NOT NULL, features BYTEA NOT NULL
);
ALTER TABLE impressions ALTER COLUMN features SET STORAGE EXTERNAL;
CREATE INDEX impressions_time ON impressions (time);
CREATE TABLE feedback (
    event_id TEXT PRIMARY KEY, query_id TEXT NOT NULL, received DOUBLE PRECISION NOT NULL, user_id TEXT,
    client_id TEXT, body BYTEA NOT NULL
);
CREATE INDEX feedback_query ON feedback (query_id);
CREATE TABLE shadows (query_id TEXT PRIMARY KEY, time DOUBLE PRECISION NOT NULL, body BYTEA NOT NULL);
CREATE TABLE schemas (id TEXT PRIMARY KEY, names BYTEA NOT NULL);

CREATE TABLE items (id TEXT PRIMARY KEY, sequence BIGINT NOT NULL UNIQUE, body TEXT);
CREATE TABLE catalogue (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, sequence BIGINT NOT NULL);
INSERT INTO catalogue VALUES (1, replace(gen_random_uuid()::text, '-', ''), 0);

CREATE TABLE objects (digest TEXT PRIMARY KEY, data BYTEA NOT NULL);
ALTER TABLE objects ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE releases (
    number INTEGER PRIMARY KEY, created DOUBLE PRECISION NOT NULL, components TEXT NOT NULL, notes TEXT NOT NULL
);
CREATE TABLE current_release (
    id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL REFERENCES releases (number)
);

CREATE TABLE pairs (
    pair_id TEXT PRIMARY KEY, body BYTEA NOT NULL, served INTEGER NOT NULL DEFAULT 0, current BOOLEAN NOT NULL
);
CREATE TABLE judgments (
    judgment_id TEXT PRIMARY KEY, pair_id TEXT NOT NULL, received DOUBLE PRECISION NOT NULL, body BYTEA NOT NULL
);
CREATE INDEX judgments_pair ON judgments (pair_id);
"""


def upgrade() -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
