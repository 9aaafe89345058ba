-- The pulse, for PostgreSQL: who is woken first. A tablet that does not come when it is pushed waits behind those that do.
ALTER TABLE push_states ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
UPDATE push_states SET unanswered = attempts WHERE outcome = 'sent';
DROP INDEX push_states_due;
CREATE INDEX push_states_due_answering ON push_states (due_at)
    WHERE due_at IS NOT NULL AND token_invalid_since IS NULL AND unanswered = 0;
CREATE INDEX push_states_due_silent ON push_states (due_at)
    WHERE due_at IS NOT NULL AND token_invalid_since IS NULL AND unanswered > 0;
CREATE INDEX push_states_token_invalid ON push_states (token_invalid_since) WHERE token_invalid_since IS NOT NULL;
