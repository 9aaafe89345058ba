-- Incidents, for SQLite: how they are declared and how far they have come, their papers, who granted a warrant, each
-- request for a position and what became of it, and where lost mode stands.

-- How an incident was declared, and how far it has come: `incidents` says whether it is open, which is what commands
-- rest on; here stands the rest (C5.4.2). One that was closed too soon goes on in another, which names it.
CREATE TABLE incident_declarations (
    id TEXT PRIMARY KEY NOT NULL REFERENCES incidents (id),
    uai TEXT NOT NULL,
    noticed_at INTEGER NOT NULL,
    declared_at INTEGER NOT NULL,
    declared_by TEXT NOT NULL REFERENCES accounts (id),
    circumstances_sealed BLOB,
    authority_reference TEXT,
    reopens TEXT REFERENCES incidents (id),
    stage TEXT NOT NULL CONSTRAINT incident_declarations_stage
        CHECK (stage IN ('declared', 'in-progress', 'found', 'not-found', 'closed')),
    stage_at INTEGER NOT NULL,
    CONSTRAINT incident_declarations_noticed CHECK (noticed_at <= declared_at AND declared_at <= stage_at)
) STRICT, WITHOUT ROWID;
-- An incident is reopened once; the next time, what it went on in is.
CREATE UNIQUE INDEX incident_declarations_go_on_once ON incident_declarations (reopens) WHERE reopens IS NOT NULL;
CREATE INDEX incidents_by_tablet ON incidents (tablet_id, id);
CREATE INDEX incidents_open ON incidents (id) WHERE state = 'open';

-- The papers of an incident (C5.4.2): the letter, and after a theft the complaint.
CREATE TABLE incident_papers (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    paper TEXT NOT NULL CONSTRAINT incident_papers_paper CHECK (paper IN ('letter', 'complaint')),
    reference TEXT NOT NULL CONSTRAINT incident_papers_reference CHECK (reference <> ''),
    dated TEXT NOT NULL CONSTRAINT incident_papers_dated CHECK (dated LIKE '____-__-__'),
    station TEXT,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (incident_id, paper),
    CONSTRAINT incident_papers_station CHECK ((paper = 'complaint') = (station IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- How often and how closely a warrant lets a tablet be located (M1).
ALTER TABLE warrants ADD COLUMN fixes INTEGER NOT NULL DEFAULT 1
    CONSTRAINT warrants_fixes CHECK (fixes BETWEEN 1 AND 24);
ALTER TABLE warrants ADD COLUMN interval_ms INTEGER NOT NULL DEFAULT 900000
    CONSTRAINT warrants_interval CHECK (interval_ms >= 300000);

-- Who asked for a warrant, and which other person granted it. Without this row it lets nobody locate.
CREATE TABLE warrant_grants (
    warrant_id TEXT PRIMARY KEY NOT NULL REFERENCES warrants (id),
    author TEXT NOT NULL REFERENCES accounts (id),
    second TEXT NOT NULL REFERENCES accounts (id),
    reason TEXT NOT NULL CONSTRAINT warrant_grants_reason CHECK (reason <> ''),
    validation_id TEXT NOT NULL REFERENCES privacy_validations (id),
    footing TEXT NOT NULL CONSTRAINT warrant_grants_footing CHECK (footing IN ('firm', 'provisional')),
    extends TEXT REFERENCES warrants (id),
    CONSTRAINT warrant_grants_two_persons CHECK (author <> second)
) STRICT, WITHOUT ROWID;
CREATE INDEX warrants_by_incident ON warrants (incident_id, id);
CREATE INDEX commands_by_warrant ON commands (warrant_id) WHERE warrant_id IS NOT NULL;

-- Each request for a position: who, why, and what became of it. Never where.
CREATE TABLE position_requests (
    command_id TEXT PRIMARY KEY NOT NULL REFERENCES commands (id),
    warrant_id TEXT NOT NULL REFERENCES warrants (id),
    asked_by TEXT NOT NULL REFERENCES accounts (id),
    reason TEXT NOT NULL CONSTRAINT position_requests_reason CHECK (reason <> ''),
    asked_at INTEGER NOT NULL,
    outcome TEXT NOT NULL CONSTRAINT position_requests_outcome
        CHECK (outcome IN ('awaited', 'kept', 'dropped', 'cancelled')),
    why TEXT,
    outcome_at INTEGER,
    CONSTRAINT position_requests_over CHECK ((outcome = 'awaited') = (outcome_at IS NULL)),
    CONSTRAINT position_requests_why CHECK ((outcome IN ('dropped', 'cancelled')) = (why IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX position_requests_by_warrant ON position_requests (warrant_id, command_id);

-- Where a tablet was, sealed with the key of its incident, which stands outside the database (M2).
CREATE TABLE positions (
    command_id TEXT PRIMARY KEY NOT NULL REFERENCES position_requests (command_id),
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    sealed BLOB NOT NULL,
    kept_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX positions_by_incident ON positions (incident_id, command_id);

-- Where lost mode stands on a tablet, by what it said last.
CREATE TABLE lost_modes (
    tablet_id TEXT PRIMARY KEY NOT NULL REFERENCES tablets (id),
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    state TEXT NOT NULL CONSTRAINT lost_modes_state CHECK (state IN ('off', 'asked', 'on', 'refused', 'ending')),
    since INTEGER NOT NULL,
    message TEXT,
    phone TEXT,
    footnote TEXT,
    CONSTRAINT lost_modes_show_something CHECK (message IS NOT NULL OR phone IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- What no statement may do, whatever program sends it. The rows' own instants are compared, never the clock.
CREATE TRIGGER incident_declarations_before_insert_1 BEFORE INSERT ON incident_declarations WHEN
        EXISTS (SELECT 1 FROM incident_declarations x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is declared once'); END;
CREATE TRIGGER incident_declarations_before_insert_2 BEFORE INSERT ON incident_declarations WHEN
        NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.id AND i.state = 'open'
        AND i.opened_at = NEW.stage_at AND (i.kind <> 'authority-request' OR trim(NEW.authority_reference) <> '')
        AND CASE WHEN NEW.reopens IS NULL THEN NEW.declared_at = i.opened_at AND NEW.stage = 'declared'
        ELSE NEW.stage = 'in-progress' AND EXISTS (SELECT 1 FROM incidents o
        JOIN incident_declarations d ON d.id = o.id
        WHERE o.id = NEW.reopens AND o.state = 'closed' AND o.tablet_id = i.tablet_id AND o.kind = i.kind
        AND d.declared_at = NEW.declared_at AND d.noticed_at = NEW.noticed_at AND d.declared_by = NEW.declared_by) END)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is declared as it is opened, the request of an authority with its reference (M1)'); END;
CREATE TRIGGER incident_declarations_before_update_1 BEFORE UPDATE ON incident_declarations WHEN
        NEW.id IS NOT OLD.id OR NEW.uai IS NOT OLD.uai OR NEW.noticed_at IS NOT OLD.noticed_at OR NEW.declared_at IS NOT OLD.declared_at OR NEW.declared_by IS NOT OLD.declared_by OR NEW.authority_reference IS NOT OLD.authority_reference OR NEW.reopens IS NOT OLD.reopens
    BEGIN SELECT RAISE(ABORT, 'ardoise: a declaration is frozen, except for how far it has come'); END;
CREATE TRIGGER incident_declarations_before_update_2 BEFORE UPDATE ON incident_declarations WHEN
        NEW.stage_at < OLD.stage_at OR (NEW.stage <> OLD.stage AND NOT CASE OLD.stage
        WHEN 'declared' THEN NEW.stage IN ('in-progress', 'found', 'not-found', 'closed')
        WHEN 'in-progress' THEN NEW.stage IN ('found', 'not-found', 'closed')
        WHEN 'not-found' THEN NEW.stage IN ('found', 'closed')
        WHEN 'found' THEN NEW.stage = 'closed' ELSE FALSE END)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident goes forwards only'); END;
CREATE TRIGGER incident_declarations_before_update_3 BEFORE UPDATE ON incident_declarations WHEN
        NEW.stage = 'closed' AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.id
        AND i.state = 'closed')
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is closed before its declaration says so'); END;
CREATE TRIGGER incident_declarations_before_delete_1 BEFORE DELETE ON incident_declarations
    BEGIN SELECT RAISE(ABORT, 'ardoise: a declaration is frozen, except for how far it has come'); END;
CREATE TRIGGER incident_papers_before_insert_1 BEFORE INSERT ON incident_papers WHEN
        EXISTS (SELECT 1 FROM incident_papers x WHERE x.incident_id = NEW.incident_id AND x.paper = NEW.paper)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a paper is recorded once'); END;
CREATE TRIGGER incident_papers_before_update_1 BEFORE UPDATE ON incident_papers
    BEGIN SELECT RAISE(ABORT, 'ardoise: a recorded paper stays what it is'); END;
CREATE TRIGGER incident_papers_before_delete_1 BEFORE DELETE ON incident_papers
    BEGIN SELECT RAISE(ABORT, 'ardoise: a recorded paper stays what it is'); END;
CREATE TRIGGER warrants_of_incidents_update_1 BEFORE UPDATE ON warrants WHEN
        NEW.fixes IS NOT OLD.fixes OR NEW.interval_ms IS NOT OLD.interval_ms
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant is frozen, except towards its end'); END;
CREATE TRIGGER warrant_grants_before_insert_1 BEFORE INSERT ON warrant_grants WHEN
        EXISTS (SELECT 1 FROM warrant_grants x WHERE x.warrant_id = NEW.warrant_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant is granted once'); END;
CREATE TRIGGER warrant_grants_before_insert_2 BEFORE INSERT ON warrant_grants WHEN
        NOT EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        JOIN incident_declarations d ON d.id = i.id
        WHERE w.id = NEW.warrant_id AND w.state = 'open' AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request')
        AND d.stage IN ('declared', 'in-progress') AND d.declared_by <> NEW.second)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant is granted by somebody who did not declare its incident, while the tablet is looked for (M1)'); END;
CREATE TRIGGER warrant_grants_before_insert_3 BEFORE INSERT ON warrant_grants WHEN
        EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        JOIN incident_declarations d ON d.id = i.id WHERE w.id = NEW.warrant_id
        AND (i.kind = 'theft' AND NOT EXISTS (SELECT 1 FROM incident_papers p WHERE p.incident_id = i.id
        AND p.paper = 'complaint') OR i.kind = 'loss' AND NOT EXISTS (SELECT 1 FROM incident_papers p
        WHERE p.incident_id = i.id AND p.paper = 'letter'))
        AND (NEW.footing <> 'provisional' OR w.expires_at > d.declared_at + 172800000))
    BEGIN SELECT RAISE(ABORT, 'ardoise: without its paper a warrant is provisional, and ends 48 hours after the declaration (M1)'); END;
CREATE TRIGGER warrant_grants_before_insert_4 BEFORE INSERT ON warrant_grants WHEN
        CASE WHEN NEW.extends IS NULL THEN EXISTS (SELECT 1 FROM warrant_grants g
        JOIN warrants o ON o.id = g.warrant_id JOIN warrants w ON w.incident_id = o.incident_id
        WHERE w.id = NEW.warrant_id)
        ELSE NOT EXISTS (SELECT 1 FROM warrants o JOIN warrants w ON w.incident_id = o.incident_id
        JOIN warrant_grants g ON g.warrant_id = o.id
        WHERE w.id = NEW.warrant_id AND o.id = NEW.extends AND o.id <> w.id AND o.state = 'ended') END
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident has one warrant at a time: another extends the one before, which has ended (M1)'); END;
CREATE TRIGGER warrant_grants_before_update_1 BEFORE UPDATE ON warrant_grants
    BEGIN SELECT RAISE(ABORT, 'ardoise: who granted a warrant stays recorded (M1)'); END;
CREATE TRIGGER warrant_grants_before_delete_1 BEFORE DELETE ON warrant_grants
    BEGIN SELECT RAISE(ABORT, 'ardoise: who granted a warrant stays recorded (M1)'); END;
CREATE TRIGGER commands_of_incidents_insert_1 BEFORE INSERT ON commands WHEN
        NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent', 'not-now') AND NOT EXISTS (SELECT 1 FROM warrants w JOIN warrant_grants g ON g.warrant_id = w.id
        JOIN incidents i ON i.id = w.incident_id JOIN incident_declarations d ON d.id = i.id
        WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
        AND w.state = 'open' AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request') AND d.stage IN ('declared', 'in-progress')
        AND g.second <> g.author AND g.second <> d.declared_by)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a position needs a warrant that a second person granted (M1)'); END;
CREATE TRIGGER commands_of_incidents_update_1 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at) AND NOT EXISTS (SELECT 1 FROM warrants w JOIN warrant_grants g ON g.warrant_id = w.id
        JOIN incidents i ON i.id = w.incident_id JOIN incident_declarations d ON d.id = i.id
        WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
        AND w.state = 'open' AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request') AND d.stage IN ('declared', 'in-progress')
        AND g.second <> g.author AND g.second <> d.declared_by)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a position needs a warrant that a second person granted (M1)'); END;
CREATE TRIGGER commands_of_incidents_insert_2 BEFORE INSERT ON commands WHEN
        NEW.gate = 'lost-mode' AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM incidents i JOIN incident_declarations d ON d.id = i.id
        WHERE i.id = NEW.incident_id AND i.tablet_id = NEW.tablet_id AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: lost mode needs an incident that somebody declared (M1)'); END;
CREATE TRIGGER commands_of_incidents_insert_3 BEFORE INSERT ON commands WHEN
        NEW.gate = 'locate' AND (SELECT count(*) FROM commands c WHERE c.warrant_id = NEW.warrant_id)
        >= (SELECT w.fixes FROM warrants w WHERE w.id = NEW.warrant_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: the positions of this warrant were all asked for (M1)'); END;
CREATE TRIGGER commands_of_incidents_insert_4 BEFORE INSERT ON commands WHEN
        NEW.gate = 'locate' AND EXISTS (SELECT 1 FROM commands c JOIN warrants w ON w.id = NEW.warrant_id
        WHERE c.warrant_id IN (SELECT o.id FROM warrants o WHERE o.tablet_id = NEW.tablet_id)
        AND c.queued_at + w.interval_ms > NEW.queued_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: two requests for a position lie further apart (M1)'); END;
CREATE TRIGGER commands_of_incidents_update_2 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'locate' AND NEW.state = 'sent' AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM position_requests r WHERE r.command_id = NEW.id AND r.outcome = 'awaited')
    BEGIN SELECT RAISE(ABORT, 'ardoise: who asks for a position, and why, is recorded before a tablet is asked (M1)'); END;
CREATE TRIGGER commands_of_incidents_insert_5 BEFORE INSERT ON commands WHEN
        NEW.gate = 'ordinary' AND NEW.request_type = 'PlayLostModeSound'
    BEGIN SELECT RAISE(ABORT, 'ardoise: a sound needs an open incident (M1)'); END;
CREATE TRIGGER position_requests_before_insert_1 BEFORE INSERT ON position_requests WHEN
        EXISTS (SELECT 1 FROM position_requests x WHERE x.command_id = NEW.command_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a request for a position is recorded once'); END;
CREATE TRIGGER position_requests_before_insert_2 BEFORE INSERT ON position_requests WHEN
        NEW.outcome <> 'awaited' OR NOT EXISTS (SELECT 1 FROM commands c WHERE c.id = NEW.command_id
        AND c.gate = 'locate' AND c.warrant_id = NEW.warrant_id AND c.queued_at = NEW.asked_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a request for a position is about its command (M1)'); END;
CREATE TRIGGER position_requests_before_update_1 BEFORE UPDATE ON position_requests WHEN
        NEW.command_id IS NOT OLD.command_id OR NEW.warrant_id IS NOT OLD.warrant_id OR NEW.asked_by IS NOT OLD.asked_by OR NEW.reason IS NOT OLD.reason OR NEW.asked_at IS NOT OLD.asked_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: a request for a position is frozen, except for what becomes of it'); END;
CREATE TRIGGER position_requests_before_update_2 BEFORE UPDATE ON position_requests WHEN
        OLD.outcome <> 'awaited'
    BEGIN SELECT RAISE(ABORT, 'ardoise: what became of a request for a position stays recorded'); END;
CREATE TRIGGER position_requests_before_delete_1 BEFORE DELETE ON position_requests
    BEGIN SELECT RAISE(ABORT, 'ardoise: a request for a position stays recorded (M1)'); END;
CREATE TRIGGER positions_before_insert_1 BEFORE INSERT ON positions WHEN
        EXISTS (SELECT 1 FROM positions x WHERE x.command_id = NEW.command_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a position is kept once'); END;
CREATE TRIGGER positions_before_insert_2 BEFORE INSERT ON positions WHEN
        NOT EXISTS (SELECT 1 FROM position_requests r JOIN warrants w ON w.id = r.warrant_id
        JOIN warrant_grants g ON g.warrant_id = w.id JOIN incidents i ON i.id = w.incident_id
        WHERE r.command_id = NEW.command_id AND r.outcome = 'awaited' AND w.incident_id = NEW.incident_id
        AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request') AND w.state = 'open'
        AND w.opens_at <= NEW.kept_at AND NEW.kept_at < w.expires_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a position answers a request under a warrant in force (M1)'); END;
CREATE TRIGGER positions_before_insert_3 BEFORE INSERT ON positions WHEN
        EXISTS (SELECT 1 FROM position_requests r JOIN warrants w ON w.id = r.warrant_id
        WHERE r.command_id = NEW.command_id AND ((SELECT count(*) FROM positions p
        JOIN position_requests q ON q.command_id = p.command_id WHERE q.warrant_id = w.id) >= w.fixes
        OR EXISTS (SELECT 1 FROM positions p JOIN position_requests q ON q.command_id = p.command_id
        JOIN warrants o ON o.id = q.warrant_id
        WHERE o.tablet_id = w.tablet_id AND p.kept_at + w.interval_ms > NEW.kept_at)))
    BEGIN SELECT RAISE(ABORT, 'ardoise: no more positions are kept than the warrant says, nor closer together (M1)'); END;
CREATE TRIGGER positions_before_update_1 BEFORE UPDATE ON positions
    BEGIN SELECT RAISE(ABORT, 'ardoise: a position is never changed'); END;
CREATE TRIGGER positions_before_delete_1 BEFORE DELETE ON positions
    BEGIN SELECT RAISE(ABORT, 'ardoise: a position dies with its key (M2)'); END;
CREATE TRIGGER lost_modes_before_insert_1 BEFORE INSERT ON lost_modes WHEN
        EXISTS (SELECT 1 FROM lost_modes x WHERE x.tablet_id = NEW.tablet_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: lost mode stands once for a tablet'); END;
CREATE TRIGGER lost_modes_before_insert_2 BEFORE INSERT ON lost_modes WHEN
        NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
        AND i.tablet_id = NEW.tablet_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: lost mode rests on an incident of its tablet (M1)'); END;
CREATE TRIGGER lost_modes_before_update_1 BEFORE UPDATE ON lost_modes WHEN
        NEW.tablet_id <> OLD.tablet_id OR NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
        AND i.tablet_id = NEW.tablet_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: lost mode rests on an incident of its tablet (M1)'); END;
