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
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')
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
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over'))
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
    RETURN NEW;
END $$;
