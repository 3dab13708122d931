-- Events, each once by source and id, and their sessions with the sums that a list of sessions shows.
-- Sessions and sources are numbered, so that the indexes stay narrow and grow at their right edge.

CREATE TABLE source (
    n      INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE session (
    n        INTEGER PRIMARY KEY,
    org      TEXT NOT NULL,
    session  TEXT NOT NULL,              -- empty for events without a subject
    source   TEXT NOT NULL,              -- of its first event
    first_at REAL,
    last_at  REAL,
    events   INTEGER NOT NULL DEFAULT 0,
    errors   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (org, session)
) STRICT;

CREATE INDEX session_newest ON session (org, first_at);

CREATE TABLE event (
    n       INTEGER PRIMARY KEY,         -- in the order of arrival
    id      TEXT NOT NULL,
    source  INTEGER NOT NULL REFERENCES source,
    session INTEGER NOT NULL REFERENCES session,
    seq     INTEGER,
    at      REAL NOT NULL,               -- seconds since the epoch
    type    TEXT NOT NULL,
    failed  INTEGER NOT NULL,
    value   BLOB NOT NULL                -- the CloudEvent as the bot wrote it
) STRICT;

CREATE UNIQUE INDEX event_identity ON event (id, source);
CREATE INDEX event_session ON event (session, type, failed);
