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
        AND n.kind NOT IN ('rules-changed', 'deposit') AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before)
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = NEW.decision_id AND x.saved_at <= NEW.not_before)
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
CREATE TRIGGER donations_after_a_notice_2 BEFORE INSERT ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now') AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind NOT IN ('rules-changed', 'deposit') AND n.state IN ('accepted', 'handed-over'))
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = o.decision_id AND x.saved_at IS NOT NULL))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
CREATE TRIGGER donations_after_a_notice_3 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at) AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind NOT IN ('rules-changed', 'deposit') AND n.state IN ('accepted', 'handed-over'))
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = o.decision_id AND x.saved_at IS NOT NULL))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
DROP TRIGGER loans_ends_insert_2;
CREATE TRIGGER loans_ends_insert_2 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM last_decisions d WHERE d.tablet_id = NEW.tablet_id AND d.withdrawn_at IS NULL
        AND d.departement_at IS NOT NULL AND d.kind IN ('donation', 'retirement')
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = d.id AND x.taken_in_at IS NOT NULL))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that is given away or retired is lent to nobody (C5.1.2)'); END;
CREATE TRIGGER loans_ends_insert_3 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM departures x JOIN last_decisions d ON d.id = x.decision_id WHERE d.tablet_id = NEW.tablet_id
        AND x.taken_in_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.tablet_id = NEW.tablet_id AND r.received_at >= x.taken_in_at
        AND r.stage IN ('erased', 'in-stock', 'in-repair'))
        AND NOT EXISTS (SELECT 1 FROM departures y JOIN last_decisions e ON e.id = y.decision_id WHERE e.tablet_id = NEW.tablet_id
        AND y.decision_id <> x.decision_id AND y.erased_at IS NOT NULL AND e.begun_at >= x.taken_in_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that was taken in again is lent only once it is proven erased since (C5.3.5)'); END;
CREATE TRIGGER retirements_of_what_is_empty BEFORE INSERT ON erase_orders WHEN
        NEW.cause = 'retirement' AND EXISTS (SELECT 1 FROM loans x WHERE x.tablet_id = NEW.tablet_id AND NOT EXISTS (SELECT 1 FROM
        restitutions r WHERE r.loan_id = x.id AND r.stage IN ('erased', 'in-stock', 'in-repair')))
        AND NOT EXISTS (SELECT 1 FROM repairs q WHERE q.tablet_id = NEW.tablet_id AND q.state = 'exchanged')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that is retired was received from whoever held it: nobody''s data is erased without notice (C5.3.5)'); END;

-- A reminder of the summer's deposit is no notice of an erasure: nothing is erased by a deposit (C5.2.2). SQLite changes no
-- constraint of a table that is there: it is made anew, with its guards.
PRAGMA defer_foreign_keys = ON;
CREATE TEMPORARY TABLE notices_kept AS SELECT * FROM notices;
DROP TABLE notices;
CREATE TABLE notices (
    id TEXT PRIMARY KEY NOT NULL,
    loan_id TEXT NOT NULL REFERENCES loans (id),
    kind TEXT NOT NULL CONSTRAINT notices_kind
        CHECK (kind IN ('reminder', 'loan-over', 'received', 'overdue', 'rules-changed', 'deposit')),
    occasion TEXT NOT NULL,
    channel TEXT NOT NULL CONSTRAINT notices_channel CHECK (channel IN ('mail', 'letter')),
    state TEXT NOT NULL CONSTRAINT notices_state CHECK (state IN ('waiting', 'accepted', 'bounced', 'handed-over')),
    created_at INTEGER NOT NULL,
    counted_at INTEGER,
    counted_by TEXT,
    addressee TEXT CONSTRAINT notices_addressee
    CHECK (addressee IN ('user', 'guardian-1', 'guardian-2', 'guardian-3', 'guardian-4')),
    CONSTRAINT notices_waiting CHECK ((state = 'waiting') = (counted_at IS NULL)),
    CONSTRAINT notices_handed_over CHECK ((state = 'handed-over') = (counted_by IS NOT NULL)),
    CONSTRAINT notices_ways CHECK (state = 'waiting' OR (channel = 'letter') = (state = 'handed-over'))
) STRICT;
INSERT INTO notices SELECT id, loan_id, kind, occasion, channel, state, created_at, counted_at, counted_by, addressee FROM notices_kept;
DROP TABLE notices_kept;
CREATE INDEX notices_waiting_to_go ON notices (created_at, id) WHERE state = 'waiting';
CREATE TRIGGER notices_before_insert_1 BEFORE INSERT ON notices WHEN
        NEW.state <> 'waiting' OR EXISTS (SELECT 1 FROM notices n WHERE n.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice begins waiting'); END;
CREATE TRIGGER notices_before_update_1 BEFORE UPDATE ON notices WHEN
        NEW.id IS NOT OLD.id OR
        NEW.loan_id IS NOT OLD.loan_id OR
        NEW.kind IS NOT OLD.kind OR
        NEW.occasion IS NOT OLD.occasion OR
        NEW.channel IS NOT OLD.channel OR
        NEW.created_at IS NOT OLD.created_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice stays what it says, and to whom'); END;
CREATE TRIGGER notices_before_update_2 BEFORE UPDATE ON notices WHEN
        NOT (NEW.state = OLD.state AND NEW.counted_at IS OLD.counted_at AND NEW.counted_by IS OLD.counted_by
        OR OLD.state = 'waiting' AND NEW.state IN ('accepted', 'handed-over')
        OR OLD.state = 'accepted' AND NEW.state = 'bounced' AND NEW.counted_at IS OLD.counted_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice that went counts from then on, unless it bounces (M3)'); END;
CREATE TRIGGER notices_before_delete_1 BEFORE DELETE ON notices WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was said stays said'); END;
CREATE UNIQUE INDEX notices_once ON notices (loan_id, kind, occasion, channel, coalesce(addressee, ''));
CREATE TRIGGER notices_before_insert_2 BEFORE INSERT ON notices WHEN
        EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = NEW.loan_id AND n.kind = NEW.kind
        AND n.occasion = NEW.occasion AND n.channel = NEW.channel AND n.addressee IS NEW.addressee)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: notices.occasion'); END;
CREATE TRIGGER notices_before_update_3 BEFORE UPDATE ON notices WHEN
        NEW.addressee IS NOT OLD.addressee
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice stays what it says, and to whom'); END;
DROP TRIGGER erase_orders_before_insert_5;
CREATE TRIGGER erase_orders_before_insert_5 BEFORE INSERT ON erase_orders WHEN
        NEW.restitution_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.id = NEW.restitution_id
        AND (r.saved_at <= NEW.not_before OR EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = r.loan_id
        AND n.kind NOT IN ('rules-changed', 'deposit') AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before)))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice (C5.3.5)'); END;
DROP TRIGGER commands_under_the_loans_when_queued;
CREATE TRIGGER commands_under_the_loans_when_queued BEFORE INSERT ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id AND o.state = 'open'
        AND NOT EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = NEW.tablet_id AND l.state <> 'ended'
        AND NOT (o.cause IN ('donation', 'theft') AND l.id = o.loan_id))
        AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.tablet_id = NEW.tablet_id AND i.state = 'open'
        AND (o.cause <> 'theft' OR i.kind = 'authority-request'))
        AND (EXISTS (SELECT 1 FROM restitutions r WHERE r.id = o.restitution_id AND r.order_id = o.id
        AND NOT r.held_for_check
        AND r.stage IN ('ordered', 'delivered', 'acknowledged') AND (r.saved_at IS NOT NULL OR EXISTS
        (SELECT 1 FROM notices n WHERE n.loan_id = r.loan_id AND n.kind NOT IN ('rules-changed', 'deposit')
        AND n.state IN ('accepted', 'handed-over'))))
        OR EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = o.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND (d.kind = 'retirement' OR d.head_at IS NOT NULL)
        AND (d.kind <> 'theft' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = d.incident_id AND i.state = 'open')))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: what this erase order rests on does not stand (M3)'); END;
DROP TRIGGER commands_under_the_loans_when_sent;
CREATE TRIGGER commands_under_the_loans_when_sent BEFORE UPDATE ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id AND o.state = 'open'
        AND NOT EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = NEW.tablet_id AND l.state <> 'ended'
        AND NOT (o.cause IN ('donation', 'theft') AND l.id = o.loan_id))
        AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.tablet_id = NEW.tablet_id AND i.state = 'open'
        AND (o.cause <> 'theft' OR i.kind = 'authority-request'))
        AND (EXISTS (SELECT 1 FROM restitutions r WHERE r.id = o.restitution_id AND r.order_id = o.id
        AND NOT r.held_for_check
        AND r.stage IN ('ordered', 'delivered', 'acknowledged') AND (r.saved_at IS NOT NULL OR EXISTS
        (SELECT 1 FROM notices n WHERE n.loan_id = r.loan_id AND n.kind NOT IN ('rules-changed', 'deposit')
        AND n.state IN ('accepted', 'handed-over'))))
        OR EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = o.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND (d.kind = 'retirement' OR d.head_at IS NOT NULL)
        AND (d.kind <> 'theft' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = d.incident_id AND i.state = 'open')))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: what this erase order rests on does not stand (M3)'); END;
