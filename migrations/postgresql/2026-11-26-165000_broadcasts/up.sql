-- One command for many tablets is told by its key: how far it has come is counted by this index alone.
CREATE INDEX commands_by_key ON commands (idempotency_key, state) WHERE idempotency_key IS NOT NULL;
