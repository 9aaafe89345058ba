-- One index says that a tablet gets a command once for each key, and finds the commands of a key: two wrote the same pairs, the
-- other way round, for each command that is queued.
DROP INDEX commands_by_key;
DROP INDEX commands_once_per_key;
CREATE UNIQUE INDEX commands_once_per_key ON commands (idempotency_key, tablet_id) WHERE idempotency_key IS NOT NULL;
