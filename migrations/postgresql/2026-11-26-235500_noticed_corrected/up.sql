-- When an incident was noticed in truth, where that was declared wrongly (C5.4.2). The declaration stays as it was made; the last
-- of these is what counts, and the clocks of its papers run from there.
CREATE TABLE noticed_corrections (
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident_declarations (id),
    number BIGINT NOT NULL CONSTRAINT noticed_corrections_number CHECK (number > 0),
    noticed_at BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL CONSTRAINT noticed_corrections_reason CHECK (reason <> ''),
    corrected_at BIGINT NOT NULL,
    corrected_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (incident_id, number)
);
CREATE FUNCTION noticed_corrections_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.number <> 1 + (SELECT COUNT(*) FROM noticed_corrections x WHERE x.incident_id = NEW.incident_id)) THEN
        RAISE EXCEPTION 'ardoise: when an incident was noticed is put right after what was said of it before';
    END IF;
    IF (EXISTS (SELECT 1 FROM incident_declarations d WHERE d.id = NEW.incident_id AND NEW.noticed_at > d.declared_at)) THEN
        RAISE EXCEPTION 'ardoise: an incident is noticed before it is declared';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER noticed_corrections_before_insert BEFORE INSERT ON noticed_corrections
    FOR EACH ROW EXECUTE FUNCTION noticed_corrections_before_insert();
CREATE TRIGGER noticed_corrections_before_update BEFORE UPDATE ON noticed_corrections
    FOR EACH ROW EXECUTE FUNCTION refuse('how it was put right when an incident was noticed stays recorded');
CREATE TRIGGER noticed_corrections_before_delete BEFORE DELETE ON noticed_corrections
    FOR EACH ROW EXECUTE FUNCTION refuse('how it was put right when an incident was noticed stays recorded');
CREATE TRIGGER noticed_corrections_before_truncate BEFORE TRUNCATE ON noticed_corrections
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
