-- What people did.

CREATE TABLE deed (
    id      TEXT COLLATE "C" PRIMARY KEY,
    at      DOUBLE PRECISION NOT NULL,   -- seconds since the epoch
    who     TEXT COLLATE "C" NOT NULL,
    action  TEXT COLLATE "C" NOT NULL,
    org     TEXT COLLATE "C" NOT NULL,   -- empty when it was nobody's in particular
    target  TEXT COLLATE "C" NOT NULL,
    detail  TEXT NOT NULL,
    result  TEXT COLLATE "C" NOT NULL,   -- asked, done or failed
    answer  TEXT NOT NULL,
    address TEXT NOT NULL
);

CREATE INDEX deed_at ON deed (at, id);
CREATE INDEX deed_of_org ON deed (org, at, id);
