CREATE TRIGGER erase_orders_before_insert_8 BEFORE INSERT ON erase_orders WHEN
        NEW.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = NEW.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before)
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice (C5.3.5)'); END;
CREATE TRIGGER commands_of_donations_when_queued BEFORE INSERT ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now') AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice (C5.3.5)'); END;
CREATE TRIGGER commands_of_donations_when_sent BEFORE UPDATE ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at) AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice (C5.3.5)'); END;
DROP INDEX commands_by_key;
CREATE INDEX commands_by_key ON commands (idempotency_key, state) WHERE idempotency_key IS NOT NULL;
DROP INDEX commands_to_expire;
CREATE INDEX commands_to_expire ON commands (expires_at) WHERE pending;
