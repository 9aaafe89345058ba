-- For PostgreSQL.

-- Whoever is given their tablet says that their data is saved, and need not be told first (C5.3.5, M3); and a tablet that has
-- left comes back into the inventory only if somebody takes it in, with a reason (C3.3.4).
ALTER TABLE departures ADD COLUMN saved_at BIGINT;
ALTER TABLE departures ADD COLUMN saved_by TEXT COLLATE "C" REFERENCES accounts (id)
    CONSTRAINT departures_saved CHECK ((saved_at IS NULL) = (saved_by IS NULL));
ALTER TABLE departures ADD COLUMN taken_in_at BIGINT
    CONSTRAINT departures_taken_in CHECK (taken_in_at IS NULL OR released_at IS NOT NULL);
ALTER TABLE departures ADD COLUMN taken_in_by TEXT COLLATE "C" REFERENCES accounts (id)
    CONSTRAINT departures_taken_in_by CHECK ((taken_in_at IS NULL) = (taken_in_by IS NULL));
ALTER TABLE departures ADD COLUMN taken_in_because TEXT COLLATE "C"
    CONSTRAINT departures_taken_in_because CHECK ((taken_in_at IS NULL) = (taken_in_because IS NULL));

CREATE FUNCTION departures_saved_or_taken_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.saved_at IS NOT NULL AND (NEW.saved_at IS DISTINCT FROM OLD.saved_at OR NEW.saved_by IS DISTINCT FROM OLD.saved_by))
        OR (OLD.taken_in_at IS NOT NULL AND (NEW.taken_in_at IS DISTINCT FROM OLD.taken_in_at OR NEW.taken_in_by IS DISTINCT FROM OLD.taken_in_by OR NEW.taken_in_because IS DISTINCT FROM OLD.taken_in_because)) THEN
        RAISE EXCEPTION 'ardoise: what was done on the way out stays done (C5.1.2)';
    END IF;
    IF NEW.saved_at IS NOT NULL AND OLD.saved_at IS NULL AND (NEW.erased_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM
        last_decisions d WHERE d.id = NEW.decision_id AND d.kind = 'donation')) THEN
        RAISE EXCEPTION 'ardoise: whoever is given their tablet says that their data is saved, before it is erased (C5.3.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER departures_saved_or_taken_in BEFORE UPDATE ON departures FOR EACH ROW
    EXECUTE FUNCTION departures_saved_or_taken_in();
CREATE OR REPLACE FUNCTION donations_after_a_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = NEW.loan_id
        AND n.kind NOT IN ('rules-changed', 'deposit') AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before)
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = NEW.decision_id AND x.saved_at <= NEW.not_before) THEN
        RAISE EXCEPTION 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION donations_are_sent_after_a_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind NOT IN ('rules-changed', 'deposit') AND n.state IN ('accepted', 'handed-over'))
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = o.decision_id AND x.saved_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION loans_ends_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM repairs r WHERE r.tablet_id = NEW.tablet_id AND r.state <> 'back') THEN
        RAISE EXCEPTION 'ardoise: a tablet that its supplier has is lent to nobody (C5.4.5)';
    END IF;
    IF EXISTS (SELECT 1 FROM last_decisions d WHERE d.tablet_id = NEW.tablet_id AND d.withdrawn_at IS NULL
        AND d.departement_at IS NOT NULL AND d.kind IN ('donation', 'retirement')
        AND NOT EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = d.id AND x.taken_in_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'ardoise: a tablet that is given away or retired is lent to nobody (C5.1.2)';
    END IF;
    IF EXISTS (SELECT 1 FROM departures x JOIN last_decisions d ON d.id = x.decision_id WHERE d.tablet_id = NEW.tablet_id
        AND x.taken_in_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.tablet_id = NEW.tablet_id AND r.received_at >= x.taken_in_at
        AND r.stage IN ('erased', 'in-stock', 'in-repair'))
        AND NOT EXISTS (SELECT 1 FROM departures y JOIN last_decisions e ON e.id = y.decision_id WHERE e.tablet_id = NEW.tablet_id
        AND y.decision_id <> x.decision_id AND y.erased_at IS NOT NULL AND e.begun_at >= x.taken_in_at)) THEN
        RAISE EXCEPTION 'ardoise: a tablet that was taken in again is lent only once it is proven erased since (C5.3.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION retirements_of_what_is_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.cause = 'retirement' AND EXISTS (SELECT 1 FROM loans x WHERE x.tablet_id = NEW.tablet_id AND NOT EXISTS (SELECT 1 FROM
        restitutions r WHERE r.loan_id = x.id AND r.stage IN ('erased', 'in-stock', 'in-repair')))
        AND NOT EXISTS (SELECT 1 FROM repairs q WHERE q.tablet_id = NEW.tablet_id AND q.state = 'exchanged') THEN
        RAISE EXCEPTION 'ardoise: a tablet that is retired was received from whoever held it: nobody''s data is erased without notice (C5.3.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retirements_of_what_is_empty BEFORE INSERT ON erase_orders FOR EACH ROW
    EXECUTE FUNCTION retirements_of_what_is_empty();

-- A reminder of the summer's deposit is no notice of an erasure: nothing is erased by a deposit (C5.2.2).
ALTER TABLE notices DROP CONSTRAINT notices_kind;
ALTER TABLE notices ADD CONSTRAINT notices_kind
    CHECK (kind IN ('reminder', 'loan-over', 'received', 'overdue', 'rules-changed', 'deposit'));
CREATE OR REPLACE FUNCTION erase_orders_rest_on_something() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.cause = 'restitution') <> (NEW.restitution_id IS NOT NULL) OR (NEW.restitution_id IS NULL) <> (NEW.decision_id IS NOT NULL) THEN
        RAISE EXCEPTION 'ardoise: an erase order rests on a receipt or on a decision (M3)';
    END IF;
    IF NEW.restitution_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.id = NEW.restitution_id
        AND r.tablet_id = NEW.tablet_id AND r.loan_id = NEW.loan_id AND r.stage = 'received' AND NOT r.held_for_check
        AND r.received_at + 60000 <= NEW.not_before) THEN
        RAISE EXCEPTION 'ardoise: an erase order of a restitution rests on its receipt, a minute old at least (M3)';
    END IF;
    IF NEW.restitution_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.id = NEW.restitution_id
        AND (r.saved_at <= NEW.not_before OR EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = r.loan_id
        AND n.kind NOT IN ('rules-changed', 'deposit') AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before))) THEN
        RAISE EXCEPTION 'ardoise: nobody''s data is erased without notice (C5.3.5)';
    END IF;
    IF NEW.decision_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = NEW.decision_id
        AND d.kind = NEW.cause AND d.tablet_id = NEW.tablet_id AND d.loan_id IS NOT DISTINCT FROM NEW.loan_id
        AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND (d.kind = 'retirement' OR d.head_at IS NOT NULL)
        AND (d.kind <> 'theft' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = d.incident_id AND i.state = 'open'))) THEN
        RAISE EXCEPTION 'ardoise: an erase order rests on a decision that is in force (M3)';
    END IF;
    IF EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = NEW.tablet_id AND l.state <> 'ended'
        AND NOT (NEW.cause IN ('donation', 'theft') AND l.id = NEW.loan_id)) THEN
        RAISE EXCEPTION 'ardoise: no erase order for a tablet that is lent (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION commands_under_the_loans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever ends the order waits for what is being sent, and what is sent after that finds it ended.
    PERFORM 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id FOR SHARE;
    IF NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id AND o.state = 'open'
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
        AND (d.kind <> 'theft' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = d.incident_id AND i.state = 'open'))))) THEN
        RAISE EXCEPTION 'ardoise: what this erase order rests on does not stand (M3)';
    END IF;
    RETURN NEW;
END $$;
