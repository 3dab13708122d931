-- Exceptions by when they were seen last.

CREATE INDEX exception_seen ON exception (last_at, fingerprint);
CREATE INDEX exception_seen_of_org ON exception (org, last_at, fingerprint);
