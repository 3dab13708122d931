-- What people did.

CREATE TABLE deed (
    id      TEXT PRIMARY KEY,
    at      REAL NOT NULL,               -- seconds since the epoch
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    org     TEXT NOT NULL,               -- empty when it was nobody's in particular
    target  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    result  TEXT NOT NULL,               -- asked, done or failed
    answer  TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX deed_at ON deed (at, id);
CREATE INDEX deed_of_org ON deed (org, at, id);
