-- What follows from incidents, for PostgreSQL: who looked at a position, who was to be told, what was confirmed after a restore,
-- and what was decided about a broken or missing tablet.

-- Each look at a position that was kept: who, and why (M1). It stays when the position cannot be read any more.
CREATE TABLE position_looks (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    command_id TEXT COLLATE "C" NOT NULL REFERENCES positions (command_id),
    looked_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    reason TEXT COLLATE "C" NOT NULL CONSTRAINT position_looks_reason CHECK (reason <> ''),
    looked_at BIGINT NOT NULL
);
CREATE INDEX position_looks_by_position ON position_looks (command_id, id);

-- Whom a warrant must be told to, when it opens and when it is over: the holder of the loan, or the guardians (M1, C7.1).
CREATE TABLE warrant_notices (
    warrant_id TEXT COLLATE "C" NOT NULL REFERENCES warrants (id),
    occasion TEXT COLLATE "C" NOT NULL CONSTRAINT warrant_notices_occasion CHECK (occasion IN ('opened', 'over')),
    loan_id TEXT COLLATE "C" REFERENCES loans (id),
    written_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL CONSTRAINT warrant_notices_due CHECK (due_at >= written_at),
    told_at BIGINT,
    PRIMARY KEY (warrant_id, occasion)
);
CREATE INDEX warrant_notices_to_tell ON warrant_notices (due_at, warrant_id) WHERE told_at IS NULL;

-- Until when an authority asked that nobody be told (M1).
CREATE TABLE notice_delays (
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (id),
    until TEXT COLLATE "C" NOT NULL CONSTRAINT notice_delays_until CHECK (until LIKE '____-__-__'),
    reference TEXT COLLATE "C" NOT NULL CONSTRAINT notice_delays_reference CHECK (reference <> ''),
    recorded_at BIGINT NOT NULL,
    recorded_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (incident_id, recorded_at)
);

-- That an incident still stands, after a restore: until somebody says so, nothing new rests on it (M5).
CREATE TABLE incident_confirmations (
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (id),
    restored_at BIGINT NOT NULL,
    confirmed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    confirmed_at BIGINT NOT NULL,
    PRIMARY KEY (incident_id, restored_at),
    CONSTRAINT incident_confirmations_later CHECK (confirmed_at >= restored_at)
);

-- What was found on a tablet, and whether the warranty covers it (C5.4.5).
CREATE TABLE warranty_verdicts (
    incident_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES incidents (id),
    finding TEXT COLLATE "C" NOT NULL CONSTRAINT warranty_verdicts_finding
        CHECK (finding IN ('nothing-of-the-user', 'shock-or-scratch', 'repair-by-the-user')),
    verdict TEXT COLLATE "C" NOT NULL CONSTRAINT warranty_verdicts_verdict
        CHECK (verdict IN ('covered', 'not-covered', 'does-not-arise')),
    judged_at BIGINT NOT NULL,
    judged_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id)
);

-- How the supplier names a repair, and the serial number of what came back, if it is another tablet (C5.4.5).
CREATE TABLE supplier_repairs (
    incident_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES incidents (id),
    reference TEXT COLLATE "C" NOT NULL CONSTRAINT supplier_repairs_reference CHECK (reference <> ''),
    exchanged_serial TEXT COLLATE "C",
    recorded_at BIGINT NOT NULL,
    recorded_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id)
);

-- What the head decided: whether there is a replacement, and with which counterpart (C5.4.4).
CREATE TABLE replacements (
    incident_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES incidents (id),
    granted BOOLEAN NOT NULL,
    counterpart TEXT COLLATE "C" CONSTRAINT replacements_counterpart
        CHECK (counterpart IN ('no-donation', 'sum', 'stays-at-school')),
    sum_cents BIGINT CONSTRAINT replacements_sum_cents CHECK (sum_cents > 0),
    fixed_on TEXT COLLATE "C" CONSTRAINT replacements_fixed_on CHECK (fixed_on LIKE '____-__-__'),
    paid_on TEXT COLLATE "C" CONSTRAINT replacements_paid_on CHECK (paid_on LIKE '____-__-__'),
    decided_at BIGINT NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    CONSTRAINT replacements_sum CHECK (counterpart IS NULL AND sum_cents IS NULL AND fixed_on IS NULL AND paid_on IS NULL
        OR counterpart <> 'sum' AND sum_cents IS NULL AND fixed_on IS NULL AND paid_on IS NULL
        OR counterpart = 'sum' AND sum_cents IS NOT NULL AND fixed_on IS NOT NULL)
);

-- Warrants whose time is over are looked for by it.
CREATE INDEX warrants_open ON warrants (expires_at) WHERE state = 'open';

-- What no statement may do, whatever program sends it.
CREATE FUNCTION position_looks_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM position_looks x WHERE x.id = NEW.id)) THEN
        RAISE EXCEPTION 'ardoise: a look at a position is recorded once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER position_looks_before_insert BEFORE INSERT ON position_looks
    FOR EACH ROW EXECUTE FUNCTION position_looks_before_insert();
CREATE TRIGGER position_looks_before_update BEFORE UPDATE ON position_looks
    FOR EACH ROW EXECUTE FUNCTION refuse('a look at a position stays recorded (M1)');
CREATE TRIGGER position_looks_before_delete BEFORE DELETE ON position_looks
    FOR EACH ROW EXECUTE FUNCTION refuse('a look at a position stays recorded (M1)');
CREATE FUNCTION warrant_notices_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM warrant_notices x WHERE x.warrant_id = NEW.warrant_id AND x.occasion = NEW.occasion)) THEN
        RAISE EXCEPTION 'ardoise: a warrant is told once when it opens, and once when it is over';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER warrant_notices_before_insert BEFORE INSERT ON warrant_notices
    FOR EACH ROW EXECUTE FUNCTION warrant_notices_before_insert();
CREATE FUNCTION warrant_notices_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.warrant_id IS DISTINCT FROM OLD.warrant_id OR NEW.occasion IS DISTINCT FROM OLD.occasion OR NEW.loan_id IS DISTINCT FROM OLD.loan_id OR NEW.written_at IS DISTINCT FROM OLD.written_at OR OLD.told_at IS NOT NULL) THEN
        RAISE EXCEPTION 'ardoise: a notice of a warrant is frozen, except that it is put off or told';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER warrant_notices_before_update BEFORE UPDATE ON warrant_notices
    FOR EACH ROW EXECUTE FUNCTION warrant_notices_before_update();
CREATE TRIGGER warrant_notices_before_delete BEFORE DELETE ON warrant_notices
    FOR EACH ROW EXECUTE FUNCTION refuse('a notice of a warrant stays recorded (M1)');
CREATE FUNCTION notice_delays_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM notice_delays x WHERE x.incident_id = NEW.incident_id AND x.recorded_at = NEW.recorded_at)
        OR NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id AND i.kind = 'authority-request')) THEN
        RAISE EXCEPTION 'ardoise: only an authority delays a notice (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notice_delays_before_insert BEFORE INSERT ON notice_delays
    FOR EACH ROW EXECUTE FUNCTION notice_delays_before_insert();
CREATE TRIGGER notice_delays_before_update BEFORE UPDATE ON notice_delays
    FOR EACH ROW EXECUTE FUNCTION refuse('the delay that an authority asked for stays recorded');
CREATE TRIGGER notice_delays_before_delete BEFORE DELETE ON notice_delays
    FOR EACH ROW EXECUTE FUNCTION refuse('the delay that an authority asked for stays recorded');
CREATE FUNCTION incident_confirmations_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM incident_confirmations x WHERE x.incident_id = NEW.incident_id AND x.restored_at = NEW.restored_at)
        OR COALESCE((SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at'), -1) <> NEW.restored_at) THEN
        RAISE EXCEPTION 'ardoise: an incident is confirmed once after a restore (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_confirmations_before_insert BEFORE INSERT ON incident_confirmations
    FOR EACH ROW EXECUTE FUNCTION incident_confirmations_before_insert();
CREATE TRIGGER incident_confirmations_before_update BEFORE UPDATE ON incident_confirmations
    FOR EACH ROW EXECUTE FUNCTION refuse('who confirmed an incident stays recorded (M5)');
CREATE TRIGGER incident_confirmations_before_delete BEFORE DELETE ON incident_confirmations
    FOR EACH ROW EXECUTE FUNCTION refuse('who confirmed an incident stays recorded (M5)');
CREATE FUNCTION commands_of_confirmed_incidents_insert() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (NEW.gate IN ('lost-mode', 'locate') AND EXISTS (SELECT 1 FROM incidents i
        WHERE i.id = COALESCE(NEW.incident_id, (SELECT w.incident_id FROM warrants w WHERE w.id = NEW.warrant_id))
        AND i.opened_at <= (SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at')
        AND NOT EXISTS (SELECT 1 FROM incident_confirmations c WHERE c.incident_id = i.id
        AND c.restored_at = (SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at')))) THEN
        RAISE EXCEPTION 'ardoise: after a restore an incident is confirmed before anything rests on it (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_of_confirmed_incidents_insert BEFORE INSERT ON commands
    FOR EACH ROW EXECUTE FUNCTION commands_of_confirmed_incidents_insert();
CREATE FUNCTION warrant_grants_of_confirmed_incidents_insert() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        WHERE w.id = NEW.warrant_id AND i.opened_at <= (SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at')
        AND NOT EXISTS (SELECT 1 FROM incident_confirmations c WHERE c.incident_id = i.id
        AND c.restored_at = (SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at')))) THEN
        RAISE EXCEPTION 'ardoise: after a restore an incident is confirmed before anything rests on it (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER warrant_grants_of_confirmed_incidents_insert BEFORE INSERT ON warrant_grants
    FOR EACH ROW EXECUTE FUNCTION warrant_grants_of_confirmed_incidents_insert();
CREATE FUNCTION warranty_verdicts_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM warranty_verdicts x WHERE x.incident_id = NEW.incident_id)) THEN
        RAISE EXCEPTION 'ardoise: a warranty is judged once (C5.4.5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER warranty_verdicts_before_insert BEFORE INSERT ON warranty_verdicts
    FOR EACH ROW EXECUTE FUNCTION warranty_verdicts_before_insert();
CREATE TRIGGER warranty_verdicts_before_update BEFORE UPDATE ON warranty_verdicts
    FOR EACH ROW EXECUTE FUNCTION refuse('a warranty is judged once (C5.4.5)');
CREATE TRIGGER warranty_verdicts_before_delete BEFORE DELETE ON warranty_verdicts
    FOR EACH ROW EXECUTE FUNCTION refuse('a warranty is judged once (C5.4.5)');
CREATE FUNCTION replacements_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.paid_on IS NOT NULL OR EXISTS (SELECT 1 FROM replacements x WHERE x.incident_id = NEW.incident_id)) THEN
        RAISE EXCEPTION 'ardoise: a replacement is decided once, and its counterpart paid later (C5.4.4)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER replacements_before_insert BEFORE INSERT ON replacements
    FOR EACH ROW EXECUTE FUNCTION replacements_before_insert();
CREATE FUNCTION replacements_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.incident_id IS DISTINCT FROM OLD.incident_id OR NEW.granted IS DISTINCT FROM OLD.granted OR NEW.counterpart IS DISTINCT FROM OLD.counterpart OR NEW.sum_cents IS DISTINCT FROM OLD.sum_cents OR NEW.fixed_on IS DISTINCT FROM OLD.fixed_on OR NEW.decided_at IS DISTINCT FROM OLD.decided_at OR NEW.decided_by IS DISTINCT FROM OLD.decided_by OR OLD.paid_on IS NOT NULL) THEN
        RAISE EXCEPTION 'ardoise: a decision on a replacement is frozen, except that its sum is paid (C5.4.4)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER replacements_before_update BEFORE UPDATE ON replacements
    FOR EACH ROW EXECUTE FUNCTION replacements_before_update();
CREATE TRIGGER replacements_before_delete BEFORE DELETE ON replacements
    FOR EACH ROW EXECUTE FUNCTION refuse('a decision on a replacement stays recorded (C5.4.4)');
CREATE TRIGGER position_looks_before_truncate BEFORE TRUNCATE ON position_looks
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER warrant_notices_before_truncate BEFORE TRUNCATE ON warrant_notices
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER notice_delays_before_truncate BEFORE TRUNCATE ON notice_delays
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER incident_confirmations_before_truncate BEFORE TRUNCATE ON incident_confirmations
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER warranty_verdicts_before_truncate BEFORE TRUNCATE ON warranty_verdicts
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER replacements_before_truncate BEFORE TRUNCATE ON replacements
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
