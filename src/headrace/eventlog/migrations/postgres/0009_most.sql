-- Exceptions by how many events they have.

CREATE INDEX exception_most ON exception (count, fingerprint);
CREATE INDEX exception_most_of_org ON exception (org, count, fingerprint);
