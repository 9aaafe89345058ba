-- How a loan stood: what a slip of the scanner ended goes on exactly so, and what rests goes on as it stood before. For PostgreSQL.

-- A loan whose tablet lay in deposit when it began to rest lies in deposit again when it goes on (C5.2.2).
ALTER TABLE loans ADD COLUMN deposited_since BIGINT
    CONSTRAINT loans_deposited_since CHECK (deposited_since IS NULL OR state = 'suspended');
-- How the loan stood that a receipt ended, and since when; nothing of one that was over before.
ALTER TABLE restitutions ADD COLUMN loan_stood TEXT COLLATE "C"
    CONSTRAINT restitutions_loan_stood CHECK (loan_stood IN ('lent', 'deposited', 'suspended'));
ALTER TABLE restitutions ADD COLUMN loan_suspension TEXT COLLATE "C"
    CONSTRAINT restitutions_loan_suspension CHECK ((loan_suspension IS NOT NULL) = (COALESCE(loan_stood, '') = 'suspended'));
ALTER TABLE restitutions ADD COLUMN loan_since BIGINT
    CONSTRAINT restitutions_loan_since CHECK ((loan_since IS NULL) = (loan_stood IS NULL));
ALTER TABLE restitutions ADD COLUMN loan_deposited_since BIGINT
    CONSTRAINT restitutions_loan_deposited_since CHECK (loan_deposited_since IS NULL OR COALESCE(loan_stood, '') = 'suspended');
-- Whether the loan of a tablet that was sent to its supplier rested already, for its incident (C5.4.5).
ALTER TABLE repairs ADD COLUMN loan_rested BOOLEAN NOT NULL DEFAULT FALSE
    CONSTRAINT repairs_loan_rested CHECK (loan_id IS NOT NULL OR loan_rested = FALSE);

CREATE FUNCTION restitutions_keep_how_the_loan_stood() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.loan_stood IS DISTINCT FROM OLD.loan_stood OR NEW.loan_suspension IS DISTINCT FROM OLD.loan_suspension
        OR NEW.loan_since IS DISTINCT FROM OLD.loan_since OR NEW.loan_deposited_since IS DISTINCT FROM OLD.loan_deposited_since THEN
        RAISE EXCEPTION 'ardoise: how a loan stood before its receipt stays what it was';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER restitutions_keep_how_the_loan_stood BEFORE UPDATE ON restitutions FOR EACH ROW
    EXECUTE FUNCTION restitutions_keep_how_the_loan_stood();
CREATE FUNCTION repairs_keep_what_rested() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.loan_rested IS DISTINCT FROM OLD.loan_rested THEN
        RAISE EXCEPTION 'ardoise: a repair stays what it was, and is closed once (C5.4.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER repairs_keep_what_rested BEFORE UPDATE ON repairs FOR EACH ROW EXECUTE FUNCTION repairs_keep_what_rested();
CREATE OR REPLACE FUNCTION loans_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR
        NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR
        NEW.person_id IS DISTINCT FROM OLD.person_id OR
        NEW.holder_kind IS DISTINCT FROM OLD.holder_kind OR
        NEW.school_year IS DISTINCT FROM OLD.school_year OR
        NEW.began_at IS DISTINCT FROM OLD.began_at OR
        NEW.handed_over_by IS DISTINCT FROM OLD.handed_over_by OR
        NEW.accessories IS DISTINCT FROM OLD.accessories OR
        NEW.condition IS DISTINCT FROM OLD.condition OR
        NEW.reserve_signed_by IS DISTINCT FROM OLD.reserve_signed_by THEN
        RAISE EXCEPTION 'ardoise: a loan stays what was handed over, and to whom';
    END IF;
    IF OLD.state = 'ended' AND NOT (OLD.ended_because = 'given-back'
        AND EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = OLD.id AND r.stage = 'undone' AND r.received_at = OLD.changed_at
        AND ((COALESCE(r.loan_stood, 'lent') = NEW.state AND r.loan_suspension IS NOT DISTINCT FROM NEW.suspension
        AND r.loan_deposited_since IS NOT DISTINCT FROM NEW.deposited_since)
        OR (r.loan_suspension = 'incident' AND NEW.suspension IS NULL
        AND NEW.state = CASE WHEN r.loan_deposited_since IS NULL THEN 'lent' ELSE 'deposited' END
        AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.tablet_id = OLD.tablet_id AND i.state = 'open'))))
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = OLD.id AND r.stage <> 'undone')) THEN
        RAISE EXCEPTION 'ardoise: a loan that has ended stays ended, unless its receipt was a slip: then it stands as it stood';
    END IF;
    IF NEW.deposited_since IS NOT NULL AND NEW.deposited_since IS DISTINCT FROM OLD.deposited_since AND OLD.state <> 'ended'
        AND NOT (OLD.state = 'deposited' AND OLD.changed_at = NEW.deposited_since) THEN
        RAISE EXCEPTION 'ardoise: what rests lay in deposit before, or did not (C5.2.2)';
    END IF;
    RETURN NEW;
END $$;

-- A technician attests that a tablet is empty that was erased by an order: one that stands, or under which it said so (M3).
-- And the second person signs for exactly this decision, not for the tablet.
CREATE OR REPLACE FUNCTION departures_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decision_id IS DISTINCT FROM OLD.decision_id OR NEW.counted_order_id IS DISTINCT FROM OLD.counted_order_id OR (OLD.erased_at IS NOT NULL AND (NEW.order_id IS DISTINCT FROM OLD.order_id OR NEW.erased_at IS DISTINCT FROM OLD.erased_at OR NEW.proof IS DISTINCT FROM OLD.proof OR NEW.proof_ref IS DISTINCT FROM OLD.proof_ref)) OR (OLD.let_go_at IS NOT NULL AND (NEW.let_go_at IS DISTINCT FROM OLD.let_go_at OR NEW.countersignature_id IS DISTINCT FROM OLD.countersignature_id)) OR (OLD.released_at IS NOT NULL AND (NEW.released_at IS DISTINCT FROM OLD.released_at OR NEW.released_by IS DISTINCT FROM OLD.released_by OR NEW.release_reference IS DISTINCT FROM OLD.release_reference OR NEW.lock_reference IS DISTINCT FROM OLD.lock_reference)) THEN
        RAISE EXCEPTION 'ardoise: what was done on the way out stays done (C5.1.2)';
    END IF;
    IF NEW.order_id IS NOT NULL AND NEW.order_id IS DISTINCT FROM OLD.order_id AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.order_id AND o.decision_id = NEW.decision_id AND o.state = 'open') THEN
        RAISE EXCEPTION 'ardoise: a departure names the open order that was given for its decision (M3)';
    END IF;
    IF NEW.proof = 'reenrolled' AND OLD.proof IS NULL AND NOT EXISTS (SELECT 1 FROM enrolments e JOIN last_decisions d ON d.tablet_id = e.tablet_id JOIN commands c ON c.erase_order_id = NEW.order_id WHERE e.id = NEW.proof_ref AND d.id = NEW.decision_id AND e.state IN ('authenticated', 'active') AND c.state = 'acknowledged' AND ((e.authenticated_at > c.answered_at AND EXISTS (SELECT 1 FROM return_profiles p WHERE p.enrolment_id = e.id AND p.order_id = NEW.order_id)) OR (e.kind = 'automated' AND e.awaiting_configuration AND e.created_at > c.answered_at))) THEN
        RAISE EXCEPTION 'ardoise: an enrolment proves an erasure that the tablet acknowledged before, if only an erased tablet makes it (M3)';
    END IF;
    IF NEW.proof = 'attested' AND OLD.proof IS NULL
        AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.order_id AND o.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.erase_order_id = NEW.order_id AND c.state = 'acknowledged') THEN
        RAISE EXCEPTION 'ardoise: a tablet is attested to be empty under an order that stands, or that it acknowledged (M3)';
    END IF;
    IF NEW.let_go_at IS NOT NULL AND OLD.let_go_at IS NULL AND NOT EXISTS (SELECT 1 FROM last_decisions d JOIN countersignatures s ON s.id = NEW.countersignature_id WHERE d.id = NEW.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL AND (d.kind = 'retirement' OR d.head_at IS NOT NULL) AND s.subject = 'tablet:' || d.tablet_id AND s.state = 'given' AND s.used_for = d.id
        AND s.purpose = CASE d.kind WHEN 'donation' THEN 'give-away' ELSE 'release-tablet' END) THEN
        RAISE EXCEPTION 'ardoise: what cannot be undone takes a decision in force and a second person who signed for it (C5.1.2)';
    END IF;
    RETURN NEW;
END $$;

-- What was lent again is not to be shelved any more: it was taken out of the stock by being lent.
UPDATE restitutions SET stage = 'in-stock' WHERE stage = 'erased'
    AND EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = restitutions.tablet_id AND l.id > restitutions.loan_id);

-- A tablet that was given back is attested to be empty as one that leaves is: under an order that nothing ended, or that it acknowledged.
CREATE FUNCTION restitutions_attested_under_an_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.proof = 'attested' AND OLD.proof IS NULL AND OLD.stage <> 'acknowledged'
        AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.order_id AND o.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.erase_order_id = NEW.order_id AND c.state = 'acknowledged') THEN
        RAISE EXCEPTION 'ardoise: a tablet is attested to be empty under an order that stands, or that it acknowledged (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER restitutions_attested_under_an_order BEFORE UPDATE ON restitutions
    FOR EACH ROW EXECUTE FUNCTION restitutions_attested_under_an_order();
