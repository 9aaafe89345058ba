-- When an incident was noticed in truth, where that was declared wrongly (C5.4.2). The declaration stays as it was made; the last
-- of these is what counts, and the clocks of its papers run from there.
CREATE TABLE noticed_corrections (
    incident_id TEXT NOT NULL REFERENCES incident_declarations (id),
    number INTEGER NOT NULL CONSTRAINT noticed_corrections_number CHECK (number > 0),
    noticed_at INTEGER NOT NULL,
    reason TEXT NOT NULL CONSTRAINT noticed_corrections_reason CHECK (reason <> ''),
    corrected_at INTEGER NOT NULL,
    corrected_by TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (incident_id, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER noticed_corrections_before_insert_1 BEFORE INSERT ON noticed_corrections WHEN
        NEW.number <> 1 + (SELECT COUNT(*) FROM noticed_corrections x WHERE x.incident_id = NEW.incident_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: when an incident was noticed is put right after what was said of it before'); END;
CREATE TRIGGER noticed_corrections_before_insert_2 BEFORE INSERT ON noticed_corrections WHEN
        EXISTS (SELECT 1 FROM incident_declarations d WHERE d.id = NEW.incident_id AND NEW.noticed_at > d.declared_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is noticed before it is declared'); END;
CREATE TRIGGER noticed_corrections_before_update_1 BEFORE UPDATE ON noticed_corrections
    BEGIN SELECT RAISE(ABORT, 'ardoise: how it was put right when an incident was noticed stays recorded'); END;
CREATE TRIGGER noticed_corrections_before_delete_1 BEFORE DELETE ON noticed_corrections
    BEGIN SELECT RAISE(ABORT, 'ardoise: how it was put right when an incident was noticed stays recorded'); END;
