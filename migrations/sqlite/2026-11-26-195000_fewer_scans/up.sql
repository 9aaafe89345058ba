-- What connects and commands cost: as for PostgreSQL. A trigger whose WHEN does not hold costs nothing here.
DROP INDEX commands_to_expire;
CREATE INDEX commands_to_expire ON commands (expires_at) WHERE pending AND expires_at IS NOT NULL;
DROP INDEX commands_by_key;
CREATE INDEX commands_by_key ON commands (idempotency_key, tablet_id) WHERE idempotency_key IS NOT NULL;
-- What says that a donation waits for its notice stood here twice.
DROP TRIGGER commands_of_donations_when_sent;
DROP TRIGGER commands_of_donations_when_queued;
DROP TRIGGER erase_orders_before_insert_8;
