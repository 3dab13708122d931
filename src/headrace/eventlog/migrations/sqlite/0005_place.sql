-- A session's events in the order in which they are read, so that a page of millions of them sorts none; and those that
-- failed apart.

DROP INDEX event_session;
CREATE INDEX event_place ON event (session, seq, at, type);
CREATE INDEX event_failed ON event (session, seq, at) WHERE failed;
