-- Exceptions by how many events they have, and the orgs of one likewise.

CREATE INDEX exception_most ON exception (count, fingerprint);
CREATE INDEX exception_most_of_org ON exception (org, count, fingerprint);

DROP INDEX exception_fingerprint;
CREATE INDEX exception_fingerprint ON exception (fingerprint, count);
