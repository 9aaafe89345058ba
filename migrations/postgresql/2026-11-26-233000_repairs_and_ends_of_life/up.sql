-- Repairs, transfers, and the ways out. For PostgreSQL.

-- Whoever signs a decision has an account.
ALTER TABLE last_decisions ADD CONSTRAINT last_decisions_head_by_fkey FOREIGN KEY (head_by) REFERENCES accounts (id);
ALTER TABLE last_decisions ADD CONSTRAINT last_decisions_departement_by_fkey FOREIGN KEY (departement_by) REFERENCES accounts (id);

-- A tablet that its supplier repairs, and what came back: itself, or another in its place (C5.4.5).
CREATE TABLE repairs (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    -- The loan that rests meanwhile, and the one of the tablet that its holder has instead.
    loan_id TEXT COLLATE "C" REFERENCES loans (id),
    loaner_loan_id TEXT COLLATE "C" REFERENCES loans (id),
    uai TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CONSTRAINT repairs_state CHECK (state IN ('at-supplier', 'back', 'exchanged')),
    sent_at BIGINT NOT NULL,
    sent_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    closed_at BIGINT,
    closed_by TEXT COLLATE "C" REFERENCES accounts (id),
    exchanged_tablet_id TEXT COLLATE "C" REFERENCES tablets (id),
    CONSTRAINT repairs_closed CHECK ((state = 'at-supplier') = (closed_at IS NULL)
        AND (closed_at IS NULL) = (closed_by IS NULL)),
    CONSTRAINT repairs_exchanged CHECK ((state = 'exchanged') = (exchanged_tablet_id IS NOT NULL)
        AND (exchanged_tablet_id IS NULL OR exchanged_tablet_id <> tablet_id)),
    CONSTRAINT repairs_loaner CHECK (loaner_loan_id IS NULL OR (loan_id IS NOT NULL AND loaner_loan_id <> loan_id))
);
-- A tablet is in one repair at a time, and whatever the supplier kept never comes back.
CREATE UNIQUE INDEX repairs_one_of_a_tablet ON repairs (tablet_id) WHERE state <> 'back';
CREATE UNIQUE INDEX repairs_one_in_exchange ON repairs (exchanged_tablet_id) WHERE exchanged_tablet_id IS NOT NULL;
CREATE INDEX repairs_by_college ON repairs (uai, id);
CREATE INDEX repairs_by_loan ON repairs (loan_id) WHERE loan_id IS NOT NULL;

-- A tablet that goes from one collège to another: both consent, in two persons.
CREATE TABLE transfers (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    from_uai TEXT COLLATE "C" NOT NULL,
    to_uai TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CONSTRAINT transfers_state CHECK (state IN ('proposed', 'done', 'withdrawn')),
    proposed_at BIGINT NOT NULL,
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    given_at BIGINT,
    given_by TEXT COLLATE "C" REFERENCES accounts (id),
    taken_at BIGINT,
    taken_by TEXT COLLATE "C" REFERENCES accounts (id),
    ended_at BIGINT,
    CONSTRAINT transfers_move CHECK (from_uai <> to_uai),
    CONSTRAINT transfers_given CHECK ((given_at IS NULL) = (given_by IS NULL)),
    CONSTRAINT transfers_taken CHECK ((taken_at IS NULL) = (taken_by IS NULL)),
    CONSTRAINT transfers_two_persons CHECK (given_by IS NULL OR taken_by IS NULL OR given_by <> taken_by),
    CONSTRAINT transfers_both_consent CHECK (state <> 'done' OR (given_by IS NOT NULL AND taken_by IS NOT NULL)),
    CONSTRAINT transfers_ended CHECK ((state = 'proposed') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX transfers_one_of_a_tablet ON transfers (tablet_id) WHERE state = 'proposed';
CREATE INDEX transfers_from ON transfers (from_uai, id);
CREATE INDEX transfers_to ON transfers (to_uai, id);

-- One yes or no for each year of loan: was the tablet managed responsibly? Nothing of what happened is kept (C5.1.2).
CREATE TABLE loan_years (
    loan_id TEXT COLLATE "C" NOT NULL REFERENCES loans (id),
    school_year TEXT COLLATE "C" NOT NULL REFERENCES school_years (label),
    responsible BOOLEAN NOT NULL,
    recorded_at BIGINT NOT NULL,
    recorded_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (loan_id, school_year)
);

-- The way out of a tablet that is given away or retired: erased, then out of management, then released (C5.1.2).
CREATE TABLE departures (
    decision_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES last_decisions (id),
    -- The number of its first order, which the brake counts (M5), and the order that it stands under.
    counted_order_id TEXT COLLATE "C" NOT NULL,
    order_id TEXT COLLATE "C" REFERENCES erase_orders (id),
    erased_at BIGINT,
    proof TEXT COLLATE "C" CONSTRAINT departures_proof CHECK (proof IN ('attested', 'reenrolled')),
    proof_ref TEXT COLLATE "C",
    -- The second person who signed for what cannot be undone.
    countersignature_id TEXT COLLATE "C" REFERENCES countersignatures (id),
    let_go_at BIGINT,
    release_reference TEXT COLLATE "C",
    lock_reference TEXT COLLATE "C",
    released_at BIGINT,
    released_by TEXT COLLATE "C" REFERENCES accounts (id),
    CONSTRAINT departures_erased CHECK ((erased_at IS NULL) = (proof IS NULL) AND (proof IS NULL) = (proof_ref IS NULL)
        AND (erased_at IS NULL OR order_id IS NOT NULL)),
    CONSTRAINT departures_let_go CHECK ((let_go_at IS NULL) = (countersignature_id IS NULL)
        AND (let_go_at IS NULL OR erased_at IS NOT NULL)),
    CONSTRAINT departures_released CHECK ((released_at IS NULL) = (released_by IS NULL)
        AND (released_at IS NULL) = (release_reference IS NULL) AND (released_at IS NULL) = (lock_reference IS NULL)
        AND (released_at IS NULL OR let_go_at IS NOT NULL))
);
CREATE UNIQUE INDEX departures_count_one_order ON departures (counted_order_id);
CREATE UNIQUE INDEX departures_one_signature ON departures (countersignature_id) WHERE countersignature_id IS NOT NULL;

-- The guards: the same as for SQLite. The rows' own instants are compared, never the clock of the machine.
CREATE FUNCTION repairs_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'at-supplier' THEN
        RAISE EXCEPTION 'ardoise: a tablet is sent to its supplier first (C5.4.5)';
    END IF;
    IF NEW.loan_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id AND l.tablet_id = NEW.tablet_id AND l.suspension = 'repair') THEN
        RAISE EXCEPTION 'ardoise: the loan of a tablet in repair rests (C5.3.1, C5.4.5)';
    END IF;
    IF NEW.loan_id IS NULL AND EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = NEW.tablet_id AND l.state <> 'ended') THEN
        RAISE EXCEPTION 'ardoise: the loan of a tablet in repair rests (C5.3.1, C5.4.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER repairs_before_insert BEFORE INSERT ON repairs FOR EACH ROW EXECUTE FUNCTION repairs_before_insert();
CREATE FUNCTION repairs_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR NEW.loan_id IS DISTINCT FROM OLD.loan_id OR NEW.uai IS DISTINCT FROM OLD.uai OR NEW.reference IS DISTINCT FROM OLD.reference OR NEW.sent_at IS DISTINCT FROM OLD.sent_at OR NEW.sent_by IS DISTINCT FROM OLD.sent_by OR OLD.state <> 'at-supplier' OR (OLD.loaner_loan_id IS NOT NULL AND NEW.loaner_loan_id IS DISTINCT FROM OLD.loaner_loan_id) THEN
        RAISE EXCEPTION 'ardoise: a repair stays what it was, and is closed once (C5.4.5)';
    END IF;
    IF NEW.loaner_loan_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM loans l JOIN loans m ON m.person_id = l.person_id WHERE l.id = NEW.loaner_loan_id AND m.id = NEW.loan_id) THEN
        RAISE EXCEPTION 'ardoise: the loaner is lent to whoever held the tablet in repair (C5.3.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER repairs_before_update BEFORE UPDATE ON repairs FOR EACH ROW EXECUTE FUNCTION repairs_before_update();
CREATE TRIGGER repairs_before_delete BEFORE DELETE ON repairs FOR EACH ROW EXECUTE FUNCTION refuse('a repair is closed, never deleted');
CREATE FUNCTION transfers_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'proposed' THEN
        RAISE EXCEPTION 'ardoise: a transfer begins as a proposal';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM tablets t WHERE t.id = NEW.tablet_id AND t.uai = NEW.from_uai) THEN
        RAISE EXCEPTION 'ardoise: a tablet is given by the collège that it is of';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transfers_before_insert BEFORE INSERT ON transfers FOR EACH ROW EXECUTE FUNCTION transfers_before_insert();
CREATE FUNCTION transfers_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR NEW.from_uai IS DISTINCT FROM OLD.from_uai OR NEW.to_uai IS DISTINCT FROM OLD.to_uai OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.proposed_at IS DISTINCT FROM OLD.proposed_at OR NEW.proposed_by IS DISTINCT FROM OLD.proposed_by OR OLD.state <> 'proposed' OR (OLD.given_by IS NOT NULL AND (NEW.given_by IS DISTINCT FROM OLD.given_by OR NEW.given_at IS DISTINCT FROM OLD.given_at)) OR (OLD.taken_by IS NOT NULL AND (NEW.taken_by IS DISTINCT FROM OLD.taken_by OR NEW.taken_at IS DISTINCT FROM OLD.taken_at)) THEN
        RAISE EXCEPTION 'ardoise: a transfer stays what was proposed, and a consent whose it is';
    END IF;
    IF NEW.state = 'done' AND OLD.state <> 'done'
        AND NOT EXISTS (SELECT 1 FROM tablets t WHERE t.id = NEW.tablet_id AND t.uai = NEW.from_uai) THEN
        RAISE EXCEPTION 'ardoise: a tablet is given by the collège that it is of';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transfers_before_update BEFORE UPDATE ON transfers FOR EACH ROW EXECUTE FUNCTION transfers_before_update();
CREATE TRIGGER transfers_before_delete BEFORE DELETE ON transfers FOR EACH ROW EXECUTE FUNCTION refuse('a transfer is withdrawn, never deleted');
CREATE FUNCTION loan_years_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id AND l.holder_kind = 'pupil') THEN
        RAISE EXCEPTION 'ardoise: a word about a year is about a pupil (C5.1.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER loan_years_before_insert BEFORE INSERT ON loan_years FOR EACH ROW EXECUTE FUNCTION loan_years_before_insert();
CREATE FUNCTION loan_years_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.loan_id IS DISTINCT FROM OLD.loan_id OR NEW.school_year IS DISTINCT FROM OLD.school_year THEN
        RAISE EXCEPTION 'ardoise: a word about a year stays about that year (C5.1.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER loan_years_before_update BEFORE UPDATE ON loan_years FOR EACH ROW EXECUTE FUNCTION loan_years_before_update();
CREATE FUNCTION departures_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.order_id IS NOT NULL OR NEW.erased_at IS NOT NULL OR NEW.let_go_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = NEW.decision_id AND d.kind <> 'theft') THEN
        RAISE EXCEPTION 'ardoise: a tablet leaves by a donation or a retirement, and nothing was done yet (C5.1.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER departures_before_insert BEFORE INSERT ON departures FOR EACH ROW EXECUTE FUNCTION departures_before_insert();
CREATE FUNCTION departures_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF NEW.let_go_at IS NOT NULL AND OLD.let_go_at IS NULL AND NOT EXISTS (SELECT 1 FROM last_decisions d JOIN countersignatures s ON s.id = NEW.countersignature_id WHERE d.id = NEW.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL AND (d.kind = 'retirement' OR d.head_at IS NOT NULL) AND s.subject = 'tablet:' || d.tablet_id AND s.state = 'given' AND s.used_at IS NOT NULL AND s.purpose IN ('give-away', 'release-tablet')) THEN
        RAISE EXCEPTION 'ardoise: what cannot be undone takes a decision in force and a second person (C5.1.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER departures_before_update BEFORE UPDATE ON departures FOR EACH ROW EXECUTE FUNCTION departures_before_update();
CREATE TRIGGER departures_before_delete BEFORE DELETE ON departures FOR EACH ROW EXECUTE FUNCTION refuse('what was done on the way out stays done (C5.1.2)');
CREATE FUNCTION last_decisions_ends_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.withdrawn_at IS NOT NULL AND OLD.withdrawn_at IS NULL AND EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = NEW.id AND x.let_go_at IS NOT NULL) THEN
        RAISE EXCEPTION 'ardoise: a tablet that was let go does not come back by a decision (C5.1.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER last_decisions_ends_update BEFORE UPDATE ON last_decisions FOR EACH ROW EXECUTE FUNCTION last_decisions_ends_update();
CREATE FUNCTION loans_ends_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM repairs r WHERE r.tablet_id = NEW.tablet_id AND r.state <> 'back') THEN
        RAISE EXCEPTION 'ardoise: a tablet that its supplier has is lent to nobody (C5.4.5)';
    END IF;
    IF EXISTS (SELECT 1 FROM last_decisions d WHERE d.tablet_id = NEW.tablet_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL AND d.kind IN ('donation', 'retirement')) THEN
        RAISE EXCEPTION 'ardoise: a tablet that is given away or retired is lent to nobody (C5.1.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER loans_ends_insert BEFORE INSERT ON loans FOR EACH ROW EXECUTE FUNCTION loans_ends_insert();
CREATE FUNCTION loans_ends_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.suspension = 'repair' AND NEW.state IN ('lent', 'deposited', 'suspended') AND NEW.suspension IS DISTINCT FROM OLD.suspension AND EXISTS (SELECT 1 FROM repairs r WHERE r.loan_id = NEW.id AND r.state = 'at-supplier') THEN
        RAISE EXCEPTION 'ardoise: a loan rests until its tablet is back from the supplier (C5.4.5)';
    END IF;
    IF OLD.state = 'ended' AND NEW.state <> 'ended' AND EXISTS (SELECT 1 FROM repairs r WHERE r.tablet_id = NEW.tablet_id AND r.state <> 'back') THEN
        RAISE EXCEPTION 'ardoise: a tablet that its supplier has is held by nobody again (C5.4.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER loans_ends_update BEFORE UPDATE ON loans FOR EACH ROW EXECUTE FUNCTION loans_ends_update();
CREATE FUNCTION tablets_ends_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.uai IS DISTINCT FROM OLD.uai AND OLD.uai IS NOT NULL AND (EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = NEW.id AND l.state <> 'ended') OR EXISTS (SELECT 1 FROM repairs r WHERE r.tablet_id = NEW.id AND r.state = 'at-supplier')) THEN
        RAISE EXCEPTION 'ardoise: a tablet that is lent, or in repair, stays in its collège';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tablets_ends_update BEFORE UPDATE ON tablets FOR EACH ROW EXECUTE FUNCTION tablets_ends_update();
CREATE TRIGGER repairs_before_truncate BEFORE TRUNCATE ON repairs
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER transfers_before_truncate BEFORE TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER loan_years_before_truncate BEFORE TRUNCATE ON loan_years
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER departures_before_truncate BEFORE TRUNCATE ON departures
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();

-- Whether a change of a list speaks of everybody, or of a class: only the former says who has left (C9.1).
ALTER TABLE lists ADD COLUMN scope TEXT COLLATE "C" NOT NULL DEFAULT 'part' CONSTRAINT lists_scope CHECK (scope IN ('whole', 'part'));
CREATE FUNCTION lists_keep_their_scope() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.scope IS DISTINCT FROM OLD.scope THEN
        RAISE EXCEPTION 'ardoise: how much a list speaks of is what was signed (C4.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lists_keep_their_scope BEFORE UPDATE ON lists FOR EACH ROW EXECUTE FUNCTION lists_keep_their_scope();
