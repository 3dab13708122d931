-- How many events came in, by the growth of the events topic: it goes on while no worker settles anything.

ALTER TABLE counter ADD COLUMN emitted BIGINT NOT NULL DEFAULT 0;
