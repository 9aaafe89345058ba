-- The validated list, the agreements, and what follows from both. For SQLite.

-- Names and contacts are sealed from now on. No version of the program wrote a person before this one.
DROP TABLE persons;
CREATE TABLE persons (
    id TEXT PRIMARY KEY NOT NULL,
    uai TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT persons_kind
        CHECK (kind IN ('pupil', 'teacher', 'head', 'deputy', 'segpa-director', 'cpe')),
    class TEXT,
    leaves_on TEXT,
    left_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    arrives_on TEXT,
    guardians INTEGER NOT NULL CONSTRAINT persons_guardians CHECK (guardians BETWEEN 0 AND 4),
    name_sealed BLOB,
    contacts_sealed BLOB,
    CONSTRAINT persons_are_forgotten_when_they_left CHECK (name_sealed IS NOT NULL
        OR (left_at IS NOT NULL AND class IS NULL AND contacts_sealed IS NULL))
) STRICT;
CREATE INDEX persons_by_college ON persons (uai, id);
CREATE INDEX persons_left ON persons (left_at) WHERE left_at IS NOT NULL;

-- A change of the list of a collège and year, as one: proposed, settled by the head, validated by the académie (C4.2).
-- What both sign is the digest of exactly its names.
CREATE TABLE lists (
    id TEXT PRIMARY KEY NOT NULL,
    uai TEXT NOT NULL,
    school_year TEXT NOT NULL REFERENCES school_years (label),
    changes INTEGER NOT NULL CONSTRAINT lists_change_something CHECK (changes > 0),
    content_sha256 TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT lists_state CHECK (state IN ('proposed', 'settled', 'validated', 'withdrawn')),
    proposed_by TEXT NOT NULL REFERENCES accounts (id),
    proposed_at INTEGER NOT NULL,
    settled_by TEXT REFERENCES accounts (id),
    settled_at INTEGER,
    settled_sha256 TEXT,
    validated_by TEXT REFERENCES accounts (id),
    validated_at INTEGER,
    validated_sha256 TEXT,
    withdrawn_at INTEGER,
    CONSTRAINT lists_settled CHECK ((settled_by IS NULL) = (settled_at IS NULL)
        AND (settled_at IS NULL) = (settled_sha256 IS NULL)
        AND (settled_sha256 IS NULL OR settled_sha256 = content_sha256)
        AND (state <> 'proposed' OR settled_at IS NULL) AND (state NOT IN ('settled', 'validated') OR settled_at IS NOT NULL)),
    CONSTRAINT lists_validated CHECK ((validated_by IS NULL) = (validated_at IS NULL)
        AND (validated_at IS NULL) = (validated_sha256 IS NULL)
        AND (validated_sha256 IS NULL OR validated_sha256 = content_sha256)
        AND (state = 'validated') = (validated_at IS NOT NULL)),
    CONSTRAINT lists_two_persons CHECK (settled_by IS NULL OR validated_by IS NULL OR settled_by <> validated_by),
    CONSTRAINT lists_withdrawn CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL))
) STRICT;
CREATE INDEX lists_by_college ON lists (uai, id);
CREATE INDEX lists_withdrawn ON lists (withdrawn_at) WHERE withdrawn_at IS NOT NULL;
-- One change at a time: another would rest on names that this one is about to change.
CREATE UNIQUE INDEX lists_one_at_a_time ON lists (uai, school_year) WHERE state IN ('proposed', 'settled');

-- The names of such a change. What it says of them is sealed, and emptied when they are forgotten.
CREATE TABLE list_changes (
    id TEXT PRIMARY KEY NOT NULL,
    list_id TEXT NOT NULL REFERENCES lists (id),
    person_id TEXT NOT NULL,
    step TEXT NOT NULL CONSTRAINT list_changes_step CHECK (step IN ('set', 'remove')),
    kind TEXT CONSTRAINT list_changes_kind
        CHECK (kind IN ('pupil', 'teacher', 'head', 'deputy', 'segpa-director', 'cpe')),
    entry_sealed BLOB,
    CONSTRAINT list_changes_set CHECK ((step = 'set') = (kind IS NOT NULL) AND (step = 'set' OR entry_sealed IS NULL))
) STRICT;
CREATE UNIQUE INDEX list_changes_once ON list_changes (list_id, person_id);
CREATE INDEX list_changes_of_person ON list_changes (person_id, list_id);

-- The texts of the agreement, by school year: the one that was published last counts (C5.2.1, C9.1).
CREATE TABLE agreement_texts (
    id TEXT PRIMARY KEY NOT NULL,
    school_year TEXT NOT NULL REFERENCES school_years (label),
    number INTEGER NOT NULL CONSTRAINT agreement_texts_are_counted CHECK (number > 0),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    guardians_needed TEXT NOT NULL CONSTRAINT agreement_texts_guardians
        CHECK (guardians_needed IN ('one-without-opposition', 'all')),
    published_by TEXT NOT NULL REFERENCES accounts (id),
    published_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX agreement_texts_by_year ON agreement_texts (school_year, number);

-- What somebody said to a text: signed, or opposed. The latest word of each counts.
CREATE TABLE signatures (
    id TEXT PRIMARY KEY NOT NULL,
    text_id TEXT NOT NULL REFERENCES agreement_texts (id),
    person_id TEXT NOT NULL REFERENCES persons (id),
    signatory TEXT NOT NULL,
    stance TEXT NOT NULL CONSTRAINT signatures_stance CHECK (stance IN ('signed', 'opposed')),
    signed_on TEXT NOT NULL,
    evidence_kind TEXT NOT NULL CONSTRAINT signatures_evidence CHECK (evidence_kind IN ('kept', 'scan')),
    evidence TEXT NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES accounts (id),
    recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX signatures_of_person ON signatures (person_id, text_id);

-- Measures: the use of a tablet is restricted until a day (C5.2.5). The misconduct is not recorded.
CREATE TABLE restrictions (
    id TEXT PRIMARY KEY NOT NULL,
    loan_id TEXT NOT NULL REFERENCES loans (id),
    from_day TEXT NOT NULL,
    until_day TEXT NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES accounts (id),
    recorded_at INTEGER NOT NULL,
    lifted_at INTEGER,
    CONSTRAINT restrictions_end CHECK (from_day <= until_day)
) STRICT;
CREATE INDEX restrictions_of_loan ON restrictions (loan_id, id);

-- Tablets that are not supervised, and that the département lets be lent nevertheless.
CREATE TABLE supervision_exceptions (
    id TEXT PRIMARY KEY NOT NULL,
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    reason TEXT NOT NULL,
    granted_by TEXT NOT NULL REFERENCES accounts (id),
    granted_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX supervision_exceptions_one ON supervision_exceptions (tablet_id) WHERE ended_at IS NULL;

-- Where each lent tablet stands, as its configuration follows it: made anew from the loan by the calendar, never by hand.
CREATE TABLE tablet_modes (
    tablet_id TEXT PRIMARY KEY NOT NULL REFERENCES tablets (id),
    loan_id TEXT NOT NULL REFERENCES loans (id),
    uai TEXT NOT NULL,
    holder_kind TEXT NOT NULL,
    mode TEXT NOT NULL CONSTRAINT tablet_modes_mode
        CHECK (mode IN ('take-home', 'in-school', 'deposit', 'restricted', 'lost')),
    since INTEGER NOT NULL,
    looked_on TEXT
) STRICT;
CREATE INDEX tablet_modes_to_look_at ON tablet_modes (looked_on);
CREATE INDEX tablet_modes_by_college ON tablet_modes (uai);

-- The guards: the same as for PostgreSQL. The rows' own instants are compared, never the clock of the machine.
CREATE TRIGGER persons_before_insert_1 BEFORE INSERT ON persons WHEN
        EXISTS (SELECT 1 FROM persons x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a person is recorded once'); END;
CREATE TRIGGER persons_before_update_1 BEFORE UPDATE ON persons WHEN
        NEW.id IS NOT OLD.id OR NEW.created_at IS NOT OLD.created_at OR NEW.kind IS NOT OLD.kind OR (OLD.name_sealed IS NULL AND NEW.name_sealed IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a person stays who they are, and whoever is forgotten stays so'); END;
CREATE TRIGGER persons_before_delete_1 BEFORE DELETE ON persons WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a person is forgotten, never deleted: the number stays where a loan names it'); END;
CREATE TRIGGER lists_before_insert_1 BEFORE INSERT ON lists WHEN
        EXISTS (SELECT 1 FROM lists x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: lists.id'); END;
CREATE TRIGGER lists_before_insert_2 BEFORE INSERT ON lists WHEN
        EXISTS (SELECT 1 FROM lists x WHERE x.uai = NEW.uai AND x.school_year = NEW.school_year
        AND x.state IN ('proposed', 'settled'))
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: lists.school_year'); END;
CREATE TRIGGER lists_before_insert_3 BEFORE INSERT ON lists WHEN
        NEW.state <> 'proposed'
    BEGIN SELECT RAISE(ABORT, 'ardoise: a change of a list begins as a proposal (C4.2)'); END;
CREATE TRIGGER lists_before_update_1 BEFORE UPDATE ON lists WHEN
        NEW.id IS NOT OLD.id OR NEW.uai IS NOT OLD.uai OR NEW.school_year IS NOT OLD.school_year OR NEW.changes IS NOT OLD.changes OR NEW.content_sha256 IS NOT OLD.content_sha256 OR NEW.proposed_by IS NOT OLD.proposed_by OR NEW.proposed_at IS NOT OLD.proposed_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was proposed is never changed: another change is another proposal (C4.2)'); END;
CREATE TRIGGER lists_before_update_2 BEFORE UPDATE ON lists WHEN
        NEW.state <> OLD.state AND NOT (CASE OLD.state WHEN 'proposed' THEN NEW.state IN ('settled', 'withdrawn')
        WHEN 'settled' THEN NEW.state IN ('validated', 'withdrawn') ELSE FALSE END)
    BEGIN SELECT RAISE(ABORT, 'ardoise: the head settles, then the académie validates (C4.2)'); END;
CREATE TRIGGER lists_before_update_3 BEFORE UPDATE ON lists WHEN
        (OLD.settled_at IS NOT NULL AND (NEW.settled_by IS NOT OLD.settled_by OR NEW.settled_at IS NOT OLD.settled_at OR NEW.settled_sha256 IS NOT OLD.settled_sha256))
        OR (OLD.state IN ('validated', 'withdrawn') AND (NEW.state IS NOT OLD.state OR NEW.validated_by IS NOT OLD.validated_by OR NEW.validated_at IS NOT OLD.validated_at OR NEW.validated_sha256 IS NOT OLD.validated_sha256 OR NEW.withdrawn_at IS NOT OLD.withdrawn_at OR NEW.settled_at IS NOT OLD.settled_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a signature stays whose it is, and what is over stays so'); END;
CREATE TRIGGER lists_before_update_4 BEFORE UPDATE ON lists WHEN
        NEW.state = 'settled' AND OLD.state = 'proposed' AND ((SELECT count(*) FROM list_changes c WHERE c.list_id = NEW.id) <> NEW.changes
        OR NEW.settled_at < NEW.proposed_at OR NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        JOIN role_grants g ON g.account_id = a.id WHERE a.id = NEW.settled_by AND a.state = 'active' AND o.uai = NEW.uai
        AND g.role = 'head' AND g.revoked_at IS NULL AND g.granted_at <= NEW.settled_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a list is settled whole, by the head of its collège (C4.2)'); END;
CREATE TRIGGER lists_before_update_5 BEFORE UPDATE ON lists WHEN
        NEW.state = 'validated' AND OLD.state = 'settled' AND ((SELECT count(*) FROM list_changes c WHERE c.list_id = NEW.id) <> NEW.changes
        OR NEW.validated_at < NEW.settled_at OR NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        JOIN role_grants g ON g.account_id = a.id WHERE a.id = NEW.validated_by AND a.state = 'active' AND o.kind = 'academie'
        AND g.role = 'approver' AND g.revoked_at IS NULL AND g.effective_at <= NEW.validated_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a list is validated by somebody who approves for the académie, once the head settled it (C4.2)'); END;
CREATE TRIGGER lists_before_delete_1 BEFORE DELETE ON lists WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a list stays to be read'); END;
CREATE TRIGGER list_changes_before_insert_1 BEFORE INSERT ON list_changes WHEN
        EXISTS (SELECT 1 FROM list_changes x WHERE x.id = NEW.id OR (x.list_id = NEW.list_id AND x.person_id = NEW.person_id))
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: list_changes.person_id'); END;
CREATE TRIGGER list_changes_before_insert_2 BEFORE INSERT ON list_changes WHEN
        NOT EXISTS (SELECT 1 FROM lists l WHERE l.id = NEW.list_id AND l.state = 'proposed'
        AND l.changes > (SELECT count(*) FROM list_changes c WHERE c.list_id = NEW.list_id))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nothing is added to a list that was proposed (C4.2)'); END;
CREATE TRIGGER list_changes_before_update_1 BEFORE UPDATE ON list_changes WHEN
        NEW.id IS NOT OLD.id OR NEW.list_id IS NOT OLD.list_id OR NEW.person_id IS NOT OLD.person_id OR NEW.step IS NOT OLD.step OR NEW.kind IS NOT OLD.kind OR (OLD.entry_sealed IS NULL AND NEW.entry_sealed IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was proposed is never changed, and who is forgotten stays so (C4.2)'); END;
CREATE TRIGGER list_changes_before_delete_1 BEFORE DELETE ON list_changes WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a list stays to be read'); END;
CREATE TRIGGER agreement_texts_before_insert_1 BEFORE INSERT ON agreement_texts WHEN
        EXISTS (SELECT 1 FROM agreement_texts x WHERE x.id = NEW.id OR (x.school_year = NEW.school_year AND x.number = NEW.number))
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: agreement_texts.number'); END;
CREATE TRIGGER agreement_texts_before_insert_2 BEFORE INSERT ON agreement_texts WHEN
        NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        WHERE a.id = NEW.published_by AND a.state = 'active' AND o.kind = 'departement')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a text of the agreement is published by the département (C5.2.1)'); END;
CREATE TRIGGER agreement_texts_before_update_1 BEFORE UPDATE ON agreement_texts WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a text that was published stays what people sign: another is another text (C5.2.1)'); END;
CREATE TRIGGER agreement_texts_before_delete_1 BEFORE DELETE ON agreement_texts WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a text that was published stays what people sign: another is another text (C5.2.1)'); END;
CREATE TRIGGER signatures_before_insert_1 BEFORE INSERT ON signatures WHEN
        EXISTS (SELECT 1 FROM signatures x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: signatures.id'); END;
CREATE TRIGGER signatures_before_insert_2 BEFORE INSERT ON signatures WHEN
        NOT EXISTS (SELECT 1 FROM persons p WHERE p.id = NEW.person_id AND p.name_sealed IS NOT NULL
        AND (NEW.signatory = 'user' OR p.kind = 'pupil'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a user speaks, or a guardian of a pupil (C5.2.1)'); END;
CREATE TRIGGER signatures_before_update_1 BEFORE UPDATE ON signatures WHEN
        NEW.id IS NOT OLD.id OR NEW.text_id IS NOT OLD.text_id OR NEW.person_id IS NOT OLD.person_id OR NEW.signatory IS NOT OLD.signatory OR NEW.stance IS NOT OLD.stance OR NEW.signed_on IS NOT OLD.signed_on OR NEW.evidence_kind IS NOT OLD.evidence_kind OR NEW.recorded_by IS NOT OLD.recorded_by OR NEW.recorded_at IS NOT OLD.recorded_at OR (NEW.evidence IS NOT OLD.evidence AND NEW.evidence <> '')
    BEGIN SELECT RAISE(ABORT, 'ardoise: what somebody said stays said: they say something else in another signature (C5.2.1)'); END;
CREATE TRIGGER signatures_before_delete_1 BEFORE DELETE ON signatures WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: what somebody said stays said: they say something else in another signature (C5.2.1)'); END;
CREATE TRIGGER restrictions_before_insert_1 BEFORE INSERT ON restrictions WHEN
        EXISTS (SELECT 1 FROM restrictions x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: restrictions.id'); END;
CREATE TRIGGER restrictions_before_insert_2 BEFORE INSERT ON restrictions WHEN
        NEW.lifted_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id AND l.state <> 'ended')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a measure is about a loan that goes on (C5.2.5)'); END;
CREATE TRIGGER restrictions_before_update_1 BEFORE UPDATE ON restrictions WHEN
        NEW.id IS NOT OLD.id OR NEW.loan_id IS NOT OLD.loan_id OR NEW.from_day IS NOT OLD.from_day OR NEW.until_day IS NOT OLD.until_day OR NEW.recorded_by IS NOT OLD.recorded_by OR NEW.recorded_at IS NOT OLD.recorded_at OR OLD.lifted_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a measure is lifted, and stays otherwise what it was (C5.2.5)'); END;
CREATE TRIGGER restrictions_before_delete_1 BEFORE DELETE ON restrictions WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a measure is lifted, and stays otherwise what it was (C5.2.5)'); END;
CREATE TRIGGER supervision_exceptions_before_insert_1 BEFORE INSERT ON supervision_exceptions WHEN
        EXISTS (SELECT 1 FROM supervision_exceptions x WHERE x.id = NEW.id OR (x.tablet_id = NEW.tablet_id AND x.ended_at IS NULL))
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: supervision_exceptions.tablet_id'); END;
CREATE TRIGGER supervision_exceptions_before_insert_2 BEFORE INSERT ON supervision_exceptions WHEN
        NEW.ended_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        WHERE a.id = NEW.granted_by AND a.state = 'active' AND o.kind = 'departement')
    BEGIN SELECT RAISE(ABORT, 'ardoise: the département excepts a tablet from supervision, and nobody else'); END;
CREATE TRIGGER supervision_exceptions_before_update_1 BEFORE UPDATE ON supervision_exceptions WHEN
        NEW.id IS NOT OLD.id OR NEW.tablet_id IS NOT OLD.tablet_id OR NEW.reason IS NOT OLD.reason OR NEW.granted_by IS NOT OLD.granted_by OR NEW.granted_at IS NOT OLD.granted_at OR OLD.ended_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: an exception ends, and stays otherwise what it was'); END;
CREATE TRIGGER supervision_exceptions_before_delete_1 BEFORE DELETE ON supervision_exceptions WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: an exception ends, and stays otherwise what it was'); END;
CREATE TRIGGER loans_before_insert_7 BEFORE INSERT ON loans WHEN
        NOT EXISTS (SELECT 1 FROM list_changes c JOIN lists l ON l.id = c.list_id WHERE c.person_id = NEW.person_id
        AND c.step = 'set' AND c.kind = NEW.holder_kind AND l.state = 'validated' AND l.uai = NEW.uai
        AND l.school_year = NEW.school_year AND l.validated_at <= NEW.began_at
        AND NOT EXISTS (SELECT 1 FROM list_changes d JOIN lists m ON m.id = d.list_id WHERE d.person_id = c.person_id
        AND m.state = 'validated' AND m.uai = l.uai AND m.school_year = l.school_year AND d.step = 'remove'
        AND (m.validated_at > l.validated_at OR (m.validated_at = l.validated_at AND m.id > l.id))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a loan is made to a person on the validated list of the collège and year (C4.2)'); END;

-- A donation waits for its notice, too: when its order is given, when the command is queued, and when it is sent.
CREATE TRIGGER donations_after_a_notice_1 BEFORE INSERT ON erase_orders WHEN
        NEW.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = NEW.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before)
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
CREATE TRIGGER donations_after_a_notice_2 BEFORE INSERT ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now') AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
CREATE TRIGGER donations_after_a_notice_3 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at) AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)'); END;
