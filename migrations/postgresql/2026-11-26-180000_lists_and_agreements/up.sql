-- The validated list, the agreements, and what follows from both. For PostgreSQL.

-- Names and contacts are sealed from now on. No version of the program wrote a person before this one.
ALTER TABLE persons DROP COLUMN name;
ALTER TABLE persons ADD COLUMN arrives_on TEXT COLLATE "C";
ALTER TABLE persons ADD COLUMN guardians INTEGER NOT NULL CONSTRAINT persons_guardians CHECK (guardians BETWEEN 0 AND 4);
ALTER TABLE persons ADD COLUMN name_sealed BYTEA;
ALTER TABLE persons ADD COLUMN contacts_sealed BYTEA;
ALTER TABLE persons ADD CONSTRAINT persons_are_forgotten_when_they_left CHECK (name_sealed IS NOT NULL
    OR (left_at IS NOT NULL AND class IS NULL AND contacts_sealed IS NULL));

-- A change of the list of a collège and year, as one: proposed, settled by the head, validated by the académie (C4.2).
-- What both sign is the digest of exactly its names.
CREATE TABLE lists (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    uai TEXT COLLATE "C" NOT NULL,
    school_year TEXT COLLATE "C" NOT NULL REFERENCES school_years (label),
    changes INTEGER NOT NULL CONSTRAINT lists_change_something CHECK (changes > 0),
    content_sha256 TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CONSTRAINT lists_state CHECK (state IN ('proposed', 'settled', 'validated', 'withdrawn')),
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    proposed_at BIGINT NOT NULL,
    settled_by TEXT COLLATE "C" REFERENCES accounts (id),
    settled_at BIGINT,
    settled_sha256 TEXT COLLATE "C",
    validated_by TEXT COLLATE "C" REFERENCES accounts (id),
    validated_at BIGINT,
    validated_sha256 TEXT COLLATE "C",
    withdrawn_at BIGINT,
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
);
CREATE INDEX lists_by_college ON lists (uai, id);
CREATE INDEX lists_withdrawn ON lists (withdrawn_at) WHERE withdrawn_at IS NOT NULL;
-- One change at a time: another would rest on names that this one is about to change.
CREATE UNIQUE INDEX lists_one_at_a_time ON lists (uai, school_year) WHERE state IN ('proposed', 'settled');

-- The names of such a change. What it says of them is sealed, and emptied when they are forgotten.
CREATE TABLE list_changes (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    list_id TEXT COLLATE "C" NOT NULL REFERENCES lists (id),
    person_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL CONSTRAINT list_changes_step CHECK (step IN ('set', 'remove')),
    kind TEXT COLLATE "C" CONSTRAINT list_changes_kind
        CHECK (kind IN ('pupil', 'teacher', 'head', 'deputy', 'segpa-director', 'cpe')),
    entry_sealed BYTEA,
    CONSTRAINT list_changes_set CHECK ((step = 'set') = (kind IS NOT NULL) AND (step = 'set' OR entry_sealed IS NULL))
);
CREATE UNIQUE INDEX list_changes_once ON list_changes (list_id, person_id);
CREATE INDEX list_changes_of_person ON list_changes (person_id, list_id);

-- The texts of the agreement, by school year: the one that was published last counts (C5.2.1, C9.1).
CREATE TABLE agreement_texts (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    school_year TEXT COLLATE "C" NOT NULL REFERENCES school_years (label),
    number INTEGER NOT NULL CONSTRAINT agreement_texts_are_counted CHECK (number > 0),
    title TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    body_sha256 TEXT COLLATE "C" NOT NULL,
    guardians_needed TEXT COLLATE "C" NOT NULL CONSTRAINT agreement_texts_guardians
        CHECK (guardians_needed IN ('one-without-opposition', 'all')),
    published_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    published_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX agreement_texts_by_year ON agreement_texts (school_year, number);

-- What somebody said to a text: signed, or opposed. The latest word of each counts.
CREATE TABLE signatures (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    text_id TEXT COLLATE "C" NOT NULL REFERENCES agreement_texts (id),
    person_id TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
    signatory TEXT COLLATE "C" NOT NULL,
    stance TEXT COLLATE "C" NOT NULL CONSTRAINT signatures_stance CHECK (stance IN ('signed', 'opposed')),
    signed_on TEXT COLLATE "C" NOT NULL,
    evidence_kind TEXT COLLATE "C" NOT NULL CONSTRAINT signatures_evidence CHECK (evidence_kind IN ('kept', 'scan')),
    evidence TEXT COLLATE "C" NOT NULL,
    recorded_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    recorded_at BIGINT NOT NULL
);
CREATE INDEX signatures_of_person ON signatures (person_id, text_id);

-- Measures: the use of a tablet is restricted until a day (C5.2.5). The misconduct is not recorded.
CREATE TABLE restrictions (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    loan_id TEXT COLLATE "C" NOT NULL REFERENCES loans (id),
    from_day TEXT COLLATE "C" NOT NULL,
    until_day TEXT COLLATE "C" NOT NULL,
    recorded_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    recorded_at BIGINT NOT NULL,
    lifted_at BIGINT,
    CONSTRAINT restrictions_end CHECK (from_day <= until_day)
);
CREATE INDEX restrictions_of_loan ON restrictions (loan_id, id);

-- Tablets that are not supervised, and that the département lets be lent nevertheless.
CREATE TABLE supervision_exceptions (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    reason TEXT COLLATE "C" NOT NULL,
    granted_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    granted_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX supervision_exceptions_one ON supervision_exceptions (tablet_id) WHERE ended_at IS NULL;

-- Where each lent tablet stands, as its configuration follows it: made anew from the loan by the calendar, never by hand.
CREATE TABLE tablet_modes (
    tablet_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES tablets (id),
    loan_id TEXT COLLATE "C" NOT NULL REFERENCES loans (id),
    uai TEXT COLLATE "C" NOT NULL,
    holder_kind TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CONSTRAINT tablet_modes_mode
        CHECK (mode IN ('take-home', 'in-school', 'deposit', 'restricted', 'lost')),
    since BIGINT NOT NULL,
    looked_on TEXT COLLATE "C"
);
CREATE INDEX tablet_modes_to_look_at ON tablet_modes (looked_on);
CREATE INDEX tablet_modes_by_college ON tablet_modes (uai);

-- The guards: the same as for SQLite. The rows' own instants are compared, never the clock of the machine.
CREATE OR REPLACE FUNCTION persons_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM persons x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a person is recorded once';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION persons_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.created_at IS DISTINCT FROM OLD.created_at OR NEW.kind IS DISTINCT FROM OLD.kind OR (OLD.name_sealed IS NULL AND NEW.name_sealed IS NOT NULL) THEN
        RAISE EXCEPTION 'ardoise: a person stays who they are, and whoever is forgotten stays so';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION lists_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'proposed' THEN
        RAISE EXCEPTION 'ardoise: a change of a list begins as a proposal (C4.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lists_before_insert BEFORE INSERT ON lists FOR EACH ROW EXECUTE FUNCTION lists_before_insert();
CREATE FUNCTION lists_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.uai IS DISTINCT FROM OLD.uai OR NEW.school_year IS DISTINCT FROM OLD.school_year OR NEW.changes IS DISTINCT FROM OLD.changes OR NEW.content_sha256 IS DISTINCT FROM OLD.content_sha256 OR NEW.proposed_by IS DISTINCT FROM OLD.proposed_by OR NEW.proposed_at IS DISTINCT FROM OLD.proposed_at THEN
        RAISE EXCEPTION 'ardoise: what was proposed is never changed: another change is another proposal (C4.2)';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state WHEN 'proposed' THEN NEW.state IN ('settled', 'withdrawn')
        WHEN 'settled' THEN NEW.state IN ('validated', 'withdrawn') ELSE FALSE END) THEN
        RAISE EXCEPTION 'ardoise: the head settles, then the académie validates (C4.2)';
    END IF;
    IF (OLD.settled_at IS NOT NULL AND (NEW.settled_by IS DISTINCT FROM OLD.settled_by OR NEW.settled_at IS DISTINCT FROM OLD.settled_at OR NEW.settled_sha256 IS DISTINCT FROM OLD.settled_sha256))
        OR (OLD.state IN ('validated', 'withdrawn') AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.validated_by IS DISTINCT FROM OLD.validated_by OR NEW.validated_at IS DISTINCT FROM OLD.validated_at OR NEW.validated_sha256 IS DISTINCT FROM OLD.validated_sha256 OR NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at OR NEW.settled_at IS DISTINCT FROM OLD.settled_at)) THEN
        RAISE EXCEPTION 'ardoise: a signature stays whose it is, and what is over stays so';
    END IF;
    IF NEW.state = 'settled' AND OLD.state = 'proposed' AND ((SELECT count(*) FROM list_changes c WHERE c.list_id = NEW.id) <> NEW.changes
        OR NEW.settled_at < NEW.proposed_at OR NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        JOIN role_grants g ON g.account_id = a.id WHERE a.id = NEW.settled_by AND a.state = 'active' AND o.uai = NEW.uai
        AND g.role = 'head' AND g.revoked_at IS NULL AND g.granted_at <= NEW.settled_at)) THEN
        RAISE EXCEPTION 'ardoise: a list is settled whole, by the head of its collège (C4.2)';
    END IF;
    IF NEW.state = 'validated' AND OLD.state = 'settled' AND ((SELECT count(*) FROM list_changes c WHERE c.list_id = NEW.id) <> NEW.changes
        OR NEW.validated_at < NEW.settled_at OR NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        JOIN role_grants g ON g.account_id = a.id WHERE a.id = NEW.validated_by AND a.state = 'active' AND o.kind = 'academie'
        AND g.role = 'approver' AND g.revoked_at IS NULL AND g.effective_at <= NEW.validated_at)) THEN
        RAISE EXCEPTION 'ardoise: a list is validated by somebody who approves for the académie, once the head settled it (C4.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lists_before_update BEFORE UPDATE ON lists FOR EACH ROW EXECUTE FUNCTION lists_before_update();
CREATE TRIGGER lists_before_delete BEFORE DELETE ON lists FOR EACH ROW EXECUTE FUNCTION refuse('a list stays to be read');
CREATE FUNCTION list_changes_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM lists l WHERE l.id = NEW.list_id AND l.state = 'proposed'
        AND l.changes > (SELECT count(*) FROM list_changes c WHERE c.list_id = NEW.list_id)) THEN
        RAISE EXCEPTION 'ardoise: nothing is added to a list that was proposed (C4.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER list_changes_before_insert BEFORE INSERT ON list_changes FOR EACH ROW EXECUTE FUNCTION list_changes_before_insert();
CREATE FUNCTION list_changes_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.list_id IS DISTINCT FROM OLD.list_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.step IS DISTINCT FROM OLD.step OR NEW.kind IS DISTINCT FROM OLD.kind OR (OLD.entry_sealed IS NULL AND NEW.entry_sealed IS NOT NULL) THEN
        RAISE EXCEPTION 'ardoise: what was proposed is never changed, and who is forgotten stays so (C4.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER list_changes_before_update BEFORE UPDATE ON list_changes FOR EACH ROW EXECUTE FUNCTION list_changes_before_update();
CREATE TRIGGER list_changes_before_delete BEFORE DELETE ON list_changes FOR EACH ROW EXECUTE FUNCTION refuse('a list stays to be read');
CREATE FUNCTION agreement_texts_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        WHERE a.id = NEW.published_by AND a.state = 'active' AND o.kind = 'departement') THEN
        RAISE EXCEPTION 'ardoise: a text of the agreement is published by the département (C5.2.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER agreement_texts_before_insert BEFORE INSERT ON agreement_texts FOR EACH ROW EXECUTE FUNCTION agreement_texts_before_insert();
CREATE TRIGGER agreement_texts_before_update BEFORE UPDATE ON agreement_texts FOR EACH ROW EXECUTE FUNCTION refuse('a text that was published stays what people sign: another is another text (C5.2.1)');
CREATE TRIGGER agreement_texts_before_delete BEFORE DELETE ON agreement_texts FOR EACH ROW EXECUTE FUNCTION refuse('a text that was published stays what people sign: another is another text (C5.2.1)');
CREATE FUNCTION signatures_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM persons p WHERE p.id = NEW.person_id AND p.name_sealed IS NOT NULL
        AND (NEW.signatory = 'user' OR p.kind = 'pupil')) THEN
        RAISE EXCEPTION 'ardoise: a user speaks, or a guardian of a pupil (C5.2.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signatures_before_insert BEFORE INSERT ON signatures FOR EACH ROW EXECUTE FUNCTION signatures_before_insert();
CREATE FUNCTION signatures_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.text_id IS DISTINCT FROM OLD.text_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.signatory IS DISTINCT FROM OLD.signatory OR NEW.stance IS DISTINCT FROM OLD.stance OR NEW.signed_on IS DISTINCT FROM OLD.signed_on OR NEW.evidence_kind IS DISTINCT FROM OLD.evidence_kind OR NEW.recorded_by IS DISTINCT FROM OLD.recorded_by OR NEW.recorded_at IS DISTINCT FROM OLD.recorded_at OR (NEW.evidence IS DISTINCT FROM OLD.evidence AND NEW.evidence <> '') THEN
        RAISE EXCEPTION 'ardoise: what somebody said stays said: they say something else in another signature (C5.2.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signatures_before_update BEFORE UPDATE ON signatures FOR EACH ROW EXECUTE FUNCTION signatures_before_update();
CREATE TRIGGER signatures_before_delete BEFORE DELETE ON signatures FOR EACH ROW EXECUTE FUNCTION refuse('what somebody said stays said: they say something else in another signature (C5.2.1)');
CREATE FUNCTION restrictions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.lifted_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM loans l WHERE l.id = NEW.loan_id AND l.state <> 'ended') THEN
        RAISE EXCEPTION 'ardoise: a measure is about a loan that goes on (C5.2.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER restrictions_before_insert BEFORE INSERT ON restrictions FOR EACH ROW EXECUTE FUNCTION restrictions_before_insert();
CREATE FUNCTION restrictions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.loan_id IS DISTINCT FROM OLD.loan_id OR NEW.from_day IS DISTINCT FROM OLD.from_day OR NEW.until_day IS DISTINCT FROM OLD.until_day OR NEW.recorded_by IS DISTINCT FROM OLD.recorded_by OR NEW.recorded_at IS DISTINCT FROM OLD.recorded_at OR OLD.lifted_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: a measure is lifted, and stays otherwise what it was (C5.2.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER restrictions_before_update BEFORE UPDATE ON restrictions FOR EACH ROW EXECUTE FUNCTION restrictions_before_update();
CREATE TRIGGER restrictions_before_delete BEFORE DELETE ON restrictions FOR EACH ROW EXECUTE FUNCTION refuse('a measure is lifted, and stays otherwise what it was (C5.2.5)');
CREATE FUNCTION supervision_exceptions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ended_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        WHERE a.id = NEW.granted_by AND a.state = 'active' AND o.kind = 'departement') THEN
        RAISE EXCEPTION 'ardoise: the département excepts a tablet from supervision, and nobody else';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER supervision_exceptions_before_insert BEFORE INSERT ON supervision_exceptions FOR EACH ROW EXECUTE FUNCTION supervision_exceptions_before_insert();
CREATE FUNCTION supervision_exceptions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.granted_by IS DISTINCT FROM OLD.granted_by OR NEW.granted_at IS DISTINCT FROM OLD.granted_at OR OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: an exception ends, and stays otherwise what it was';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER supervision_exceptions_before_update BEFORE UPDATE ON supervision_exceptions FOR EACH ROW EXECUTE FUNCTION supervision_exceptions_before_update();
CREATE TRIGGER supervision_exceptions_before_delete BEFORE DELETE ON supervision_exceptions FOR EACH ROW EXECUTE FUNCTION refuse('an exception ends, and stays otherwise what it was');
CREATE FUNCTION loans_are_made_to_listed_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM list_changes c JOIN lists l ON l.id = c.list_id WHERE c.person_id = NEW.person_id
        AND c.step = 'set' AND c.kind = NEW.holder_kind AND l.state = 'validated' AND l.uai = NEW.uai
        AND l.school_year = NEW.school_year AND l.validated_at <= NEW.began_at
        AND NOT EXISTS (SELECT 1 FROM list_changes d JOIN lists m ON m.id = d.list_id WHERE d.person_id = c.person_id
        AND m.state = 'validated' AND m.uai = l.uai AND m.school_year = l.school_year AND d.step = 'remove'
        AND (m.validated_at > l.validated_at OR (m.validated_at = l.validated_at AND m.id > l.id)))) THEN
        RAISE EXCEPTION 'ardoise: a loan is made to a person on the validated list of the collège and year (C4.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER loans_are_made_to_listed_people BEFORE INSERT ON loans FOR EACH ROW EXECUTE FUNCTION loans_are_made_to_listed_people();

-- TRUNCATE asks no trigger of rows.
CREATE TRIGGER lists_before_truncate BEFORE TRUNCATE ON lists
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER list_changes_before_truncate BEFORE TRUNCATE ON list_changes
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER agreement_texts_before_truncate BEFORE TRUNCATE ON agreement_texts
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER signatures_before_truncate BEFORE TRUNCATE ON signatures
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER restrictions_before_truncate BEFORE TRUNCATE ON restrictions
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER supervision_exceptions_before_truncate BEFORE TRUNCATE ON supervision_exceptions
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();

-- A donation waits for its notice, too: when its order is given, when the command is queued, and when it is sent.
CREATE FUNCTION donations_after_a_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = NEW.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over')
        AND n.counted_at + 86400000 <= NEW.not_before) THEN
        RAISE EXCEPTION 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER donations_after_a_notice BEFORE INSERT ON erase_orders FOR EACH ROW
    EXECUTE FUNCTION donations_after_a_notice();
CREATE FUNCTION donations_are_sent_after_a_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.cause = 'donation' AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = o.loan_id
        AND n.kind <> 'rules-changed' AND n.state IN ('accepted', 'handed-over'))) THEN
        RAISE EXCEPTION 'ardoise: nobody''s data is erased without notice, nor that of a tablet that is given away (C5.1.2, C5.3.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER donations_are_queued_after_a_notice BEFORE INSERT ON commands FOR EACH ROW
    WHEN (NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now'))
    EXECUTE FUNCTION donations_are_sent_after_a_notice();
CREATE TRIGGER donations_are_sent_after_a_notice BEFORE UPDATE ON commands FOR EACH ROW
    WHEN (NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
    AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at))
    EXECUTE FUNCTION donations_are_sent_after_a_notice();
