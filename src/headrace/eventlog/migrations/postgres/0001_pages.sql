-- Events by day, each once by its identity; what a console shows without reading them; and tombstones.
-- Texts that people choose may be longer than an index takes, so what is unique by them is so by a digest.

CREATE TABLE event (
    day      INTEGER NOT NULL,           -- since the epoch; the lowest number for events that tell no time
    identity BYTEA NOT NULL,             -- its time and a digest of source and id, so that new ones stand together
    session  BYTEA NOT NULL,
    seq      BIGINT,
    at       DOUBLE PRECISION NOT NULL,  -- seconds since the epoch
    type     TEXT COLLATE "C" NOT NULL,
    failed   BOOLEAN NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    source   TEXT COLLATE "C" NOT NULL,
    value    BYTEA NOT NULL,             -- the CloudEvent as the bot wrote it
    PRIMARY KEY (identity, day)
) PARTITION BY RANGE (day);

CREATE INDEX event_session ON event (session);
CREATE TABLE event_rest PARTITION OF event DEFAULT;

CREATE TABLE session (
    n             BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    digest        BYTEA PRIMARY KEY GENERATED ALWAYS AS (decode(md5(org || '/' || session), 'hex')) STORED,
    org           TEXT COLLATE "C" NOT NULL,
    session       TEXT COLLATE "C" NOT NULL,
    events        BIGINT NOT NULL,
    errors        BIGINT NOT NULL,
    turns         BIGINT NOT NULL,
    first_at      DOUBLE PRECISION NOT NULL,
    last_at       DOUBLE PRECISION NOT NULL,
    first_rank    BYTEA NOT NULL,
    source        TEXT NOT NULL,
    bot           TEXT NOT NULL,
    start_rank    BYTEA NOT NULL,
    channel       TEXT NOT NULL,
    language      TEXT NOT NULL,
    version       TEXT NOT NULL,
    person        TEXT COLLATE "C" NOT NULL,
    end_rank      BYTEA NOT NULL,
    ended_at      DOUBLE PRECISION,
    end_type      TEXT NOT NULL,
    end_source    TEXT NOT NULL,
    end_id        TEXT NOT NULL,
    error_rank    BYTEA NOT NULL,
    fingerprint   TEXT NOT NULL,
    error_type    TEXT NOT NULL,
    error_culprit TEXT NOT NULL,
    error_message TEXT NOT NULL,
    error_at      DOUBLE PRECISION,
    error_source  TEXT NOT NULL,
    error_id      TEXT NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX session_name ON session USING hash (session);
CREATE INDEX session_begun ON session (first_at, n);
CREATE INDEX session_begun_of_org ON session (org, first_at, n);
CREATE INDEX session_failed ON session (first_at, n) WHERE errors > 0;
CREATE INDEX session_failed_of_org ON session (org, first_at, n) WHERE errors > 0;
CREATE INDEX session_person ON session (org, person) WHERE person <> '';

CREATE TABLE exception (
    org          TEXT COLLATE "C" NOT NULL,
    fingerprint  TEXT COLLATE "C" NOT NULL,
    type         TEXT COLLATE "C" NOT NULL,
    culprit      TEXT COLLATE "C" NOT NULL,
    frame        TEXT COLLATE "C" NOT NULL,
    count        BIGINT NOT NULL,
    sessions     BIGINT NOT NULL DEFAULT 0,
    first_at     DOUBLE PRECISION NOT NULL,
    last_at      DOUBLE PRECISION NOT NULL,
    last_rank    BYTEA NOT NULL,
    origin       TEXT NOT NULL,
    message      TEXT NOT NULL,
    stack        TEXT NOT NULL,
    last_session TEXT NOT NULL,
    last_id      TEXT NOT NULL,
    ignored      INTEGER NOT NULL DEFAULT 0,
    resolved_at  DOUBLE PRECISION,
    changed_at   DOUBLE PRECISION,
    changed_by   TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (org, fingerprint)
) WITH (fillfactor = 70);

CREATE INDEX exception_fingerprint ON exception (fingerprint);

CREATE TABLE hit (
    digest      BYTEA PRIMARY KEY
                GENERATED ALWAYS AS (decode(md5(org || '/' || fingerprint || '/' || session), 'hex')) STORED,
    org         TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    session     TEXT COLLATE "C" NOT NULL,
    count       BIGINT NOT NULL,
    first_at    DOUBLE PRECISION NOT NULL,
    last_at     DOUBLE PRECISION NOT NULL
);

CREATE INDEX hit_last_of_org ON hit (org, fingerprint, last_at);
CREATE INDEX hit_last ON hit (fingerprint, last_at);
CREATE INDEX hit_session ON hit USING hash (session);

CREATE TABLE tombstone (
    digest BYTEA PRIMARY KEY,            -- of an erased session or user: the name itself is gone
    at     DOUBLE PRECISION NOT NULL,
    late   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE late (
    digest BYTEA PRIMARY KEY             -- of an event that came after its session was erased
);

CREATE TABLE counter (
    step        INTEGER NOT NULL,        -- seconds: 60, 3600, or 0 for all time
    org         TEXT COLLATE "C" NOT NULL,  -- '*' is the sum of all
    destination TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    posts       BIGINT NOT NULL,
    failed      BIGINT NOT NULL,
    posted      BIGINT NOT NULL,
    refused     BIGINT NOT NULL,
    bytes       BIGINT NOT NULL,
    ms          DOUBLE PRECISION NOT NULL,
    accepted    BIGINT NOT NULL,
    delivered   BIGINT NOT NULL,
    retried     BIGINT NOT NULL,
    dead        BIGINT NOT NULL,
    redriven    BIGINT NOT NULL,
    slowest_ms  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (step, org, at, destination)
);

CREATE INDEX counter_at ON counter (step, at);

CREATE TABLE place (                     -- how far a partition is read (attempts), or its tiles are counted (others)
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    reached   BIGINT NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE tile (                      -- read, and not yet known to count
    id    TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);
