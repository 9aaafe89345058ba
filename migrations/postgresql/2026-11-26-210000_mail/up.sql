-- Notices by mail, for PostgreSQL: each to one addressee, and each tried until a server takes it or refuses it for good.

-- To whom a notice goes; nobody in particular, if it is a letter to the household. Each addressee's counts by itself.
ALTER TABLE notices ADD COLUMN addressee TEXT COLLATE "C" CONSTRAINT notices_addressee
    CHECK (addressee IN ('user', 'guardian-1', 'guardian-2', 'guardian-3', 'guardian-4'));
DROP INDEX notices_once;
CREATE UNIQUE INDEX notices_once ON notices (loan_id, kind, occasion, channel, coalesce(addressee, ''));
CREATE FUNCTION notices_keep_their_addressee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.addressee IS DISTINCT FROM OLD.addressee THEN
        RAISE EXCEPTION 'ardoise: a notice stays what it says, and to whom';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notices_keep_their_addressee BEFORE UPDATE ON notices
    FOR EACH ROW EXECUTE FUNCTION notices_keep_their_addressee();

-- A notice on its way: of a loan, or of a warrant. What it says is written when it is sent, and to which address stands with
-- the person; here is only how far it came.
CREATE TABLE mails (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    -- Tells its return from others', and means nothing.
    token TEXT COLLATE "C" NOT NULL CONSTRAINT mails_token CHECK (length(token) = 32),
    person_id TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
    addressee TEXT COLLATE "C" NOT NULL CONSTRAINT mails_addressee
        CHECK (addressee IN ('user', 'guardian-1', 'guardian-2', 'guardian-3', 'guardian-4')),
    notice_id TEXT COLLATE "C" REFERENCES notices (id),
    warrant_id TEXT COLLATE "C",
    occasion TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL CONSTRAINT mails_state CHECK (state IN ('waiting', 'accepted', 'refused', 'given-up', 'bounced')),
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_until BIGINT,
    attempts INTEGER NOT NULL CONSTRAINT mails_attempts CHECK (attempts >= 0),
    -- Since when it is being handed to the server: whoever finds that set knows not whether it went.
    handing_at BIGINT,
    doubts INTEGER NOT NULL CONSTRAINT mails_doubts CHECK (doubts >= 0),
    reason TEXT COLLATE "C",
    ended_at BIGINT,
    FOREIGN KEY (warrant_id, occasion) REFERENCES warrant_notices (warrant_id, occasion),
    CONSTRAINT mails_about CHECK ((notice_id IS NULL) = (warrant_id IS NOT NULL) AND (warrant_id IS NULL) = (occasion IS NULL)),
    CONSTRAINT mails_ended CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX mails_one_of_a_notice ON mails (notice_id) WHERE notice_id IS NOT NULL;
CREATE UNIQUE INDEX mails_one_of_a_warrant ON mails (warrant_id, occasion, addressee) WHERE warrant_id IS NOT NULL;
CREATE UNIQUE INDEX mails_by_token ON mails (token);
CREATE INDEX mails_to_send ON mails (due_at, id) WHERE state = 'waiting';
CREATE INDEX mails_waiting ON mails (created_at) WHERE state = 'waiting';

CREATE FUNCTION mails_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'waiting' OR NEW.attempts <> 0 OR NEW.doubts <> 0 THEN
        RAISE EXCEPTION 'ardoise: a mail begins waiting';
    END IF;
    IF NEW.notice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM notices n JOIN loans l ON l.id = n.loan_id
        WHERE n.id = NEW.notice_id AND n.channel = 'mail' AND n.addressee = NEW.addressee AND l.person_id = NEW.person_id) THEN
        RAISE EXCEPTION 'ardoise: a mail goes to whom its notice is for';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mails_before_insert BEFORE INSERT ON mails FOR EACH ROW EXECUTE FUNCTION mails_before_insert();
CREATE FUNCTION mails_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.token IS DISTINCT FROM OLD.token OR NEW.person_id IS DISTINCT FROM OLD.person_id
        OR NEW.addressee IS DISTINCT FROM OLD.addressee OR NEW.notice_id IS DISTINCT FROM OLD.notice_id
        OR NEW.warrant_id IS DISTINCT FROM OLD.warrant_id OR NEW.occasion IS DISTINCT FROM OLD.occasion
        OR NEW.created_at IS DISTINCT FROM OLD.created_at THEN
        RAISE EXCEPTION 'ardoise: a mail stays what it says, and to whom';
    END IF;
    IF NEW.doubts < OLD.doubts OR NEW.attempts < OLD.attempts
        OR NOT (OLD.state = 'waiting' OR (OLD.state = 'accepted' AND NEW.state = 'bounced')) THEN
        RAISE EXCEPTION 'ardoise: a mail that ended is not sent again, and one that was taken can only come back (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mails_before_update BEFORE UPDATE ON mails FOR EACH ROW EXECUTE FUNCTION mails_before_update();
CREATE TRIGGER mails_before_delete BEFORE DELETE ON mails FOR EACH ROW EXECUTE FUNCTION refuse('what was said stays said');
CREATE TRIGGER mails_before_truncate BEFORE TRUNCATE ON mails
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
