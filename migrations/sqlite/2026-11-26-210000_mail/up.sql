-- Notices by mail, for SQLite: each to one addressee, and each tried until a server takes it or refuses it for good.

-- To whom a notice goes; nobody in particular, if it is a letter to the household. Each addressee's counts by itself.
ALTER TABLE notices ADD COLUMN addressee TEXT CONSTRAINT notices_addressee
    CHECK (addressee IN ('user', 'guardian-1', 'guardian-2', 'guardian-3', 'guardian-4'));
DROP INDEX notices_once;
CREATE UNIQUE INDEX notices_once ON notices (loan_id, kind, occasion, channel, coalesce(addressee, ''));
DROP TRIGGER notices_before_insert_2;
CREATE TRIGGER notices_before_insert_2 BEFORE INSERT ON notices WHEN
        EXISTS (SELECT 1 FROM notices n WHERE n.loan_id = NEW.loan_id AND n.kind = NEW.kind
        AND n.occasion = NEW.occasion AND n.channel = NEW.channel AND n.addressee IS NEW.addressee)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: notices.occasion'); END;
CREATE TRIGGER notices_before_update_3 BEFORE UPDATE ON notices WHEN
        NEW.addressee IS NOT OLD.addressee
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice stays what it says, and to whom'); END;

-- A notice on its way: of a loan, or of a warrant. What it says is written when it is sent, and to which address stands with
-- the person; here is only how far it came.
CREATE TABLE mails (
    id TEXT PRIMARY KEY NOT NULL,
    -- Tells its return from others', and means nothing.
    token TEXT NOT NULL CONSTRAINT mails_token CHECK (length(token) = 32),
    person_id TEXT NOT NULL REFERENCES persons (id),
    addressee TEXT NOT NULL CONSTRAINT mails_addressee
        CHECK (addressee IN ('user', 'guardian-1', 'guardian-2', 'guardian-3', 'guardian-4')),
    notice_id TEXT REFERENCES notices (id),
    warrant_id TEXT,
    occasion TEXT,
    state TEXT NOT NULL CONSTRAINT mails_state CHECK (state IN ('waiting', 'accepted', 'refused', 'given-up', 'bounced')),
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    lease_until INTEGER,
    attempts INTEGER NOT NULL CONSTRAINT mails_attempts CHECK (attempts >= 0),
    -- Since when it is being handed to the server: whoever finds that set knows not whether it went.
    handing_at INTEGER,
    doubts INTEGER NOT NULL CONSTRAINT mails_doubts CHECK (doubts >= 0),
    reason TEXT,
    ended_at INTEGER,
    FOREIGN KEY (warrant_id, occasion) REFERENCES warrant_notices (warrant_id, occasion),
    CONSTRAINT mails_about CHECK ((notice_id IS NULL) = (warrant_id IS NOT NULL) AND (warrant_id IS NULL) = (occasion IS NULL)),
    CONSTRAINT mails_ended CHECK ((state = 'waiting') = (ended_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX mails_one_of_a_notice ON mails (notice_id) WHERE notice_id IS NOT NULL;
CREATE UNIQUE INDEX mails_one_of_a_warrant ON mails (warrant_id, occasion, addressee) WHERE warrant_id IS NOT NULL;
CREATE UNIQUE INDEX mails_by_token ON mails (token);
CREATE INDEX mails_to_send ON mails (due_at, id) WHERE state = 'waiting';
CREATE INDEX mails_waiting ON mails (created_at) WHERE state = 'waiting';

CREATE TRIGGER mails_before_insert_1 BEFORE INSERT ON mails WHEN
        NEW.state <> 'waiting' OR NEW.attempts <> 0 OR NEW.doubts <> 0 OR EXISTS (SELECT 1 FROM mails m WHERE m.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a mail begins waiting'); END;
CREATE TRIGGER mails_before_insert_2 BEFORE INSERT ON mails WHEN
        EXISTS (SELECT 1 FROM mails m WHERE m.token = NEW.token OR m.notice_id = NEW.notice_id
        OR (m.warrant_id = NEW.warrant_id AND m.occasion = NEW.occasion AND m.addressee = NEW.addressee))
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: mails.notice_id'); END;
CREATE TRIGGER mails_before_insert_3 BEFORE INSERT ON mails WHEN
        NEW.notice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM notices n JOIN loans l ON l.id = n.loan_id
        WHERE n.id = NEW.notice_id AND n.channel = 'mail' AND n.addressee = NEW.addressee AND l.person_id = NEW.person_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a mail goes to whom its notice is for'); END;
CREATE TRIGGER mails_before_update_1 BEFORE UPDATE ON mails WHEN
        NEW.id IS NOT OLD.id OR NEW.token IS NOT OLD.token OR NEW.person_id IS NOT OLD.person_id
        OR NEW.addressee IS NOT OLD.addressee OR NEW.notice_id IS NOT OLD.notice_id OR NEW.warrant_id IS NOT OLD.warrant_id
        OR NEW.occasion IS NOT OLD.occasion OR NEW.created_at IS NOT OLD.created_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: a mail stays what it says, and to whom'); END;
CREATE TRIGGER mails_before_update_2 BEFORE UPDATE ON mails WHEN
        NEW.doubts < OLD.doubts OR NEW.attempts < OLD.attempts
        OR NOT (OLD.state = 'waiting' OR (OLD.state = 'accepted' AND NEW.state = 'bounced'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a mail that ended is not sent again, and one that was taken can only come back (M3)'); END;
CREATE TRIGGER mails_before_delete_1 BEFORE DELETE ON mails WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was said stays said'); END;
