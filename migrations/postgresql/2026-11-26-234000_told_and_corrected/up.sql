-- Who is told of a warrant by hand, papers of an incident that are put right, and when a warrant ended (M1, C5.4.2).

-- How somebody told it, who it was; neither for what a mail server took.
ALTER TABLE warrant_notices ADD COLUMN told_how TEXT COLLATE "C"
    CONSTRAINT warrant_notices_how CHECK (told_how IN ('letter', 'in-person'));
ALTER TABLE warrant_notices ADD COLUMN told_by TEXT COLLATE "C" REFERENCES accounts (id);
ALTER TABLE warrant_notices ADD CONSTRAINT warrant_notices_by_hand
    CHECK ((told_by IS NULL) = (told_how IS NULL) AND (told_by IS NULL OR told_at IS NOT NULL));
CREATE OR REPLACE FUNCTION warrant_notices_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.warrant_id IS DISTINCT FROM OLD.warrant_id OR NEW.occasion IS DISTINCT FROM OLD.occasion OR NEW.loan_id IS DISTINCT FROM OLD.loan_id OR NEW.written_at IS DISTINCT FROM OLD.written_at
        OR (OLD.told_at IS NOT NULL AND NOT (NEW.told_at IS NULL AND OLD.told_by IS NULL AND NEW.due_at = OLD.due_at
        AND EXISTS (SELECT 1 FROM mails m WHERE m.warrant_id = OLD.warrant_id AND m.occasion = OLD.occasion AND m.state = 'bounced')
        AND NOT EXISTS (SELECT 1 FROM mails m WHERE m.warrant_id = OLD.warrant_id AND m.occasion = OLD.occasion AND m.state = 'accepted')))) THEN
        RAISE EXCEPTION 'ardoise: a notice of a warrant is frozen, except that it is put off or told, or that its mail came back';
    END IF;
    RETURN NEW;
END $$;

-- When a warrant ended: it is told to whoever looks, and in refusals.
ALTER TABLE warrants ADD COLUMN ended_at BIGINT CONSTRAINT warrants_ended CHECK (ended_at IS NULL OR state = 'ended');
ALTER TABLE warrants DISABLE TRIGGER warrants_before_update;
UPDATE warrants SET ended_at = (SELECT n.written_at FROM warrant_notices n WHERE n.warrant_id = warrants.id AND n.occasion = 'over')
    WHERE state = 'ended';
ALTER TABLE warrants ENABLE TRIGGER warrants_before_update;

-- What is true instead of a paper that was recorded wrongly. The paper stays as it was recorded; the last of these is what
-- counts, and one without a reference says that there is no such paper.
CREATE TABLE paper_corrections (
    incident_id TEXT COLLATE "C" NOT NULL,
    paper TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL CONSTRAINT paper_corrections_number CHECK (number > 0),
    reference TEXT COLLATE "C" CONSTRAINT paper_corrections_reference CHECK (reference <> ''),
    dated TEXT COLLATE "C" CONSTRAINT paper_corrections_dated CHECK (dated LIKE '____-__-__'),
    station TEXT COLLATE "C" CONSTRAINT paper_corrections_station CHECK (station <> ''),
    reason TEXT COLLATE "C" NOT NULL CONSTRAINT paper_corrections_reason CHECK (reason <> ''),
    corrected_at BIGINT NOT NULL,
    corrected_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (incident_id, paper, number),
    FOREIGN KEY (incident_id, paper) REFERENCES incident_papers (incident_id, paper),
    CONSTRAINT paper_corrections_whole CHECK ((reference IS NULL) = (dated IS NULL)
        AND (station IS NOT NULL) = (paper = 'complaint' AND reference IS NOT NULL))
);
CREATE FUNCTION paper_corrections_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.number <> 1 + (SELECT COUNT(*) FROM paper_corrections x WHERE x.incident_id = NEW.incident_id AND x.paper = NEW.paper)) THEN
        RAISE EXCEPTION 'ardoise: a paper is put right after what was said of it before';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER paper_corrections_before_insert BEFORE INSERT ON paper_corrections
    FOR EACH ROW EXECUTE FUNCTION paper_corrections_before_insert();
CREATE TRIGGER paper_corrections_before_update BEFORE UPDATE ON paper_corrections
    FOR EACH ROW EXECUTE FUNCTION refuse('how a paper was put right stays recorded');
CREATE TRIGGER paper_corrections_before_delete BEFORE DELETE ON paper_corrections
    FOR EACH ROW EXECUTE FUNCTION refuse('how a paper was put right stays recorded');
CREATE TRIGGER paper_corrections_before_truncate BEFORE TRUNCATE ON paper_corrections
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();

-- A paper that was taken back makes no warrant firm.
CREATE OR REPLACE FUNCTION warrant_grants_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM warrant_grants x WHERE x.warrant_id = NEW.warrant_id)) THEN
        RAISE EXCEPTION 'ardoise: a warrant is granted once';
    END IF;
    IF (EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        JOIN incident_declarations d ON d.id = i.id WHERE w.id = NEW.warrant_id AND i.kind IN ('theft', 'loss')
        AND NOT EXISTS (SELECT 1 FROM incident_papers p WHERE p.incident_id = i.id
        AND p.paper = CASE i.kind WHEN 'theft' THEN 'complaint' ELSE 'letter' END
        AND NOT EXISTS (SELECT 1 FROM paper_corrections c WHERE c.incident_id = p.incident_id AND c.paper = p.paper
        AND c.reference IS NULL AND NOT EXISTS (SELECT 1 FROM paper_corrections l WHERE l.incident_id = c.incident_id
        AND l.paper = c.paper AND l.number > c.number)))
        AND (NEW.footing <> 'provisional' OR w.expires_at > d.declared_at + 172800000))) THEN
        RAISE EXCEPTION 'ardoise: without its paper a warrant is provisional, and ends 48 hours after the declaration (M1)';
    END IF;
    IF (CASE WHEN NEW.extends IS NULL THEN EXISTS (SELECT 1 FROM warrant_grants g
        JOIN warrants o ON o.id = g.warrant_id JOIN warrants w ON w.incident_id = o.incident_id
        WHERE w.id = NEW.warrant_id)
        ELSE NOT EXISTS (SELECT 1 FROM warrants o JOIN warrants w ON w.incident_id = o.incident_id
        JOIN warrant_grants g ON g.warrant_id = o.id
        WHERE w.id = NEW.warrant_id AND o.id = NEW.extends AND o.id <> w.id AND o.state = 'ended') END) THEN
        RAISE EXCEPTION 'ardoise: an incident has one warrant at a time: another extends the one before, which has ended (M1)';
    END IF;
    RETURN NEW;
END $$;
