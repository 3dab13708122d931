-- What a console shows without reading events: sessions told in one row, exceptions, counters; and tombstones.
-- The ranks say which event a fact came from, so that the same events give the same row whatever came first. What was
-- stored before is told again afterwards, by the program.

CREATE TABLE session_told (
    n             INTEGER PRIMARY KEY,
    org           TEXT NOT NULL,
    session       TEXT NOT NULL,         -- empty for events without a subject
    events        INTEGER NOT NULL,
    errors        INTEGER NOT NULL,
    turns         INTEGER NOT NULL,
    first_at      REAL NOT NULL,
    last_at       REAL NOT NULL,
    first_rank    BLOB NOT NULL,
    source        TEXT NOT NULL,
    bot           TEXT NOT NULL,
    start_rank    BLOB NOT NULL DEFAULT x'ff',
    channel       TEXT NOT NULL DEFAULT '',
    language      TEXT NOT NULL DEFAULT '',
    version       TEXT NOT NULL DEFAULT '',
    person        TEXT NOT NULL DEFAULT '',
    end_rank      BLOB NOT NULL DEFAULT x'',
    ended_at      REAL,
    end_type      TEXT NOT NULL DEFAULT '',
    end_source    TEXT NOT NULL DEFAULT '',
    end_id        TEXT NOT NULL DEFAULT '',
    error_rank    BLOB NOT NULL DEFAULT x'ff',
    fingerprint   TEXT NOT NULL DEFAULT '',
    error_type    TEXT NOT NULL DEFAULT '',
    error_culprit TEXT NOT NULL DEFAULT '',
    error_message TEXT NOT NULL DEFAULT '',
    error_at      REAL,
    error_source  TEXT NOT NULL DEFAULT '',
    error_id      TEXT NOT NULL DEFAULT '',
    UNIQUE (org, session)
) STRICT;

INSERT INTO session_told (n, org, session, events, errors, turns, first_at, last_at, first_rank, source, bot)
SELECT n, org, session, 0, 0, 0, 9e99, -9e99, x'ff', source, ''
FROM session;
DROP TABLE session;
ALTER TABLE session_told RENAME TO session;

CREATE INDEX session_begun ON session (first_at);
CREATE INDEX session_begun_of_org ON session (org, first_at);
CREATE INDEX session_failed ON session (first_at) WHERE errors > 0;
CREATE INDEX session_failed_of_org ON session (org, first_at) WHERE errors > 0;
CREATE INDEX session_person ON session (org, person) WHERE person <> '';

CREATE TABLE exception (
    n            INTEGER PRIMARY KEY,
    org          TEXT NOT NULL,
    fingerprint  TEXT NOT NULL,
    type         TEXT NOT NULL,
    culprit      TEXT NOT NULL,
    frame        TEXT NOT NULL,
    count        INTEGER NOT NULL,
    sessions     INTEGER NOT NULL DEFAULT 0,
    first_at     REAL NOT NULL,
    last_at      REAL NOT NULL,
    last_rank    BLOB NOT NULL,
    origin       TEXT NOT NULL,
    message      TEXT NOT NULL,
    stack        TEXT NOT NULL,
    last_session TEXT NOT NULL,
    last_id      TEXT NOT NULL,
    ignored      INTEGER NOT NULL DEFAULT 0,
    resolved_at  REAL,
    changed_at   REAL,
    changed_by   TEXT NOT NULL DEFAULT '',
    UNIQUE (org, fingerprint)
) STRICT;

CREATE INDEX exception_fingerprint ON exception (fingerprint);

CREATE TABLE hit (
    org         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    session     TEXT NOT NULL,
    count       INTEGER NOT NULL,
    first_at    REAL NOT NULL,
    last_at     REAL NOT NULL,
    PRIMARY KEY (org, fingerprint, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX hit_last_of_org ON hit (org, fingerprint, last_at);
CREATE INDEX hit_last ON hit (fingerprint, last_at);
CREATE INDEX hit_session ON hit (org, session);

CREATE TABLE tombstone (
    digest BLOB PRIMARY KEY,             -- of an erased session or user: the name itself is gone
    at     REAL NOT NULL,
    late   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE late (
    digest BLOB PRIMARY KEY              -- of an event that came after its session was erased
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
    step        INTEGER NOT NULL,        -- seconds: 60, 3600, or 0 for all time
    org         TEXT NOT NULL,           -- '*' is the sum of all
    destination TEXT NOT NULL,
    at          INTEGER NOT NULL,
    posts       INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    posted      INTEGER NOT NULL,
    refused     INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    ms          REAL NOT NULL,
    accepted    INTEGER NOT NULL,
    delivered   INTEGER NOT NULL,
    retried     INTEGER NOT NULL,
    dead        INTEGER NOT NULL,
    redriven    INTEGER NOT NULL,
    slowest_ms  REAL NOT NULL,
    PRIMARY KEY (step, org, at, destination)
) STRICT, WITHOUT ROWID;

CREATE INDEX counter_at ON counter (step, at);

CREATE TABLE place (                     -- how far a partition is read (attempts), or its tiles are counted (others)
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    reached   INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE tile (                      -- read, and not yet known to count
    id    TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
