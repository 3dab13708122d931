-- How old events were when they were delivered: in how many posts, in sum, and at most.

ALTER TABLE counter ADD COLUMN aged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counter ADD COLUMN age_ms REAL NOT NULL DEFAULT 0;
ALTER TABLE counter ADD COLUMN oldest_ms REAL NOT NULL DEFAULT 0;
