-- For SQLite.

-- Whoever is given their tablet says that their data is saved, and need not be told first (C5.3.5, M3); and a tablet that has
-- left comes back into the inventory only if somebody takes it in, with a reason (C3.3.4).
ALTER TABLE departures ADD COLUMN saved_at INTEGER;
ALTER TABLE departures ADD COLUMN saved_by TEXT REFERENCES accounts (id)
    CONSTRAINT departures_saved CHECK ((saved_at IS NULL) = (saved_by IS NULL));
ALTER TABLE departures ADD COLUMN taken_in_at INTEGER
    CONSTRAINT departures_taken_in CHECK (taken_in_at IS NULL OR released_at IS NOT NULL);
ALTER TABLE departures ADD COLUMN taken_in_by TEXT REFERENCES accounts (id)
    CONSTRAINT departures_taken_in_by CHECK ((taken_in_at IS NULL) = (taken_in_by IS NULL));
ALTER TABLE departures ADD COLUMN taken_in_because TEXT
    CONSTRAINT departures_taken_in_because CHECK ((taken_in_at IS NULL) = (taken_in_because IS NULL));

CREATE TRIGGER departures_saved_or_taken_in_1 BEFORE UPDATE ON departures WHEN
        (OLD.saved_at IS NOT NULL AND (NEW.saved_at IS NOT OLD.saved_at OR NEW.saved_by IS NOT OLD.saved_by))
        OR (OLD.taken_in_at IS NOT NULL AND (NEW.taken_in_at IS NOT OLD.taken_in_at OR NEW.taken_in_by IS NOT OLD.taken_in_by OR NEW.taken_in_because IS NOT OLD.taken_in_because))
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was done on the way out stays done (C5.1.2)'); END;
CREATE TRIGGER departures_saved_or_taken_in_2 BEFORE UPDATE ON departures WHEN
        NEW.saved_at IS NOT NULL AND OLD.saved_at IS NULL AND (NEW.erased_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM
        last_decisions d WHERE d.id = NEW.decision_id AND d.kind = 'donation'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: whoever is given their tablet says that their data is saved, before it is erased (C5.3.5)'); END;
DROP TRIGGER donations_after_a_notice_1;
DROP TRIGGER donations_after_a_notice_2;
DROP TRIGGER donations_after_a_notice_3;
CREATE TRIGGER donations_after_a_notice_1 BEFORE INSERT ON erase_orders WHEN
        NEW.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = NEW.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before)
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = NEW.decision_id AND x.saved_at <= NEW.not_before)
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
CREATE TRIGGER donations_after_a_notice_2 BEFORE INSERT ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now') AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over'))
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = o.decision_id AND x.saved_at IS NOT NULL))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
CREATE TRIGGER donations_after_a_notice_3 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at) AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over'))
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = o.decision_id AND x.saved_at IS NOT NULL))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
DROP TRIGGER loans_ends_insert_2;
CREATE TRIGGER loans_ends_insert_2 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM last_decisions d WHERE d.tablet_id = NEW.tablet_id AND d.withdrawn_at IS NULL
        AND d.departement_at IS NOT NULL AND d.kind IN ('donation', 'retirement')
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = d.id AND x.taken_in_at IS NOT NULL))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that is given away or retired is lent to nobody (C5.1.2)'); END;
