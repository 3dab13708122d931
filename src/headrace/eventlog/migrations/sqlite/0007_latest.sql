-- Exceptions that threw lately are found without looking at all that ever did.

CREATE INDEX exception_last ON exception (last_at);
