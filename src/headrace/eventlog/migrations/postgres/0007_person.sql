-- A user's sessions in the order in which they are shown.

DROP INDEX session_person;
CREATE INDEX session_person ON session (org, person, first_at, n) WHERE person <> '';
