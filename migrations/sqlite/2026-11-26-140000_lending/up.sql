-- Who holds which tablet, what was given back, and what an erasure rests on. For SQLite.

-- People to whom tablets may be lent: what a loan needs of them, and no more (C3.1.6, C4.1). Once they have left and
-- their term is over, the name is emptied, and the number names nobody.
CREATE TABLE persons (
    id TEXT PRIMARY KEY NOT NULL,
    uai TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT persons_kind
        CHECK (kind IN ('pupil', 'teacher', 'head', 'deputy', 'segpa-director', 'cpe')),
    name TEXT NOT NULL,
    class TEXT,
    leaves_on TEXT,
    left_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT persons_are_forgotten_when_they_left CHECK (name <> '' OR (left_at IS NOT NULL AND class IS NULL))
) STRICT;
CREATE INDEX persons_by_college ON persons (uai, id);
CREATE INDEX persons_left ON persons (left_at) WHERE left_at IS NOT NULL;

-- A loan: one tablet, one person, one handover. It ends once, and is never deleted.
CREATE TABLE loans (
    id TEXT PRIMARY KEY NOT NULL,
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    person_id TEXT NOT NULL REFERENCES persons (id),
    holder_kind TEXT NOT NULL,
    uai TEXT NOT NULL,
    school_year TEXT NOT NULL REFERENCES school_years (label),
    state TEXT NOT NULL CONSTRAINT loans_state CHECK (state IN ('lent', 'deposited', 'suspended', 'ended')),
    suspension TEXT CONSTRAINT loans_suspension CHECK (suspension IN ('confiscated', 'incident', 'repair')),
    began_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    ended_because TEXT CONSTRAINT loans_ended_because CHECK (ended_because IN ('left', 'no-longer-listed',
        'departement', 'letter-of-the-user', 'letter-of-the-guardians', 'breach', 'given-back', 'replaced',
        'given-away')),
    ended_on TEXT,
    ended_reference TEXT,
    handed_over_by TEXT NOT NULL,
    accessories TEXT NOT NULL,
    condition TEXT NOT NULL,
    reserve TEXT NOT NULL,
    reserve_signed_by TEXT,
    CONSTRAINT loans_suspended_why CHECK ((state = 'suspended') = (suspension IS NOT NULL)),
    CONSTRAINT loans_ended_why CHECK ((state = 'ended') = (ended_because IS NOT NULL)),
    CONSTRAINT loans_letter CHECK (ended_because IS NULL
        OR ended_because NOT IN ('letter-of-the-user', 'letter-of-the-guardians')
        OR (ended_on IS NOT NULL AND ended_reference IS NOT NULL)),
    CONSTRAINT loans_reserve_is_signed CHECK (reserve = '[]' OR reserve_signed_by IS NOT NULL)
) STRICT;
-- A tablet is lent to one person, and a person holds at most one that counts (C5.3.1).
CREATE UNIQUE INDEX loans_one_of_a_tablet ON loans (tablet_id) WHERE state <> 'ended';
CREATE UNIQUE INDEX loans_one_of_a_person ON loans (person_id)
    WHERE state IN ('lent', 'deposited') OR suspension = 'confiscated';
CREATE INDEX loans_by_tablet ON loans (tablet_id, id);
CREATE INDEX loans_by_person ON loans (person_id, id);
CREATE INDEX loans_by_college ON loans (uai, id) WHERE state <> 'ended';

-- A tablet given back, from its receipt to the proof that it is empty (C5.3.5).
CREATE TABLE restitutions (
    id TEXT PRIMARY KEY NOT NULL,
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    loan_id TEXT NOT NULL REFERENCES loans (id),
    uai TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    received_by TEXT NOT NULL,
    accessories TEXT NOT NULL,
    condition TEXT NOT NULL,
    -- The number of its first order, which the brake counts when the receipt is written (M5).
    counted_order_id TEXT NOT NULL,
    saved_at INTEGER,
    saved_by TEXT,
    held_for_check INTEGER NOT NULL,
    stage TEXT NOT NULL CONSTRAINT restitutions_stage CHECK (stage IN
        ('received', 'ordered', 'delivered', 'acknowledged', 'erased', 'in-stock', 'in-repair', 'undone')),
    order_id TEXT REFERENCES erase_orders (id),
    acknowledged_at INTEGER,
    proof TEXT CONSTRAINT restitutions_proof CHECK (proof IN ('attested', 'reenrolled')),
    proof_ref TEXT,
    changed_at INTEGER NOT NULL,
    CONSTRAINT restitutions_ordered CHECK ((stage IN ('received', 'undone')) = (order_id IS NULL)),
    CONSTRAINT restitutions_said CHECK (stage <> 'acknowledged' OR acknowledged_at IS NOT NULL),
    CONSTRAINT restitutions_proven CHECK ((stage IN ('erased', 'in-stock', 'in-repair')) = (proof IS NOT NULL)
        AND (proof IS NULL) = (proof_ref IS NULL)),
    CONSTRAINT restitutions_saved CHECK ((saved_at IS NULL) = (saved_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX restitutions_one_of_a_loan ON restitutions (loan_id) WHERE stage <> 'undone';
CREATE UNIQUE INDEX restitutions_count_one_order ON restitutions (counted_order_id);
CREATE INDEX restitutions_by_tablet ON restitutions (tablet_id, id);
CREATE INDEX restitutions_under_way ON restitutions (uai, id)
    WHERE stage IN ('received', 'ordered', 'delivered', 'acknowledged', 'erased');

-- What was said to a holder or their guardians, once for each occasion. It counts when a mail server accepted it, or
-- somebody handed over the letter; a bounce uncounts it (M3).
CREATE TABLE notices (
    id TEXT PRIMARY KEY NOT NULL,
    loan_id TEXT NOT NULL REFERENCES loans (id),
    kind TEXT NOT NULL CONSTRAINT notices_kind
        CHECK (kind IN ('reminder', 'loan-over', 'received', 'overdue', 'rules-changed')),
    occasion TEXT NOT NULL,
    channel TEXT NOT NULL CONSTRAINT notices_channel CHECK (channel IN ('mail', 'letter')),
    state TEXT NOT NULL CONSTRAINT notices_state CHECK (state IN ('waiting', 'accepted', 'bounced', 'handed-over')),
    created_at INTEGER NOT NULL,
    counted_at INTEGER,
    counted_by TEXT,
    CONSTRAINT notices_waiting CHECK ((state = 'waiting') = (counted_at IS NULL)),
    CONSTRAINT notices_handed_over CHECK ((state = 'handed-over') = (counted_by IS NOT NULL)),
    CONSTRAINT notices_ways CHECK (state = 'waiting' OR (channel = 'letter') = (state = 'handed-over'))
) STRICT;
CREATE UNIQUE INDEX notices_once ON notices (loan_id, kind, occasion, channel);
CREATE INDEX notices_waiting_to_go ON notices (created_at, id) WHERE state = 'waiting';

-- Decisions on the end of a tablet's life here. In force with the signatures of all whom it takes (C5.1.2, M3).
CREATE TABLE last_decisions (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CONSTRAINT last_decisions_kind CHECK (kind IN ('donation', 'retirement', 'theft')),
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    loan_id TEXT REFERENCES loans (id),
    incident_id TEXT REFERENCES incidents (id),
    reason TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    head_by TEXT,
    head_at INTEGER,
    departement_by TEXT,
    departement_at INTEGER,
    withdrawn_at INTEGER,
    CONSTRAINT last_decisions_subject CHECK ((kind <> 'donation' OR loan_id IS NOT NULL)
        AND (kind = 'theft') = (incident_id IS NOT NULL)),
    CONSTRAINT last_decisions_head CHECK ((head_by IS NULL) = (head_at IS NULL)
        AND (kind <> 'retirement' OR head_by IS NULL)),
    CONSTRAINT last_decisions_departement CHECK ((departement_by IS NULL) = (departement_at IS NULL)),
    CONSTRAINT last_decisions_two_persons CHECK (head_by IS NULL OR departement_by IS NULL OR head_by <> departement_by)
) STRICT;
CREATE INDEX last_decisions_by_tablet ON last_decisions (tablet_id, id);

-- What each erase order rests on.
ALTER TABLE erase_orders ADD COLUMN restitution_id TEXT REFERENCES restitutions (id);
ALTER TABLE erase_orders ADD COLUMN decision_id TEXT REFERENCES last_decisions (id);
ALTER TABLE erase_orders ADD COLUMN loan_id TEXT REFERENCES loans (id);
CREATE INDEX incidents_open_of_tablet ON incidents (tablet_id, id) WHERE state = 'open';
CREATE INDEX erase_orders_open ON erase_orders (tablet_id) WHERE state = 'open';

-- The guards. The rows' own instants are compared, never the clock of the machine. INSERT OR REPLACE deletes what stands
-- in its way without asking a trigger: what is unique is looked up first, and refused in words that the program reads as
-- a duplicate.
CREATE TRIGGER persons_before_insert_1 BEFORE INSERT ON persons WHEN
        EXISTS (SELECT 1 FROM persons x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a person is recorded once'); END;
CREATE TRIGGER persons_before_update_1 BEFORE UPDATE ON persons WHEN
        NEW.id IS NOT OLD.id OR
        NEW.created_at IS NOT OLD.created_at OR
        NEW.kind IS NOT OLD.kind OR
        (OLD.name = '' AND NEW.name <> '')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a person stays who they are, and whoever is forgotten stays so'); END;
CREATE TRIGGER persons_before_delete_1 BEFORE DELETE ON persons WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a person is forgotten, never deleted: the number stays where a loan names it'); END;
CREATE TRIGGER loans_before_insert_1 BEFORE INSERT ON loans WHEN
        NEW.state <> 'lent' OR EXISTS (SELECT 1 FROM loans x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a loan begins once, lent'); END;
CREATE TRIGGER loans_before_insert_2 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM loans x WHERE x.tablet_id = NEW.tablet_id AND x.state <> 'ended')
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: loans.tablet_id'); END;
CREATE TRIGGER loans_before_insert_3 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM loans x WHERE x.person_id = NEW.person_id
        AND (x.state IN ('lent', 'deposited') OR x.suspension = 'confiscated'))
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: loans.person_id'); END;
CREATE TRIGGER loans_before_insert_4 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM erase_orders o WHERE o.tablet_id = NEW.tablet_id AND o.state = 'open')
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order never outlives its loan: end it before the tablet is lent again (M3)'); END;
CREATE TRIGGER loans_before_insert_5 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM loans x WHERE x.tablet_id = NEW.tablet_id AND NOT EXISTS (SELECT 1 FROM restitutions r
        WHERE r.loan_id = x.id AND r.stage IN ('erased', 'in-stock', 'in-repair')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet is lent again only once it is proven erased (C5.3.5)'); END;
CREATE TRIGGER loans_before_insert_6 BEFORE INSERT ON loans WHEN
        NOT EXISTS (SELECT 1 FROM persons p WHERE p.id = NEW.person_id AND p.kind = NEW.holder_kind
        AND p.left_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a loan is made to a person who is there, as what they are (C4.1)'); END;
CREATE TRIGGER loans_before_update_1 BEFORE UPDATE ON loans WHEN
        NEW.id IS NOT OLD.id OR
        NEW.tablet_id IS NOT OLD.tablet_id OR
        NEW.person_id IS NOT OLD.person_id OR
        NEW.holder_kind IS NOT OLD.holder_kind OR
        NEW.school_year IS NOT OLD.school_year OR
        NEW.began_at IS NOT OLD.began_at OR
        NEW.handed_over_by IS NOT OLD.handed_over_by OR
        NEW.accessories IS NOT OLD.accessories OR
        NEW.condition IS NOT OLD.condition OR
        NEW.reserve_signed_by IS NOT OLD.reserve_signed_by
    BEGIN SELECT RAISE(ABORT, 'ardoise: a loan stays what was handed over, and to whom'); END;
CREATE TRIGGER loans_before_update_2 BEFORE UPDATE ON loans WHEN
        OLD.state = 'ended' AND NOT (OLD.ended_because = 'given-back' AND NEW.state = 'lent'
        AND EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = OLD.id AND r.stage = 'undone')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = OLD.id AND r.stage <> 'undone'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a loan that has ended stays ended, unless its receipt was a slip'); END;
CREATE TRIGGER loans_before_update_3 BEFORE UPDATE ON loans WHEN
        NEW.state <> 'ended' AND EXISTS (SELECT 1 FROM loans x WHERE x.id <> NEW.id AND x.tablet_id = NEW.tablet_id
        AND x.state <> 'ended')
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: loans.tablet_id'); END;
CREATE TRIGGER loans_before_update_4 BEFORE UPDATE ON loans WHEN
        (NEW.state IN ('lent', 'deposited') OR NEW.suspension = 'confiscated') AND EXISTS (SELECT 1 FROM loans x
        WHERE x.id <> NEW.id AND x.person_id = NEW.person_id
        AND (x.state IN ('lent', 'deposited') OR x.suspension = 'confiscated'))
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: loans.person_id'); END;
CREATE TRIGGER loans_before_delete_1 BEFORE DELETE ON loans WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a loan ends, and is never deleted'); END;
CREATE TRIGGER restitutions_before_insert_1 BEFORE INSERT ON restitutions WHEN
        NEW.stage <> 'received' OR EXISTS (SELECT 1 FROM restitutions r WHERE r.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet is received once'); END;
CREATE TRIGGER restitutions_before_insert_2 BEFORE INSERT ON restitutions WHEN
        EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = NEW.loan_id AND r.stage <> 'undone')
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: restitutions.loan_id'); END;
CREATE TRIGGER restitutions_before_insert_3 BEFORE INSERT ON restitutions WHEN
        EXISTS (SELECT 1 FROM restitutions r WHERE r.counted_order_id = NEW.counted_order_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: restitutions.counted_order_id'); END;
CREATE TRIGGER restitutions_before_insert_4 BEFORE INSERT ON restitutions WHEN
        NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id AND l.tablet_id = NEW.tablet_id
        AND l.state = 'ended')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a receipt is of the tablet of a loan that it ends (C5.3.5)'); END;
CREATE TRIGGER restitutions_before_update_1 BEFORE UPDATE ON restitutions WHEN
        NEW.id IS NOT OLD.id OR
        NEW.tablet_id IS NOT OLD.tablet_id OR
        NEW.loan_id IS NOT OLD.loan_id OR
        NEW.received_at IS NOT OLD.received_at OR
        NEW.received_by IS NOT OLD.received_by OR
        NEW.accessories IS NOT OLD.accessories OR
        NEW.condition IS NOT OLD.condition OR
        NEW.counted_order_id IS NOT OLD.counted_order_id
    BEGIN SELECT RAISE(ABORT, 'ardoise: a receipt stays what it was'); END;
CREATE TRIGGER restitutions_before_update_2 BEFORE UPDATE ON restitutions WHEN
        OLD.saved_at IS NOT NULL AND NEW.saved_at IS NULL AND NEW.stage <> 'undone'
    BEGIN SELECT RAISE(ABORT, 'ardoise: what the holder confirmed is not taken back for them'); END;
CREATE TRIGGER restitutions_before_update_3 BEFORE UPDATE ON restitutions WHEN
        NOT (NEW.stage = OLD.stage
        OR (OLD.stage = 'received' AND NEW.stage IN ('ordered', 'undone'))
        OR (OLD.stage = 'ordered' AND NEW.stage IN ('delivered', 'erased'))
        OR (OLD.stage = 'delivered' AND NEW.stage IN ('ordered', 'acknowledged', 'erased'))
        OR (OLD.stage = 'acknowledged' AND NEW.stage = 'erased')
        OR (OLD.stage IN ('ordered', 'delivered', 'acknowledged') AND NEW.stage = 'received' AND EXISTS
        (SELECT 1 FROM erase_orders o WHERE o.id = OLD.order_id AND o.state = 'ended'))
        OR (OLD.stage IN ('erased', 'in-stock', 'in-repair') AND NEW.stage IN ('in-stock', 'in-repair')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a restitution goes its way step by step (M3)'); END;
CREATE TRIGGER restitutions_before_update_4 BEFORE UPDATE ON restitutions WHEN
        NEW.order_id IS NOT NULL AND (NEW.order_id IS NOT OLD.order_id) AND NOT EXISTS (SELECT 1 FROM erase_orders o
        WHERE OLD.stage = 'received' AND o.id = NEW.order_id AND o.restitution_id = NEW.id AND o.state = 'open')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a restitution names the open order that was given for it (M3)'); END;
CREATE TRIGGER restitutions_before_update_5 BEFORE UPDATE ON restitutions WHEN
        OLD.proof IS NOT NULL AND (NEW.proof IS NOT OLD.proof OR NEW.proof_ref IS NOT OLD.proof_ref OR NEW.order_id IS NOT OLD.order_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a proof of erasure stays what it was (M3)'); END;
CREATE TRIGGER restitutions_before_update_6 BEFORE UPDATE ON restitutions WHEN
        NEW.proof = 'reenrolled' AND OLD.proof IS NULL AND NOT (OLD.stage = 'acknowledged' AND EXISTS
        (SELECT 1 FROM enrolments e WHERE e.id = NEW.proof_ref AND e.tablet_id = NEW.tablet_id))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an enrolment proves an erasure that the tablet acknowledged, and its own (M3)'); END;
CREATE TRIGGER restitutions_before_delete_1 BEFORE DELETE ON restitutions WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a receipt is undone, never deleted'); END;
CREATE TRIGGER notices_before_insert_1 BEFORE INSERT ON notices WHEN
        NEW.state <> 'waiting' OR EXISTS (SELECT 1 FROM notices n WHERE n.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice begins waiting'); END;
CREATE TRIGGER notices_before_insert_2 BEFORE INSERT ON notices WHEN
        EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = NEW.loan_id AND n.kind = NEW.kind
        AND n.occasion = NEW.occasion AND n.channel = NEW.channel)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: notices.occasion'); END;
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
CREATE TRIGGER last_decisions_before_insert_1 BEFORE INSERT ON last_decisions WHEN
        NEW.departement_by IS NOT NULL OR NEW.withdrawn_at IS NOT NULL
        OR EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a decision begins without the département''s signature'); END;
CREATE TRIGGER last_decisions_before_insert_2 BEFORE INSERT ON last_decisions WHEN
        NEW.loan_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id
        AND l.tablet_id = NEW.tablet_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a decision names a loan of its tablet'); END;
CREATE TRIGGER last_decisions_before_insert_3 BEFORE INSERT ON last_decisions WHEN
        NEW.incident_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
        AND i.tablet_id = NEW.tablet_id AND i.kind = 'theft')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a decision on a theft names the theft of its tablet (M3)'); END;
CREATE TRIGGER last_decisions_before_update_1 BEFORE UPDATE ON last_decisions WHEN
        NEW.id IS NOT OLD.id OR
        NEW.kind IS NOT OLD.kind OR
        NEW.tablet_id IS NOT OLD.tablet_id OR
        NEW.loan_id IS NOT OLD.loan_id OR
        NEW.incident_id IS NOT OLD.incident_id OR
        NEW.reason IS NOT OLD.reason OR
        NEW.begun_at IS NOT OLD.begun_at OR
        OLD.withdrawn_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a decision is frozen, but for signatures and its withdrawal'); END;
CREATE TRIGGER last_decisions_before_update_2 BEFORE UPDATE ON last_decisions WHEN
        (OLD.head_by IS NOT NULL AND (NEW.head_by IS NOT OLD.head_by OR NEW.head_at IS NOT OLD.head_at))
        OR (OLD.departement_by IS NOT NULL AND (NEW.departement_by IS NOT OLD.departement_by
        OR NEW.departement_at IS NOT OLD.departement_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a signature stays whose it is'); END;
CREATE TRIGGER last_decisions_before_update_3 BEFORE UPDATE ON last_decisions WHEN
        NEW.kind = 'donation' AND NEW.departement_by IS NOT NULL AND NEW.head_by IS NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: the head proposes a donation, then the département decides (C5.1.2)'); END;
CREATE TRIGGER last_decisions_before_delete_1 BEFORE DELETE ON last_decisions WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a decision is withdrawn, never deleted'); END;
CREATE TRIGGER erase_orders_before_insert_3 BEFORE INSERT ON erase_orders WHEN
        (NEW.cause = 'restitution') <> (NEW.restitution_id IS NOT NULL) OR (NEW.restitution_id IS NULL) <> (NEW.decision_id IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order rests on a receipt or on a decision (M3)'); END;
CREATE TRIGGER erase_orders_before_insert_4 BEFORE INSERT ON erase_orders WHEN
        NEW.restitution_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.id = NEW.restitution_id
        AND r.tablet_id = NEW.tablet_id AND r.loan_id = NEW.loan_id AND r.stage = 'received' AND NOT r.held_for_check
        AND r.received_at + 60000 <= NEW.not_before)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order of a restitution rests on its receipt, a minute old at least (M3)'); END;
CREATE TRIGGER erase_orders_before_insert_5 BEFORE INSERT ON erase_orders WHEN
        NEW.restitution_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.id = NEW.restitution_id
        AND (r.saved_at <= NEW.not_before OR EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = r.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before)))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice (C5.3.5)'); END;
CREATE TRIGGER erase_orders_before_insert_6 BEFORE INSERT ON erase_orders WHEN
        NEW.decision_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = NEW.decision_id
        AND d.kind = NEW.cause AND d.tablet_id = NEW.tablet_id AND d.loan_id IS NEW.loan_id
        AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND (d.kind = 'retirement' OR d.head_at IS NOT NULL)
        AND (d.kind <> 'theft' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = d.incident_id AND i.state = 'open')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order rests on a decision that is in force (M3)'); END;
CREATE TRIGGER erase_orders_before_insert_7 BEFORE INSERT ON erase_orders WHEN
        EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = NEW.tablet_id AND l.state <> 'ended'
        AND NOT (NEW.cause IN ('donation', 'theft') AND l.id = NEW.loan_id))
    BEGIN SELECT RAISE(ABORT, 'ardoise: no erase order for a tablet that is lent (M3)'); END;
CREATE TRIGGER erase_orders_before_update_2 BEFORE UPDATE ON erase_orders WHEN
        NEW.restitution_id IS NOT OLD.restitution_id OR
        NEW.decision_id IS NOT OLD.decision_id OR
        NEW.loan_id IS NOT OLD.loan_id
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order is frozen, except towards its end'); END;
-- A tablet is erased only while what its order rests on stands: when the command is queued, and each time it is sent.
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
        (SELECT 1 FROM notices n WHERE n.loan_id = r.loan_id AND n.kind <> 'rules-changed'
        AND n.state IN ('accepted', 'handed-over'))))
        OR EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = o.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND (d.kind = 'retirement' OR d.head_at IS NOT NULL)
        AND (d.kind <> 'theft' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = d.incident_id AND i.state = 'open')))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: what this erase order rests on does not stand (M3)'); END;
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
        (SELECT 1 FROM notices n WHERE n.loan_id = r.loan_id AND n.kind <> 'rules-changed'
        AND n.state IN ('accepted', 'handed-over'))))
        OR EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = o.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND (d.kind = 'retirement' OR d.head_at IS NOT NULL)
        AND (d.kind <> 'theft' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = d.incident_id AND i.state = 'open')))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: what this erase order rests on does not stand (M3)'); END;
