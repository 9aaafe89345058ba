-- Repairs, transfers, and the ways out. For SQLite.

-- Whoever signs a decision has an account. SQLite adds no foreign key to a column that is there: the table is made anew,
-- with its guards.
PRAGMA defer_foreign_keys = ON;
CREATE TEMPORARY TABLE last_decisions_kept AS SELECT * FROM last_decisions;
DROP TABLE last_decisions;
CREATE TABLE last_decisions (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CONSTRAINT last_decisions_kind CHECK (kind IN ('donation', 'retirement', 'theft')),
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    loan_id TEXT REFERENCES loans (id),
    incident_id TEXT REFERENCES incidents (id),
    reason TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    head_by TEXT REFERENCES accounts (id),
    head_at INTEGER,
    departement_by TEXT REFERENCES accounts (id),
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
CREATE INDEX last_decisions_by_incident ON last_decisions (incident_id) WHERE incident_id IS NOT NULL;
INSERT INTO last_decisions SELECT * FROM last_decisions_kept;
DROP TABLE last_decisions_kept;
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
CREATE TRIGGER last_decisions_on_thefts_before_update_1 BEFORE UPDATE ON last_decisions WHEN
        NEW.kind = 'theft' AND NEW.departement_by IS NOT NULL AND OLD.departement_by IS NULL
        AND NOT EXISTS (SELECT 1 FROM countersignatures c WHERE c.purpose = 'erase-stolen'
        AND c.subject = 'incident:' || NEW.incident_id AND c.state = 'given' AND c.asked_by = NEW.head_by
        AND c.answered_by = NEW.departement_by AND c.answered_at <= NEW.departement_at
        AND c.used_for = 'decision:' || NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: the département decides that a stolen tablet is erased by answering the head who proposes it (M3)'); END;

-- A tablet that its supplier repairs, and what came back: itself, or another in its place (C5.4.5).
CREATE TABLE repairs (
    id TEXT PRIMARY KEY NOT NULL,
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    -- The loan that rests meanwhile, and the one of the tablet that its holder has instead.
    loan_id TEXT REFERENCES loans (id),
    loaner_loan_id TEXT REFERENCES loans (id),
    uai TEXT NOT NULL,
    reference TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT repairs_state CHECK (state IN ('at-supplier', 'back', 'exchanged')),
    sent_at INTEGER NOT NULL,
    sent_by TEXT NOT NULL REFERENCES accounts (id),
    closed_at INTEGER,
    closed_by TEXT REFERENCES accounts (id),
    exchanged_tablet_id TEXT REFERENCES tablets (id),
    CONSTRAINT repairs_closed CHECK ((state = 'at-supplier') = (closed_at IS NULL)
        AND (closed_at IS NULL) = (closed_by IS NULL)),
    CONSTRAINT repairs_exchanged CHECK ((state = 'exchanged') = (exchanged_tablet_id IS NOT NULL)
        AND (exchanged_tablet_id IS NULL OR exchanged_tablet_id <> tablet_id)),
    CONSTRAINT repairs_loaner CHECK (loaner_loan_id IS NULL OR (loan_id IS NOT NULL AND loaner_loan_id <> loan_id))
) STRICT;
-- A tablet is in one repair at a time, and whatever the supplier kept never comes back.
CREATE UNIQUE INDEX repairs_one_of_a_tablet ON repairs (tablet_id) WHERE state <> 'back';
CREATE UNIQUE INDEX repairs_one_in_exchange ON repairs (exchanged_tablet_id) WHERE exchanged_tablet_id IS NOT NULL;
CREATE INDEX repairs_by_college ON repairs (uai, id);
CREATE INDEX repairs_by_loan ON repairs (loan_id) WHERE loan_id IS NOT NULL;

-- A tablet that goes from one collège to another: both consent, in two persons.
CREATE TABLE transfers (
    id TEXT PRIMARY KEY NOT NULL,
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    from_uai TEXT NOT NULL,
    to_uai TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT transfers_state CHECK (state IN ('proposed', 'done', 'withdrawn')),
    proposed_at INTEGER NOT NULL,
    proposed_by TEXT NOT NULL REFERENCES accounts (id),
    given_at INTEGER,
    given_by TEXT REFERENCES accounts (id),
    taken_at INTEGER,
    taken_by TEXT REFERENCES accounts (id),
    ended_at INTEGER,
    CONSTRAINT transfers_move CHECK (from_uai <> to_uai),
    CONSTRAINT transfers_given CHECK ((given_at IS NULL) = (given_by IS NULL)),
    CONSTRAINT transfers_taken CHECK ((taken_at IS NULL) = (taken_by IS NULL)),
    CONSTRAINT transfers_two_persons CHECK (given_by IS NULL OR taken_by IS NULL OR given_by <> taken_by),
    CONSTRAINT transfers_both_consent CHECK (state <> 'done' OR (given_by IS NOT NULL AND taken_by IS NOT NULL)),
    CONSTRAINT transfers_ended CHECK ((state = 'proposed') = (ended_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX transfers_one_of_a_tablet ON transfers (tablet_id) WHERE state = 'proposed';
CREATE INDEX transfers_from ON transfers (from_uai, id);
CREATE INDEX transfers_to ON transfers (to_uai, id);

-- One yes or no for each year of loan: was the tablet managed responsibly? Nothing of what happened is kept (C5.1.2).
CREATE TABLE loan_years (
    loan_id TEXT NOT NULL REFERENCES loans (id),
    school_year TEXT NOT NULL REFERENCES school_years (label),
    responsible INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (loan_id, school_year)
) STRICT;

-- The way out of a tablet that is given away or retired: erased, then out of management, then released (C5.1.2).
CREATE TABLE departures (
    decision_id TEXT PRIMARY KEY NOT NULL REFERENCES last_decisions (id),
    -- The number of its first order, which the brake counts (M5), and the order that it stands under.
    counted_order_id TEXT NOT NULL,
    order_id TEXT REFERENCES erase_orders (id),
    erased_at INTEGER,
    proof TEXT CONSTRAINT departures_proof CHECK (proof IN ('attested', 'reenrolled')),
    proof_ref TEXT,
    -- The second person who signed for what cannot be undone.
    countersignature_id TEXT REFERENCES countersignatures (id),
    let_go_at INTEGER,
    release_reference TEXT,
    lock_reference TEXT,
    released_at INTEGER,
    released_by TEXT REFERENCES accounts (id),
    CONSTRAINT departures_erased CHECK ((erased_at IS NULL) = (proof IS NULL) AND (proof IS NULL) = (proof_ref IS NULL)
        AND (erased_at IS NULL OR order_id IS NOT NULL)),
    CONSTRAINT departures_let_go CHECK ((let_go_at IS NULL) = (countersignature_id IS NULL)
        AND (let_go_at IS NULL OR erased_at IS NOT NULL)),
    CONSTRAINT departures_released CHECK ((released_at IS NULL) = (released_by IS NULL)
        AND (released_at IS NULL) = (release_reference IS NULL) AND (released_at IS NULL) = (lock_reference IS NULL)
        AND (released_at IS NULL OR let_go_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX departures_count_one_order ON departures (counted_order_id);
CREATE UNIQUE INDEX departures_one_signature ON departures (countersignature_id) WHERE countersignature_id IS NOT NULL;

-- The guards. The rows' own instants are compared, never the clock of the machine.
CREATE TRIGGER repairs_before_insert_1 BEFORE INSERT ON repairs WHEN
        NEW.state <> 'at-supplier' OR EXISTS (SELECT 1 FROM repairs x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet is sent to its supplier first (C5.4.5)'); END;
CREATE TRIGGER repairs_before_insert_2 BEFORE INSERT ON repairs WHEN
        EXISTS (SELECT 1 FROM repairs x WHERE x.tablet_id = NEW.tablet_id AND x.state <> 'back')
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: repairs.tablet_id'); END;
CREATE TRIGGER repairs_before_insert_3 BEFORE INSERT ON repairs WHEN
        NEW.loan_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id AND l.tablet_id = NEW.tablet_id AND l.suspension = 'repair')
    BEGIN SELECT RAISE(ABORT, 'ardoise: the loan of a tablet in repair rests (C5.3.1, C5.4.5)'); END;
CREATE TRIGGER repairs_before_insert_4 BEFORE INSERT ON repairs WHEN
        NEW.loan_id IS NULL AND EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = NEW.tablet_id AND l.state <> 'ended')
    BEGIN SELECT RAISE(ABORT, 'ardoise: the loan of a tablet in repair rests (C5.3.1, C5.4.5)'); END;
CREATE TRIGGER repairs_before_update_1 BEFORE UPDATE ON repairs WHEN
        NEW.id IS NOT OLD.id OR NEW.tablet_id IS NOT OLD.tablet_id OR NEW.loan_id IS NOT OLD.loan_id OR NEW.uai IS NOT OLD.uai OR NEW.reference IS NOT OLD.reference OR NEW.sent_at IS NOT OLD.sent_at OR NEW.sent_by IS NOT OLD.sent_by OR OLD.state <> 'at-supplier' OR (OLD.loaner_loan_id IS NOT NULL AND NEW.loaner_loan_id IS NOT OLD.loaner_loan_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a repair stays what it was, and is closed once (C5.4.5)'); END;
CREATE TRIGGER repairs_before_update_2 BEFORE UPDATE ON repairs WHEN
        NEW.loaner_loan_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM loans l JOIN loans m ON m.person_id = l.person_id WHERE l.id = NEW.loaner_loan_id AND m.id = NEW.loan_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: the loaner is lent to whoever held the tablet in repair (C5.3.1)'); END;
CREATE TRIGGER repairs_before_delete_1 BEFORE DELETE ON repairs WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a repair is closed, never deleted'); END;
CREATE TRIGGER transfers_before_insert_1 BEFORE INSERT ON transfers WHEN
        NEW.state <> 'proposed' OR EXISTS (SELECT 1 FROM transfers x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a transfer begins as a proposal'); END;
CREATE TRIGGER transfers_before_insert_2 BEFORE INSERT ON transfers WHEN
        EXISTS (SELECT 1 FROM transfers x WHERE x.tablet_id = NEW.tablet_id AND x.state = 'proposed')
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: transfers.tablet_id'); END;
CREATE TRIGGER transfers_before_insert_3 BEFORE INSERT ON transfers WHEN
        NOT EXISTS (SELECT 1 FROM tablets t WHERE t.id = NEW.tablet_id AND t.uai = NEW.from_uai)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet is given by the collège that it is of'); END;
CREATE TRIGGER transfers_before_update_1 BEFORE UPDATE ON transfers WHEN
        NEW.id IS NOT OLD.id OR NEW.tablet_id IS NOT OLD.tablet_id OR NEW.from_uai IS NOT OLD.from_uai OR NEW.to_uai IS NOT OLD.to_uai OR NEW.reason IS NOT OLD.reason OR NEW.proposed_at IS NOT OLD.proposed_at OR NEW.proposed_by IS NOT OLD.proposed_by OR OLD.state <> 'proposed' OR (OLD.given_by IS NOT NULL AND (NEW.given_by IS NOT OLD.given_by OR NEW.given_at IS NOT OLD.given_at)) OR (OLD.taken_by IS NOT NULL AND (NEW.taken_by IS NOT OLD.taken_by OR NEW.taken_at IS NOT OLD.taken_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a transfer stays what was proposed, and a consent whose it is'); END;
CREATE TRIGGER transfers_before_update_2 BEFORE UPDATE ON transfers WHEN
        NEW.state = 'done' AND OLD.state <> 'done'
        AND NOT EXISTS (SELECT 1 FROM tablets t WHERE t.id = NEW.tablet_id AND t.uai = NEW.from_uai)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet is given by the collège that it is of'); END;
CREATE TRIGGER transfers_before_delete_1 BEFORE DELETE ON transfers WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a transfer is withdrawn, never deleted'); END;
CREATE TRIGGER loan_years_before_insert_1 BEFORE INSERT ON loan_years WHEN
        EXISTS (SELECT 1 FROM loan_years x WHERE x.loan_id = NEW.loan_id AND x.school_year = NEW.school_year)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: loan_years.loan_id'); END;
CREATE TRIGGER loan_years_before_insert_2 BEFORE INSERT ON loan_years WHEN
        NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id AND l.holder_kind = 'pupil')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a word about a year is about a pupil (C5.1.2)'); END;
CREATE TRIGGER loan_years_before_update_1 BEFORE UPDATE ON loan_years WHEN
        NEW.loan_id IS NOT OLD.loan_id OR NEW.school_year IS NOT OLD.school_year
    BEGIN SELECT RAISE(ABORT, 'ardoise: a word about a year stays about that year (C5.1.2)'); END;
CREATE TRIGGER departures_before_insert_1 BEFORE INSERT ON departures WHEN
        EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = NEW.decision_id OR x.counted_order_id = NEW.counted_order_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: departures.decision_id'); END;
CREATE TRIGGER departures_before_insert_2 BEFORE INSERT ON departures WHEN
        NEW.order_id IS NOT NULL OR NEW.erased_at IS NOT NULL OR NEW.let_go_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM last_decisions d WHERE d.id = NEW.decision_id AND d.kind <> 'theft')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet leaves by a donation or a retirement, and nothing was done yet (C5.1.2)'); END;
CREATE TRIGGER departures_before_update_1 BEFORE UPDATE ON departures WHEN
        NEW.decision_id IS NOT OLD.decision_id OR NEW.counted_order_id IS NOT OLD.counted_order_id OR (OLD.erased_at IS NOT NULL AND (NEW.order_id IS NOT OLD.order_id OR NEW.erased_at IS NOT OLD.erased_at OR NEW.proof IS NOT OLD.proof OR NEW.proof_ref IS NOT OLD.proof_ref)) OR (OLD.let_go_at IS NOT NULL AND (NEW.let_go_at IS NOT OLD.let_go_at OR NEW.countersignature_id IS NOT OLD.countersignature_id)) OR (OLD.released_at IS NOT NULL AND (NEW.released_at IS NOT OLD.released_at OR NEW.released_by IS NOT OLD.released_by OR NEW.release_reference IS NOT OLD.release_reference OR NEW.lock_reference IS NOT OLD.lock_reference))
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was done on the way out stays done (C5.1.2)'); END;
CREATE TRIGGER departures_before_update_2 BEFORE UPDATE ON departures WHEN
        NEW.order_id IS NOT NULL AND NEW.order_id IS NOT OLD.order_id AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.order_id AND o.decision_id = NEW.decision_id AND o.state = 'open')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a departure names the open order that was given for its decision (M3)'); END;
CREATE TRIGGER departures_before_update_3 BEFORE UPDATE ON departures WHEN
        NEW.proof = 'reenrolled' AND OLD.proof IS NULL AND NOT EXISTS (SELECT 1 FROM enrolments e JOIN last_decisions d ON d.tablet_id = e.tablet_id JOIN commands c ON c.erase_order_id = NEW.order_id WHERE e.id = NEW.proof_ref AND d.id = NEW.decision_id AND e.state IN ('authenticated', 'active') AND c.state = 'acknowledged' AND ((e.authenticated_at > c.answered_at AND EXISTS (SELECT 1 FROM return_profiles p WHERE p.enrolment_id = e.id AND p.order_id = NEW.order_id)) OR (e.kind = 'automated' AND e.awaiting_configuration AND e.created_at > c.answered_at)))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an enrolment proves an erasure that the tablet acknowledged before, if only an erased tablet makes it (M3)'); END;
CREATE TRIGGER departures_before_update_4 BEFORE UPDATE ON departures WHEN
        NEW.let_go_at IS NOT NULL AND OLD.let_go_at IS NULL AND NOT EXISTS (SELECT 1 FROM last_decisions d JOIN countersignatures s ON s.id = NEW.countersignature_id WHERE d.id = NEW.decision_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL AND (d.kind = 'retirement' OR d.head_at IS NOT NULL) AND s.subject = 'tablet:' || d.tablet_id AND s.state = 'given' AND s.used_at IS NOT NULL AND s.purpose IN ('give-away', 'release-tablet'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: what cannot be undone takes a decision in force and a second person (C5.1.2)'); END;
CREATE TRIGGER departures_before_delete_1 BEFORE DELETE ON departures WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was done on the way out stays done (C5.1.2)'); END;
CREATE TRIGGER last_decisions_ends_update_1 BEFORE UPDATE ON last_decisions WHEN
        NEW.withdrawn_at IS NOT NULL AND OLD.withdrawn_at IS NULL AND EXISTS (SELECT 1 FROM departures x WHERE x.decision_id = NEW.id AND x.let_go_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that was let go does not come back by a decision (C5.1.2)'); END;
CREATE TRIGGER loans_ends_insert_1 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM repairs r WHERE r.tablet_id = NEW.tablet_id AND r.state <> 'back')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that its supplier has is lent to nobody (C5.4.5)'); END;
CREATE TRIGGER loans_ends_insert_2 BEFORE INSERT ON loans WHEN
        EXISTS (SELECT 1 FROM last_decisions d WHERE d.tablet_id = NEW.tablet_id AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL AND d.kind IN ('donation', 'retirement'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that is given away or retired is lent to nobody (C5.1.2)'); END;
CREATE TRIGGER loans_ends_update_1 BEFORE UPDATE ON loans WHEN
        OLD.suspension = 'repair' AND NEW.state IN ('lent', 'deposited', 'suspended') AND NEW.suspension IS NOT OLD.suspension AND EXISTS (SELECT 1 FROM repairs r WHERE r.loan_id = NEW.id AND r.state = 'at-supplier')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a loan rests until its tablet is back from the supplier (C5.4.5)'); END;
CREATE TRIGGER loans_ends_update_2 BEFORE UPDATE ON loans WHEN
        OLD.state = 'ended' AND NEW.state <> 'ended' AND EXISTS (SELECT 1 FROM repairs r WHERE r.tablet_id = NEW.tablet_id AND r.state <> 'back')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that its supplier has is held by nobody again (C5.4.5)'); END;
CREATE TRIGGER tablets_ends_update_1 BEFORE UPDATE ON tablets WHEN
        NEW.uai IS NOT OLD.uai AND OLD.uai IS NOT NULL AND (EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = NEW.id AND l.state <> 'ended') OR EXISTS (SELECT 1 FROM repairs r WHERE r.tablet_id = NEW.id AND r.state = 'at-supplier'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a tablet that is lent, or in repair, stays in its collège'); END;

-- Whether a change of a list speaks of everybody, or of a class: only the former says who has left (C9.1).
ALTER TABLE lists ADD COLUMN scope TEXT NOT NULL DEFAULT 'part' CONSTRAINT lists_scope CHECK (scope IN ('whole', 'part'));
CREATE TRIGGER lists_keep_their_scope BEFORE UPDATE ON lists WHEN
        NEW.scope IS NOT OLD.scope
    BEGIN SELECT RAISE(ABORT, 'ardoise: how much a list speaks of is what was signed (C4.2)'); END;
