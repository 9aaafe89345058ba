-- Who holds which tablet, what was given back, and what an erasure rests on. For PostgreSQL.

-- People to whom tablets may be lent: what a loan needs of them, and no more (C3.1.6, C4.1). Once they have left and
-- their term is over, the name is emptied, and the number names nobody.
CREATE TABLE persons (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    uai TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CONSTRAINT persons_kind
        CHECK (kind IN ('pupil', 'teacher', 'head', 'deputy', 'segpa-director', 'cpe')),
    name TEXT COLLATE "C" NOT NULL,
    class TEXT COLLATE "C",
    leaves_on TEXT COLLATE "C",
    left_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT persons_are_forgotten_when_they_left CHECK (name <> '' OR (left_at IS NOT NULL AND class IS NULL))
);
CREATE INDEX persons_by_college ON persons (uai, id);
CREATE INDEX persons_left ON persons (left_at) WHERE left_at IS NOT NULL;

-- A loan: one tablet, one person, one handover. It ends once, and is never deleted.
CREATE TABLE loans (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    person_id TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
    holder_kind TEXT COLLATE "C" NOT NULL,
    uai TEXT COLLATE "C" NOT NULL,
    school_year TEXT COLLATE "C" NOT NULL REFERENCES school_years (label),
    state TEXT COLLATE "C" NOT NULL CONSTRAINT loans_state CHECK (state IN ('lent', 'deposited', 'suspended', 'ended')),
    suspension TEXT COLLATE "C" CONSTRAINT loans_suspension CHECK (suspension IN ('confiscated', 'incident', 'repair')),
    began_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    ended_because TEXT COLLATE "C" CONSTRAINT loans_ended_because CHECK (ended_because IN ('left', 'no-longer-listed',
        'departement', 'letter-of-the-user', 'letter-of-the-guardians', 'breach', 'given-back', 'replaced',
        'given-away')),
    ended_on TEXT COLLATE "C",
    ended_reference TEXT COLLATE "C",
    handed_over_by TEXT COLLATE "C" NOT NULL,
    accessories TEXT COLLATE "C" NOT NULL,
    condition TEXT COLLATE "C" NOT NULL,
    reserve TEXT COLLATE "C" NOT NULL,
    reserve_signed_by TEXT COLLATE "C",
    CONSTRAINT loans_suspended_why CHECK ((state = 'suspended') = (suspension IS NOT NULL)),
    CONSTRAINT loans_ended_why CHECK ((state = 'ended') = (ended_because IS NOT NULL)),
    CONSTRAINT loans_letter CHECK (ended_because IS NULL
        OR ended_because NOT IN ('letter-of-the-user', 'letter-of-the-guardians')
        OR (ended_on IS NOT NULL AND ended_reference IS NOT NULL)),
    CONSTRAINT loans_reserve_is_signed CHECK (reserve = '[]' OR reserve_signed_by IS NOT NULL)
);
-- A tablet is lent to one person, and a person holds at most one that counts (C5.3.1).
CREATE UNIQUE INDEX loans_one_of_a_tablet ON loans (tablet_id) WHERE state <> 'ended';
CREATE UNIQUE INDEX loans_one_of_a_person ON loans (person_id)
    WHERE state IN ('lent', 'deposited') OR suspension = 'confiscated';
CREATE INDEX loans_by_tablet ON loans (tablet_id, id);
CREATE INDEX loans_by_person ON loans (person_id, id);
CREATE INDEX loans_by_college ON loans (uai, id) WHERE state <> 'ended';

-- A tablet given back, from its receipt to the proof that it is empty (C5.3.5).
CREATE TABLE restitutions (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    loan_id TEXT COLLATE "C" NOT NULL REFERENCES loans (id),
    uai TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    received_by TEXT COLLATE "C" NOT NULL,
    accessories TEXT COLLATE "C" NOT NULL,
    condition TEXT COLLATE "C" NOT NULL,
    -- The number of its first order, which the brake counts when the receipt is written (M5).
    counted_order_id TEXT COLLATE "C" NOT NULL,
    saved_at BIGINT,
    saved_by TEXT COLLATE "C",
    held_for_check BOOLEAN NOT NULL,
    stage TEXT COLLATE "C" NOT NULL CONSTRAINT restitutions_stage CHECK (stage IN
        ('received', 'ordered', 'delivered', 'acknowledged', 'erased', 'in-stock', 'in-repair', 'undone')),
    order_id TEXT COLLATE "C" REFERENCES erase_orders (id),
    acknowledged_at BIGINT,
    proof TEXT COLLATE "C" CONSTRAINT restitutions_proof CHECK (proof IN ('attested', 'reenrolled')),
    proof_ref TEXT COLLATE "C",
    changed_at BIGINT NOT NULL,
    CONSTRAINT restitutions_ordered CHECK ((stage IN ('received', 'undone')) = (order_id IS NULL)),
    CONSTRAINT restitutions_said CHECK (stage <> 'acknowledged' OR acknowledged_at IS NOT NULL),
    CONSTRAINT restitutions_proven CHECK ((stage IN ('erased', 'in-stock', 'in-repair')) = (proof IS NOT NULL)
        AND (proof IS NULL) = (proof_ref IS NULL)),
    CONSTRAINT restitutions_saved CHECK ((saved_at IS NULL) = (saved_by IS NULL))
);
CREATE UNIQUE INDEX restitutions_one_of_a_loan ON restitutions (loan_id) WHERE stage <> 'undone';
CREATE UNIQUE INDEX restitutions_count_one_order ON restitutions (counted_order_id);
CREATE INDEX restitutions_by_tablet ON restitutions (tablet_id, id);
CREATE INDEX restitutions_under_way ON restitutions (uai, id)
    WHERE stage IN ('received', 'ordered', 'delivered', 'acknowledged', 'erased');

-- What was said to a holder or their guardians, once for each occasion. It counts when a mail server accepted it, or
-- somebody handed over the letter; a bounce uncounts it (M3).
CREATE TABLE notices (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    loan_id TEXT COLLATE "C" NOT NULL REFERENCES loans (id),
    kind TEXT COLLATE "C" NOT NULL CONSTRAINT notices_kind
        CHECK (kind IN ('reminder', 'loan-over', 'received', 'overdue', 'rules-changed')),
    occasion TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL CONSTRAINT notices_channel CHECK (channel IN ('mail', 'letter')),
    state TEXT COLLATE "C" NOT NULL CONSTRAINT notices_state CHECK (state IN ('waiting', 'accepted', 'bounced', 'handed-over')),
    created_at BIGINT NOT NULL,
    counted_at BIGINT,
    counted_by TEXT COLLATE "C",
    CONSTRAINT notices_waiting CHECK ((state = 'waiting') = (counted_at IS NULL)),
    CONSTRAINT notices_handed_over CHECK ((state = 'handed-over') = (counted_by IS NOT NULL)),
    CONSTRAINT notices_ways CHECK (state = 'waiting' OR (channel = 'letter') = (state = 'handed-over'))
);
CREATE UNIQUE INDEX notices_once ON notices (loan_id, kind, occasion, channel);
CREATE INDEX notices_waiting_to_go ON notices (created_at, id) WHERE state = 'waiting';

-- Decisions on the end of a tablet's life here. In force with the signatures of all whom it takes (C5.1.2, M3).
CREATE TABLE last_decisions (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CONSTRAINT last_decisions_kind CHECK (kind IN ('donation', 'retirement', 'theft')),
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    loan_id TEXT COLLATE "C" REFERENCES loans (id),
    incident_id TEXT COLLATE "C" REFERENCES incidents (id),
    reason TEXT COLLATE "C" NOT NULL,
    begun_at BIGINT NOT NULL,
    head_by TEXT COLLATE "C",
    head_at BIGINT,
    departement_by TEXT COLLATE "C",
    departement_at BIGINT,
    withdrawn_at BIGINT,
    CONSTRAINT last_decisions_subject CHECK ((kind <> 'donation' OR loan_id IS NOT NULL)
        AND (kind = 'theft') = (incident_id IS NOT NULL)),
    CONSTRAINT last_decisions_head CHECK ((head_by IS NULL) = (head_at IS NULL)
        AND (kind <> 'retirement' OR head_by IS NULL)),
    CONSTRAINT last_decisions_departement CHECK ((departement_by IS NULL) = (departement_at IS NULL)),
    CONSTRAINT last_decisions_two_persons CHECK (head_by IS NULL OR departement_by IS NULL OR head_by <> departement_by)
);
CREATE INDEX last_decisions_by_tablet ON last_decisions (tablet_id, id);

-- What each erase order rests on.
ALTER TABLE erase_orders ADD COLUMN restitution_id TEXT COLLATE "C" REFERENCES restitutions (id);
ALTER TABLE erase_orders ADD COLUMN decision_id TEXT COLLATE "C" REFERENCES last_decisions (id);
ALTER TABLE erase_orders ADD COLUMN loan_id TEXT COLLATE "C" REFERENCES loans (id);
CREATE INDEX incidents_open_of_tablet ON incidents (tablet_id, id) WHERE state = 'open';
CREATE INDEX erase_orders_open ON erase_orders (tablet_id) WHERE state = 'open';

-- The guards: the same as for SQLite. The rows' own instants are compared, never the clock of the machine.
CREATE FUNCTION persons_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM persons x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a person is recorded once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER persons_before_insert BEFORE INSERT ON persons FOR EACH ROW EXECUTE FUNCTION persons_before_insert();
CREATE FUNCTION persons_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR
        NEW.created_at IS DISTINCT FROM OLD.created_at OR
        NEW.kind IS DISTINCT FROM OLD.kind OR
        (OLD.name = '' AND NEW.name <> '') THEN
        RAISE EXCEPTION 'ardoise: a person stays who they are, and whoever is forgotten stays so';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER persons_before_update BEFORE UPDATE ON persons FOR EACH ROW EXECUTE FUNCTION persons_before_update();
CREATE TRIGGER persons_before_delete BEFORE DELETE ON persons FOR EACH ROW EXECUTE FUNCTION refuse('a person is forgotten, never deleted: the number stays where a loan names it');
CREATE FUNCTION loans_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'lent' OR EXISTS (SELECT 1 FROM loans x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a loan begins once, lent';
    END IF;
    IF EXISTS (SELECT 1 FROM erase_orders o WHERE o.tablet_id = NEW.tablet_id AND o.state = 'open') THEN
        RAISE EXCEPTION 'ardoise: an erase order never outlives its loan: end it before the tablet is lent again (M3)';
    END IF;
    IF EXISTS (SELECT 1 FROM loans x WHERE x.tablet_id = NEW.tablet_id AND NOT EXISTS (SELECT 1 FROM restitutions r
        WHERE r.loan_id = x.id AND r.stage IN ('erased', 'in-stock', 'in-repair'))) THEN
        RAISE EXCEPTION 'ardoise: a tablet is lent again only once it is proven erased (C5.3.5)';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM persons p WHERE p.id = NEW.person_id AND p.kind = NEW.holder_kind
        AND p.left_at IS NULL) THEN
        RAISE EXCEPTION 'ardoise: a loan is made to a person who is there, as what they are (C4.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER loans_before_insert BEFORE INSERT ON loans FOR EACH ROW EXECUTE FUNCTION loans_before_insert();
CREATE FUNCTION loans_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF OLD.state = 'ended' AND NOT (OLD.ended_because = 'given-back' AND NEW.state = 'lent'
        AND EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = OLD.id AND r.stage = 'undone')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = OLD.id AND r.stage <> 'undone')) THEN
        RAISE EXCEPTION 'ardoise: a loan that has ended stays ended, unless its receipt was a slip';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER loans_before_update BEFORE UPDATE ON loans FOR EACH ROW EXECUTE FUNCTION loans_before_update();
CREATE TRIGGER loans_before_delete BEFORE DELETE ON loans FOR EACH ROW EXECUTE FUNCTION refuse('a loan ends, and is never deleted');
CREATE FUNCTION restitutions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stage <> 'received' OR EXISTS (SELECT 1 FROM restitutions r WHERE r.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a tablet is received once';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id AND l.tablet_id = NEW.tablet_id
        AND l.state = 'ended') THEN
        RAISE EXCEPTION 'ardoise: a receipt is of the tablet of a loan that it ends (C5.3.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER restitutions_before_insert BEFORE INSERT ON restitutions FOR EACH ROW EXECUTE FUNCTION restitutions_before_insert();
CREATE FUNCTION restitutions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR
        NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR
        NEW.loan_id IS DISTINCT FROM OLD.loan_id OR
        NEW.received_at IS DISTINCT FROM OLD.received_at OR
        NEW.received_by IS DISTINCT FROM OLD.received_by OR
        NEW.accessories IS DISTINCT FROM OLD.accessories OR
        NEW.condition IS DISTINCT FROM OLD.condition OR
        NEW.counted_order_id IS DISTINCT FROM OLD.counted_order_id THEN
        RAISE EXCEPTION 'ardoise: a receipt stays what it was';
    END IF;
    IF OLD.saved_at IS NOT NULL AND NEW.saved_at IS NULL AND NEW.stage <> 'undone' THEN
        RAISE EXCEPTION 'ardoise: what the holder confirmed is not taken back for them';
    END IF;
    IF NOT (NEW.stage = OLD.stage
        OR (OLD.stage = 'received' AND NEW.stage IN ('ordered', 'undone'))
        OR (OLD.stage = 'ordered' AND NEW.stage IN ('delivered', 'erased'))
        OR (OLD.stage = 'delivered' AND NEW.stage IN ('ordered', 'acknowledged', 'erased'))
        OR (OLD.stage = 'acknowledged' AND NEW.stage = 'erased')
        OR (OLD.stage IN ('ordered', 'delivered', 'acknowledged') AND NEW.stage = 'received' AND EXISTS
        (SELECT 1 FROM erase_orders o WHERE o.id = OLD.order_id AND o.state = 'ended'))
        OR (OLD.stage IN ('erased', 'in-stock', 'in-repair') AND NEW.stage IN ('in-stock', 'in-repair'))) THEN
        RAISE EXCEPTION 'ardoise: a restitution goes its way step by step (M3)';
    END IF;
    IF NEW.order_id IS NOT NULL AND (NEW.order_id IS DISTINCT FROM OLD.order_id) AND NOT EXISTS (SELECT 1 FROM erase_orders o
        WHERE OLD.stage = 'received' AND o.id = NEW.order_id AND o.restitution_id = NEW.id AND o.state = 'open') THEN
        RAISE EXCEPTION 'ardoise: a restitution names the open order that was given for it (M3)';
    END IF;
    IF OLD.proof IS NOT NULL AND (NEW.proof IS DISTINCT FROM OLD.proof OR NEW.proof_ref IS DISTINCT FROM OLD.proof_ref OR NEW.order_id IS DISTINCT FROM OLD.order_id) THEN
        RAISE EXCEPTION 'ardoise: a proof of erasure stays what it was (M3)';
    END IF;
    IF NEW.proof = 'reenrolled' AND OLD.proof IS NULL AND NOT (OLD.stage = 'acknowledged' AND EXISTS
        (SELECT 1 FROM enrolments e WHERE e.id = NEW.proof_ref AND e.tablet_id = NEW.tablet_id)) THEN
        RAISE EXCEPTION 'ardoise: an enrolment proves an erasure that the tablet acknowledged, and its own (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER restitutions_before_update BEFORE UPDATE ON restitutions FOR EACH ROW EXECUTE FUNCTION restitutions_before_update();
CREATE TRIGGER restitutions_before_delete BEFORE DELETE ON restitutions FOR EACH ROW EXECUTE FUNCTION refuse('a receipt is undone, never deleted');
CREATE FUNCTION notices_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'waiting' OR EXISTS (SELECT 1 FROM notices n WHERE n.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a notice begins waiting';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notices_before_insert BEFORE INSERT ON notices FOR EACH ROW EXECUTE FUNCTION notices_before_insert();
CREATE FUNCTION notices_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR
        NEW.loan_id IS DISTINCT FROM OLD.loan_id OR
        NEW.kind IS DISTINCT FROM OLD.kind OR
        NEW.occasion IS DISTINCT FROM OLD.occasion OR
        NEW.channel IS DISTINCT FROM OLD.channel OR
        NEW.created_at IS DISTINCT FROM OLD.created_at THEN
        RAISE EXCEPTION 'ardoise: a notice stays what it says, and to whom';
    END IF;
    IF NOT (NEW.state = OLD.state AND NEW.counted_at IS NOT DISTINCT FROM OLD.counted_at AND NEW.counted_by IS NOT DISTINCT FROM OLD.counted_by
        OR OLD.state = 'waiting' AND NEW.state IN ('accepted', 'handed-over')
        OR OLD.state = 'accepted' AND NEW.state = 'bounced' AND NEW.counted_at IS NOT DISTINCT FROM OLD.counted_at) THEN
        RAISE EXCEPTION 'ardoise: a notice that went counts from then on, unless it bounces (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notices_before_update BEFORE UPDATE ON notices FOR EACH ROW EXECUTE FUNCTION notices_before_update();
CREATE TRIGGER notices_before_delete BEFORE DELETE ON notices FOR EACH ROW EXECUTE FUNCTION refuse('what was said stays said');
CREATE FUNCTION last_decisions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.departement_by IS NOT NULL OR NEW.withdrawn_at IS NOT NULL
        OR EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a decision begins without the département''s signature';
    END IF;
    IF NEW.loan_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id
        AND l.tablet_id = NEW.tablet_id) THEN
        RAISE EXCEPTION 'ardoise: a decision names a loan of its tablet';
    END IF;
    IF NEW.incident_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
        AND i.tablet_id = NEW.tablet_id AND i.kind = 'theft') THEN
        RAISE EXCEPTION 'ardoise: a decision on a theft names the theft of its tablet (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER last_decisions_before_insert BEFORE INSERT ON last_decisions FOR EACH ROW EXECUTE FUNCTION last_decisions_before_insert();
CREATE FUNCTION last_decisions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR
        NEW.kind IS DISTINCT FROM OLD.kind OR
        NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR
        NEW.loan_id IS DISTINCT FROM OLD.loan_id OR
        NEW.incident_id IS DISTINCT FROM OLD.incident_id OR
        NEW.reason IS DISTINCT FROM OLD.reason OR
        NEW.begun_at IS DISTINCT FROM OLD.begun_at OR
        OLD.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: a decision is frozen, but for signatures and its withdrawal';
    END IF;
    IF (OLD.head_by IS NOT NULL AND (NEW.head_by IS DISTINCT FROM OLD.head_by OR NEW.head_at IS DISTINCT FROM OLD.head_at))
        OR (OLD.departement_by IS NOT NULL AND (NEW.departement_by IS DISTINCT FROM OLD.departement_by
        OR NEW.departement_at IS DISTINCT FROM OLD.departement_at)) THEN
        RAISE EXCEPTION 'ardoise: a signature stays whose it is';
    END IF;
    IF NEW.kind = 'donation' AND NEW.departement_by IS NOT NULL AND NEW.head_by IS NULL THEN
        RAISE EXCEPTION 'ardoise: the head proposes a donation, then the département decides (C5.1.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER last_decisions_before_update BEFORE UPDATE ON last_decisions FOR EACH ROW EXECUTE FUNCTION last_decisions_before_update();
CREATE TRIGGER last_decisions_before_delete BEFORE DELETE ON last_decisions FOR EACH ROW EXECUTE FUNCTION refuse('a decision is withdrawn, never deleted');
CREATE FUNCTION erase_orders_rest_on_something() RETURNS trigger LANGUAGE plpgsql AS $$
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
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')
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
CREATE TRIGGER erase_orders_rest_on_something BEFORE INSERT ON erase_orders FOR EACH ROW EXECUTE FUNCTION erase_orders_rest_on_something();
CREATE FUNCTION erase_orders_rest_on_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.restitution_id IS DISTINCT FROM OLD.restitution_id OR
        NEW.decision_id IS DISTINCT FROM OLD.decision_id OR
        NEW.loan_id IS DISTINCT FROM OLD.loan_id THEN
        RAISE EXCEPTION 'ardoise: an erase order is frozen, except towards its end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erase_orders_rest_on_the_same BEFORE UPDATE ON erase_orders FOR EACH ROW EXECUTE FUNCTION erase_orders_rest_on_the_same();
-- A tablet is erased only while what its order rests on stands: when the command is queued, and each time it is sent.
CREATE FUNCTION commands_under_the_loans() RETURNS trigger LANGUAGE plpgsql AS $$
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
        (SELECT 1 FROM notices n WHERE n.loan_id = r.loan_id AND n.kind <> 'rules-changed'
        AND n.state IN ('accepted', 'handed-over'))))
        OR EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = o.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND (d.kind = 'retirement' OR d.head_at IS NOT NULL)
        AND (d.kind <> 'theft' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = d.incident_id AND i.state = 'open'))))) THEN
        RAISE EXCEPTION 'ardoise: what this erase order rests on does not stand (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_under_the_loans_when_queued BEFORE INSERT ON commands FOR EACH ROW
    WHEN (NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now'))
    EXECUTE FUNCTION commands_under_the_loans();
CREATE TRIGGER commands_under_the_loans_when_sent BEFORE UPDATE ON commands FOR EACH ROW
    WHEN (NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
    AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at))
    EXECUTE FUNCTION commands_under_the_loans();

-- TRUNCATE asks no trigger of rows.
CREATE TRIGGER persons_before_truncate BEFORE TRUNCATE ON persons
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER loans_before_truncate BEFORE TRUNCATE ON loans
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER restitutions_before_truncate BEFORE TRUNCATE ON restitutions
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER notices_before_truncate BEFORE TRUNCATE ON notices
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER last_decisions_before_truncate BEFORE TRUNCATE ON last_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
