-- Events that have no day of their own are let go by their time.

CREATE INDEX event_rest_at ON event_rest (at);
