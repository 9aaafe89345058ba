-- How a loan stood: what a slip of the scanner ended goes on exactly so, and what rests goes on as it stood before. For SQLite.

-- A loan whose tablet lay in deposit when it began to rest lies in deposit again when it goes on (C5.2.2).
ALTER TABLE loans ADD COLUMN deposited_since INTEGER
    CONSTRAINT loans_deposited_since CHECK (deposited_since IS NULL OR state = 'suspended');
-- How the loan stood that a receipt ended, and since when; nothing of one that was over before.
ALTER TABLE restitutions ADD COLUMN loan_stood TEXT
    CONSTRAINT restitutions_loan_stood CHECK (loan_stood IN ('lent', 'deposited', 'suspended'));
ALTER TABLE restitutions ADD COLUMN loan_suspension TEXT
    CONSTRAINT restitutions_loan_suspension CHECK ((loan_suspension IS NOT NULL) = (COALESCE(loan_stood, '') = 'suspended'));
ALTER TABLE restitutions ADD COLUMN loan_since INTEGER
    CONSTRAINT restitutions_loan_since CHECK ((loan_since IS NULL) = (loan_stood IS NULL));
ALTER TABLE restitutions ADD COLUMN loan_deposited_since INTEGER
    CONSTRAINT restitutions_loan_deposited_since CHECK (loan_deposited_since IS NULL OR COALESCE(loan_stood, '') = 'suspended');
-- Whether the loan of a tablet that was sent to its supplier rested already, for its incident (C5.4.5).
ALTER TABLE repairs ADD COLUMN loan_rested INTEGER NOT NULL DEFAULT 0
    CONSTRAINT repairs_loan_rested CHECK (loan_id IS NOT NULL OR loan_rested = 0);

CREATE TRIGGER restitutions_keep_how_the_loan_stood BEFORE UPDATE ON restitutions WHEN
        NEW.loan_stood IS NOT OLD.loan_stood OR NEW.loan_suspension IS NOT OLD.loan_suspension
        OR NEW.loan_since IS NOT OLD.loan_since OR NEW.loan_deposited_since IS NOT OLD.loan_deposited_since
    BEGIN SELECT RAISE(ABORT, 'ardoise: how a loan stood before its receipt stays what it was'); END;
CREATE TRIGGER repairs_keep_what_rested BEFORE UPDATE ON repairs WHEN
        NEW.loan_rested IS NOT OLD.loan_rested
    BEGIN SELECT RAISE(ABORT, 'ardoise: a repair stays what it was, and is closed once (C5.4.5)'); END;
DROP TRIGGER loans_before_update_2;
CREATE TRIGGER loans_before_update_2 BEFORE UPDATE ON loans WHEN
        OLD.state = 'ended' AND NOT (OLD.ended_because = 'given-back'
        AND EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = OLD.id AND r.stage = 'undone' AND r.received_at = OLD.changed_at
        AND ((COALESCE(r.loan_stood, 'lent') = NEW.state AND r.loan_suspension IS NOT DISTINCT FROM NEW.suspension
        AND r.loan_deposited_since IS NOT DISTINCT FROM NEW.deposited_since)
        OR (r.loan_suspension = 'incident' AND NEW.suspension IS NULL
        AND NEW.state = CASE WHEN r.loan_deposited_since IS NULL THEN 'lent' ELSE 'deposited' END
        AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.tablet_id = OLD.tablet_id AND i.state = 'open'))))
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = OLD.id AND r.stage <> 'undone'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a loan that has ended stays ended, unless its receipt was a slip: then it stands as it stood'); END;
CREATE TRIGGER loans_rest_as_they_stood BEFORE UPDATE ON loans WHEN
        NEW.deposited_since IS NOT NULL AND NEW.deposited_since IS NOT OLD.deposited_since AND OLD.state <> 'ended'
        AND NOT (OLD.state = 'deposited' AND OLD.changed_at = NEW.deposited_since)
    BEGIN SELECT RAISE(ABORT, 'ardoise: what rests lay in deposit before, or did not (C5.2.2)'); END;

-- A technician attests that a tablet is empty that was erased by an order: one that stands, or under which it said so (M3).
CREATE TRIGGER departures_attested_under_an_order BEFORE UPDATE ON departures WHEN
        NEW.proof = 'attested' AND OLD.proof IS NULL
        AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.order_id AND o.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.erase_order_id = NEW.order_id AND c.state = 'acknowledged')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet is attested to be empty under an order that stands, or that it acknowledged (M3)'); END;
-- The second person signs for exactly this decision, not for the tablet.
DROP TRIGGER departures_before_update_4;
CREATE TRIGGER departures_before_update_4 BEFORE UPDATE ON departures WHEN
        NEW.let_go_at IS NOT NULL AND OLD.let_go_at IS NULL AND NOT EXISTS (SELECT 1 FROM last_decisions d JOIN countersignatures s ON s.id = NEW.countersignature_id WHERE d.id = NEW.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL AND (d.kind = 'retirement' OR d.head_at IS NOT NULL) AND s.subject = 'tablet:' || d.tablet_id AND s.state = 'given' AND s.used_for = d.id
        AND s.purpose = CASE d.kind WHEN 'donation' THEN 'give-away' ELSE 'release-tablet' END)
    BEGIN SELECT RAISE(ABORT, 'ardoise: what cannot be undone takes a decision in force and a second person who signed for it (C5.1.2)'); END;

-- What was lent again is not to be shelved any more: it was taken out of the stock by being lent.
UPDATE restitutions SET stage = 'in-stock' WHERE stage = 'erased'
    AND EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = restitutions.tablet_id AND l.id > restitutions.loan_id);

-- A tablet that was given back is attested to be empty as one that leaves is: under an order that nothing ended, or that it acknowledged.
CREATE TRIGGER restitutions_attested_under_an_order BEFORE UPDATE ON restitutions WHEN
        NEW.proof = 'attested' AND OLD.proof IS NULL AND OLD.stage <> 'acknowledged'
        AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.order_id AND o.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.erase_order_id = NEW.order_id AND c.state = 'acknowledged')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet is attested to be empty under an order that stands, or that it acknowledged (M3)'); END;
