-- Who is told of a warrant by hand, papers of an incident that are put right, and when a warrant ended (M1, C5.4.2).

-- How somebody told it, who it was; neither for what a mail server took.
ALTER TABLE warrant_notices ADD COLUMN told_how TEXT
    CONSTRAINT warrant_notices_how CHECK (told_how IN ('letter', 'in-person'));
ALTER TABLE warrant_notices ADD COLUMN told_by TEXT REFERENCES accounts (id)
    CONSTRAINT warrant_notices_by_hand CHECK ((told_by IS NULL) = (told_how IS NULL) AND (told_by IS NULL OR told_at IS NOT NULL));
DROP TRIGGER warrant_notices_before_update_1;
CREATE TRIGGER warrant_notices_before_update_1 BEFORE UPDATE ON warrant_notices WHEN
        NEW.warrant_id IS NOT OLD.warrant_id OR NEW.occasion IS NOT OLD.occasion OR NEW.loan_id IS NOT OLD.loan_id OR NEW.written_at IS NOT OLD.written_at
        OR (OLD.told_at IS NOT NULL AND NOT (NEW.told_at IS NULL AND OLD.told_by IS NULL AND NEW.due_at IS OLD.due_at
        AND EXISTS (SELECT 1 FROM mails m WHERE m.warrant_id = OLD.warrant_id AND m.occasion = OLD.occasion AND m.state = 'bounced')
        AND NOT EXISTS (SELECT 1 FROM mails m WHERE m.warrant_id = OLD.warrant_id AND m.occasion = OLD.occasion AND m.state = 'accepted')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a notice of a warrant is frozen, except that it is put off or told, or that its mail came back'); END;

-- When a warrant ended: it is told to whoever looks, and in refusals.
ALTER TABLE warrants ADD COLUMN ended_at INTEGER CONSTRAINT warrants_ended CHECK (ended_at IS NULL OR state = 'ended');
DROP TRIGGER warrants_before_update_1;
UPDATE warrants SET ended_at = (SELECT n.written_at FROM warrant_notices n WHERE n.warrant_id = warrants.id AND n.occasion = 'over')
    WHERE state = 'ended';
CREATE TRIGGER warrants_before_update_1 BEFORE UPDATE ON warrants WHEN
        OLD.state = 'ended' OR NEW.id IS NOT OLD.id OR NEW.incident_id IS NOT OLD.incident_id OR
        NEW.tablet_id IS NOT OLD.tablet_id OR NEW.opens_at IS NOT OLD.opens_at OR
        NEW.expires_at IS NOT OLD.expires_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant is frozen, except towards its end'); END;

-- What is true instead of a paper that was recorded wrongly. The paper stays as it was recorded; the last of these is what
-- counts, and one without a reference says that there is no such paper.
CREATE TABLE paper_corrections (
    incident_id TEXT NOT NULL,
    paper TEXT NOT NULL,
    number INTEGER NOT NULL CONSTRAINT paper_corrections_number CHECK (number > 0),
    reference TEXT CONSTRAINT paper_corrections_reference CHECK (reference <> ''),
    dated TEXT CONSTRAINT paper_corrections_dated CHECK (dated LIKE '____-__-__'),
    station TEXT CONSTRAINT paper_corrections_station CHECK (station <> ''),
    reason TEXT NOT NULL CONSTRAINT paper_corrections_reason CHECK (reason <> ''),
    corrected_at INTEGER NOT NULL,
    corrected_by TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (incident_id, paper, number),
    FOREIGN KEY (incident_id, paper) REFERENCES incident_papers (incident_id, paper),
    CONSTRAINT paper_corrections_whole CHECK ((reference IS NULL) = (dated IS NULL)
        AND (station IS NOT NULL) = (paper = 'complaint' AND reference IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER paper_corrections_before_insert_1 BEFORE INSERT ON paper_corrections WHEN
        NEW.number <> 1 + (SELECT COUNT(*) FROM paper_corrections x WHERE x.incident_id = NEW.incident_id AND x.paper = NEW.paper)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a paper is put right after what was said of it before'); END;
CREATE TRIGGER paper_corrections_before_update_1 BEFORE UPDATE ON paper_corrections
    BEGIN SELECT RAISE(ABORT, 'ardoise: how a paper was put right stays recorded'); END;
CREATE TRIGGER paper_corrections_before_delete_1 BEFORE DELETE ON paper_corrections
    BEGIN SELECT RAISE(ABORT, 'ardoise: how a paper was put right stays recorded'); END;

-- A paper that was taken back makes no warrant firm.
DROP TRIGGER warrant_grants_before_insert_3;
CREATE TRIGGER warrant_grants_before_insert_3 BEFORE INSERT ON warrant_grants WHEN
        EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        JOIN incident_declarations d ON d.id = i.id WHERE w.id = NEW.warrant_id AND i.kind IN ('theft', 'loss')
        AND NOT EXISTS (SELECT 1 FROM incident_papers p WHERE p.incident_id = i.id
        AND p.paper = CASE i.kind WHEN 'theft' THEN 'complaint' ELSE 'letter' END
        AND NOT EXISTS (SELECT 1 FROM paper_corrections c WHERE c.incident_id = p.incident_id AND c.paper = p.paper
        AND c.reference IS NULL AND NOT EXISTS (SELECT 1 FROM paper_corrections l WHERE l.incident_id = c.incident_id
        AND l.paper = c.paper AND l.number > c.number)))
        AND (NEW.footing <> 'provisional' OR w.expires_at > d.declared_at + 172800000))
    BEGIN SELECT RAISE(ABORT, 'ardoise: without its paper a warrant is provisional, and ends 48 hours after the declaration (M1)'); END;
