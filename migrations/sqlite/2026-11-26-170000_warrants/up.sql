-- What follows from incidents, for SQLite: who looked at a position, who was to be told, what was confirmed after a restore,
-- and what was decided about a broken or missing tablet.

-- Each look at a position that was kept: who, and why (M1). It stays when the position cannot be read any more.
CREATE TABLE position_looks (
    id TEXT PRIMARY KEY NOT NULL,
    command_id TEXT NOT NULL REFERENCES positions (command_id),
    looked_by TEXT NOT NULL REFERENCES accounts (id),
    reason TEXT NOT NULL CONSTRAINT position_looks_reason CHECK (reason <> ''),
    looked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX position_looks_by_position ON position_looks (command_id, id);

-- Whom a warrant must be told to, when it opens and when it is over: the holder of the loan, or the guardians (M1, C7.1).
CREATE TABLE warrant_notices (
    warrant_id TEXT NOT NULL REFERENCES warrants (id),
    occasion TEXT NOT NULL CONSTRAINT warrant_notices_occasion CHECK (occasion IN ('opened', 'over')),
    loan_id TEXT REFERENCES loans (id),
    written_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL CONSTRAINT warrant_notices_due CHECK (due_at >= written_at),
    told_at INTEGER,
    PRIMARY KEY (warrant_id, occasion)
) STRICT, WITHOUT ROWID;
CREATE INDEX warrant_notices_to_tell ON warrant_notices (due_at, warrant_id) WHERE told_at IS NULL;

-- Until when an authority asked that nobody be told (M1).
CREATE TABLE notice_delays (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    until TEXT NOT NULL CONSTRAINT notice_delays_until CHECK (until LIKE '____-__-__'),
    reference TEXT NOT NULL CONSTRAINT notice_delays_reference CHECK (reference <> ''),
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (incident_id, recorded_at)
) STRICT, WITHOUT ROWID;

-- That an incident still stands, after a restore: until somebody says so, nothing new rests on it (M5).
CREATE TABLE incident_confirmations (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    restored_at INTEGER NOT NULL,
    confirmed_by TEXT NOT NULL REFERENCES accounts (id),
    confirmed_at INTEGER NOT NULL,
    PRIMARY KEY (incident_id, restored_at),
    CONSTRAINT incident_confirmations_later CHECK (confirmed_at >= restored_at)
) STRICT, WITHOUT ROWID;

-- What was found on a tablet, and whether the warranty covers it (C5.4.5).
CREATE TABLE warranty_verdicts (
    incident_id TEXT PRIMARY KEY NOT NULL REFERENCES incidents (id),
    finding TEXT NOT NULL CONSTRAINT warranty_verdicts_finding
        CHECK (finding IN ('nothing-of-the-user', 'shock-or-scratch', 'repair-by-the-user')),
    verdict TEXT NOT NULL CONSTRAINT warranty_verdicts_verdict
        CHECK (verdict IN ('covered', 'not-covered', 'does-not-arise')),
    judged_at INTEGER NOT NULL,
    judged_by TEXT NOT NULL REFERENCES accounts (id)
) STRICT, WITHOUT ROWID;

-- How the supplier names a repair, and the serial number of what came back, if it is another tablet (C5.4.5).
CREATE TABLE supplier_repairs (
    incident_id TEXT PRIMARY KEY NOT NULL REFERENCES incidents (id),
    reference TEXT NOT NULL CONSTRAINT supplier_repairs_reference CHECK (reference <> ''),
    exchanged_serial TEXT,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES accounts (id)
) STRICT, WITHOUT ROWID;

-- What the head decided: whether there is a replacement, and with which counterpart (C5.4.4).
CREATE TABLE replacements (
    incident_id TEXT PRIMARY KEY NOT NULL REFERENCES incidents (id),
    granted INTEGER NOT NULL,
    counterpart TEXT CONSTRAINT replacements_counterpart
        CHECK (counterpart IN ('no-donation', 'sum', 'stays-at-school')),
    sum_cents INTEGER CONSTRAINT replacements_sum_cents CHECK (sum_cents > 0),
    fixed_on TEXT CONSTRAINT replacements_fixed_on CHECK (fixed_on LIKE '____-__-__'),
    paid_on TEXT CONSTRAINT replacements_paid_on CHECK (paid_on LIKE '____-__-__'),
    decided_at INTEGER NOT NULL,
    decided_by TEXT NOT NULL REFERENCES accounts (id),
    CONSTRAINT replacements_sum CHECK (counterpart IS NULL AND sum_cents IS NULL AND fixed_on IS NULL AND paid_on IS NULL
        OR counterpart <> 'sum' AND sum_cents IS NULL AND fixed_on IS NULL AND paid_on IS NULL
        OR counterpart = 'sum' AND sum_cents IS NOT NULL AND fixed_on IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- Warrants whose time is over are looked for by it.
CREATE INDEX warrants_open ON warrants (expires_at) WHERE state = 'open';

-- What no statement may do, whatever program sends it.
CREATE TRIGGER position_looks_before_insert_1 BEFORE INSERT ON position_looks WHEN
        EXISTS (SELECT 1 FROM position_looks x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a look at a position is recorded once'); END;
CREATE TRIGGER position_looks_before_update_1 BEFORE UPDATE ON position_looks
    BEGIN SELECT RAISE(ABORT, 'ardoise: a look at a position stays recorded (M1)'); END;
CREATE TRIGGER position_looks_before_delete_1 BEFORE DELETE ON position_looks
    BEGIN SELECT RAISE(ABORT, 'ardoise: a look at a position stays recorded (M1)'); END;
CREATE TRIGGER warrant_notices_before_insert_1 BEFORE INSERT ON warrant_notices WHEN
        EXISTS (SELECT 1 FROM warrant_notices x WHERE x.warrant_id = NEW.warrant_id AND x.occasion = NEW.occasion)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant is told once when it opens, and once when it is over'); END;
CREATE TRIGGER warrant_notices_before_update_1 BEFORE UPDATE ON warrant_notices WHEN
        NEW.warrant_id IS NOT OLD.warrant_id OR NEW.occasion IS NOT OLD.occasion OR NEW.loan_id IS NOT OLD.loan_id OR NEW.written_at IS NOT OLD.written_at OR OLD.told_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice of a warrant is frozen, except that it is put off or told'); END;
CREATE TRIGGER warrant_notices_before_delete_1 BEFORE DELETE ON warrant_notices
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice of a warrant stays recorded (M1)'); END;
CREATE TRIGGER notice_delays_before_insert_1 BEFORE INSERT ON notice_delays WHEN
        EXISTS (SELECT 1 FROM notice_delays x WHERE x.incident_id = NEW.incident_id AND x.recorded_at = NEW.recorded_at)
        OR NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id AND i.kind = 'authority-request')
    BEGIN SELECT RAISE(ABORT, 'ardoise: only an authority delays a notice (M1)'); END;
CREATE TRIGGER notice_delays_before_update_1 BEFORE UPDATE ON notice_delays
    BEGIN SELECT RAISE(ABORT, 'ardoise: the delay that an authority asked for stays recorded'); END;
CREATE TRIGGER notice_delays_before_delete_1 BEFORE DELETE ON notice_delays
    BEGIN SELECT RAISE(ABORT, 'ardoise: the delay that an authority asked for stays recorded'); END;
CREATE TRIGGER incident_confirmations_before_insert_1 BEFORE INSERT ON incident_confirmations WHEN
        EXISTS (SELECT 1 FROM incident_confirmations x WHERE x.incident_id = NEW.incident_id AND x.restored_at = NEW.restored_at)
        OR COALESCE((SELECT CAST(s.value AS INTEGER) FROM settings s WHERE s.name = 'restored_at'), -1) <> NEW.restored_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is confirmed once after a restore (M5)'); END;
CREATE TRIGGER incident_confirmations_before_update_1 BEFORE UPDATE ON incident_confirmations
    BEGIN SELECT RAISE(ABORT, 'ardoise: who confirmed an incident stays recorded (M5)'); END;
CREATE TRIGGER incident_confirmations_before_delete_1 BEFORE DELETE ON incident_confirmations
    BEGIN SELECT RAISE(ABORT, 'ardoise: who confirmed an incident stays recorded (M5)'); END;
CREATE TRIGGER commands_of_confirmed_incidents_insert_1 BEFORE INSERT ON commands WHEN
        NEW.gate IN ('lost-mode', 'locate') AND EXISTS (SELECT 1 FROM incidents i
        WHERE i.id = COALESCE(NEW.incident_id, (SELECT w.incident_id FROM warrants w WHERE w.id = NEW.warrant_id))
        AND i.opened_at <= (SELECT CAST(s.value AS INTEGER) FROM settings s WHERE s.name = 'restored_at')
        AND NOT EXISTS (SELECT 1 FROM incident_confirmations c WHERE c.incident_id = i.id
        AND c.restored_at = (SELECT CAST(s.value AS INTEGER) FROM settings s WHERE s.name = 'restored_at')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: after a restore an incident is confirmed before anything rests on it (M5)'); END;
CREATE TRIGGER warrant_grants_of_confirmed_incidents_insert_1 BEFORE INSERT ON warrant_grants WHEN
        EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        WHERE w.id = NEW.warrant_id AND i.opened_at <= (SELECT CAST(s.value AS INTEGER) FROM settings s WHERE s.name = 'restored_at')
        AND NOT EXISTS (SELECT 1 FROM incident_confirmations c WHERE c.incident_id = i.id
        AND c.restored_at = (SELECT CAST(s.value AS INTEGER) FROM settings s WHERE s.name = 'restored_at')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: after a restore an incident is confirmed before anything rests on it (M5)'); END;
CREATE TRIGGER warranty_verdicts_before_insert_1 BEFORE INSERT ON warranty_verdicts WHEN
        EXISTS (SELECT 1 FROM warranty_verdicts x WHERE x.incident_id = NEW.incident_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warranty is judged once (C5.4.5)'); END;
CREATE TRIGGER warranty_verdicts_before_update_1 BEFORE UPDATE ON warranty_verdicts
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warranty is judged once (C5.4.5)'); END;
CREATE TRIGGER warranty_verdicts_before_delete_1 BEFORE DELETE ON warranty_verdicts
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warranty is judged once (C5.4.5)'); END;
CREATE TRIGGER replacements_before_insert_1 BEFORE INSERT ON replacements WHEN
        NEW.paid_on IS NOT NULL OR EXISTS (SELECT 1 FROM replacements x WHERE x.incident_id = NEW.incident_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a replacement is decided once, and its counterpart paid later (C5.4.4)'); END;
CREATE TRIGGER replacements_before_update_1 BEFORE UPDATE ON replacements WHEN
        NEW.incident_id IS NOT OLD.incident_id OR NEW.granted IS NOT OLD.granted OR NEW.counterpart IS NOT OLD.counterpart OR NEW.sum_cents IS NOT OLD.sum_cents OR NEW.fixed_on IS NOT OLD.fixed_on OR NEW.decided_at IS NOT OLD.decided_at OR NEW.decided_by IS NOT OLD.decided_by OR OLD.paid_on IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a decision on a replacement is frozen, except that its sum is paid (C5.4.4)'); END;
CREATE TRIGGER replacements_before_delete_1 BEFORE DELETE ON replacements
    BEGIN SELECT RAISE(ABORT, 'ardoise: a decision on a replacement stays recorded (C5.4.4)'); END;
