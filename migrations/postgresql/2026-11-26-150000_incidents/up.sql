-- Incidents, for PostgreSQL: how they are declared and how far they have come, their papers, who granted a warrant, each
-- request for a position and what became of it, and where lost mode stands.

-- How an incident was declared, and how far it has come: `incidents` says whether it is open, which is what commands
-- rest on; here stands the rest (C5.4.2). One that was closed too soon goes on in another, which names it.
CREATE TABLE incident_declarations (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES incidents (id),
    uai TEXT COLLATE "C" NOT NULL,
    noticed_at BIGINT NOT NULL,
    declared_at BIGINT NOT NULL,
    declared_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    circumstances_sealed BYTEA,
    authority_reference TEXT COLLATE "C",
    reopens TEXT COLLATE "C" REFERENCES incidents (id),
    stage TEXT COLLATE "C" NOT NULL CONSTRAINT incident_declarations_stage
        CHECK (stage IN ('declared', 'in-progress', 'found', 'not-found', 'closed')),
    stage_at BIGINT NOT NULL,
    CONSTRAINT incident_declarations_noticed CHECK (noticed_at <= declared_at AND declared_at <= stage_at)
);
-- An incident is reopened once; the next time, what it went on in is.
CREATE UNIQUE INDEX incident_declarations_go_on_once ON incident_declarations (reopens) WHERE reopens IS NOT NULL;
CREATE INDEX incidents_by_tablet ON incidents (tablet_id, id);
CREATE INDEX incidents_open ON incidents (id) WHERE state = 'open';

-- The papers of an incident (C5.4.2): the letter, and after a theft the complaint.
CREATE TABLE incident_papers (
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (id),
    paper TEXT COLLATE "C" NOT NULL CONSTRAINT incident_papers_paper CHECK (paper IN ('letter', 'complaint')),
    reference TEXT COLLATE "C" NOT NULL CONSTRAINT incident_papers_reference CHECK (reference <> ''),
    dated TEXT COLLATE "C" NOT NULL CONSTRAINT incident_papers_dated CHECK (dated LIKE '____-__-__'),
    station TEXT COLLATE "C",
    recorded_at BIGINT NOT NULL,
    recorded_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (incident_id, paper),
    CONSTRAINT incident_papers_station CHECK ((paper = 'complaint') = (station IS NOT NULL))
);

-- How often and how closely a warrant lets a tablet be located (M1).
ALTER TABLE warrants ADD COLUMN fixes INTEGER NOT NULL DEFAULT 1
    CONSTRAINT warrants_fixes CHECK (fixes BETWEEN 1 AND 24);
ALTER TABLE warrants ADD COLUMN interval_ms BIGINT NOT NULL DEFAULT 900000
    CONSTRAINT warrants_interval CHECK (interval_ms >= 300000);

-- Who asked for a warrant, and which other person granted it. Without this row it lets nobody locate.
CREATE TABLE warrant_grants (
    warrant_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES warrants (id),
    author TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    second TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    reason TEXT COLLATE "C" NOT NULL CONSTRAINT warrant_grants_reason CHECK (reason <> ''),
    validation_id TEXT COLLATE "C" NOT NULL REFERENCES privacy_validations (id),
    footing TEXT COLLATE "C" NOT NULL CONSTRAINT warrant_grants_footing CHECK (footing IN ('firm', 'provisional')),
    extends TEXT COLLATE "C" REFERENCES warrants (id),
    CONSTRAINT warrant_grants_two_persons CHECK (author <> second)
);
CREATE INDEX warrants_by_incident ON warrants (incident_id, id);
CREATE INDEX commands_by_warrant ON commands (warrant_id) WHERE warrant_id IS NOT NULL;

-- Each request for a position: who, why, and what became of it. Never where.
CREATE TABLE position_requests (
    command_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES commands (id),
    warrant_id TEXT COLLATE "C" NOT NULL REFERENCES warrants (id),
    asked_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    reason TEXT COLLATE "C" NOT NULL CONSTRAINT position_requests_reason CHECK (reason <> ''),
    asked_at BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL CONSTRAINT position_requests_outcome
        CHECK (outcome IN ('awaited', 'kept', 'dropped', 'cancelled')),
    why TEXT COLLATE "C",
    outcome_at BIGINT,
    CONSTRAINT position_requests_over CHECK ((outcome = 'awaited') = (outcome_at IS NULL)),
    CONSTRAINT position_requests_why CHECK ((outcome IN ('dropped', 'cancelled')) = (why IS NOT NULL))
);
CREATE INDEX position_requests_by_warrant ON position_requests (warrant_id, command_id);

-- Where a tablet was, sealed with the key of its incident, which stands outside the database (M2).
CREATE TABLE positions (
    command_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES position_requests (command_id),
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (id),
    sealed BYTEA NOT NULL,
    kept_at BIGINT NOT NULL
);
CREATE INDEX positions_by_incident ON positions (incident_id, command_id);

-- Where lost mode stands on a tablet, by what it said last.
CREATE TABLE lost_modes (
    tablet_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES tablets (id),
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (id),
    state TEXT COLLATE "C" NOT NULL CONSTRAINT lost_modes_state CHECK (state IN ('off', 'asked', 'on', 'refused', 'ending')),
    since BIGINT NOT NULL,
    message TEXT COLLATE "C",
    phone TEXT COLLATE "C",
    footnote TEXT COLLATE "C",
    CONSTRAINT lost_modes_show_something CHECK (message IS NOT NULL OR phone IS NOT NULL)
);

-- What no statement may do, whatever program sends it. The rows' own instants are compared, never the clock. What a row
-- rests on must have stood before the statement began: these functions are STABLE, and see nothing that the statement
-- itself made, in a common table expression or otherwise. What is counted is counted by VOLATILE ones, which see each row
-- of a statement before the next.
CREATE FUNCTION incident_declarations_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM incident_declarations x WHERE x.id = NEW.id)) THEN
        RAISE EXCEPTION 'ardoise: an incident is declared once';
    END IF;
    IF (NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.id AND i.state = 'open'
        AND i.opened_at = NEW.stage_at AND (i.kind <> 'authority-request' OR trim(NEW.authority_reference) <> '')
        AND CASE WHEN NEW.reopens IS NULL THEN NEW.declared_at = i.opened_at AND NEW.stage = 'declared'
        ELSE NEW.stage = 'in-progress' AND EXISTS (SELECT 1 FROM incidents o
        JOIN incident_declarations d ON d.id = o.id
        WHERE o.id = NEW.reopens AND o.state = 'closed' AND o.tablet_id = i.tablet_id AND o.kind = i.kind
        AND d.declared_at = NEW.declared_at AND d.noticed_at = NEW.noticed_at AND d.declared_by = NEW.declared_by) END)) THEN
        RAISE EXCEPTION 'ardoise: an incident is declared as it is opened, the request of an authority with its reference (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_declarations_before_insert BEFORE INSERT ON incident_declarations
    FOR EACH ROW EXECUTE FUNCTION incident_declarations_before_insert();
CREATE FUNCTION incident_declarations_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id IS DISTINCT FROM OLD.id OR NEW.uai IS DISTINCT FROM OLD.uai OR NEW.noticed_at IS DISTINCT FROM OLD.noticed_at OR NEW.declared_at IS DISTINCT FROM OLD.declared_at OR NEW.declared_by IS DISTINCT FROM OLD.declared_by OR NEW.authority_reference IS DISTINCT FROM OLD.authority_reference OR NEW.reopens IS DISTINCT FROM OLD.reopens) THEN
        RAISE EXCEPTION 'ardoise: a declaration is frozen, except for how far it has come';
    END IF;
    IF (NEW.stage_at < OLD.stage_at OR (NEW.stage <> OLD.stage AND NOT CASE OLD.stage
        WHEN 'declared' THEN NEW.stage IN ('in-progress', 'found', 'not-found', 'closed')
        WHEN 'in-progress' THEN NEW.stage IN ('found', 'not-found', 'closed')
        WHEN 'not-found' THEN NEW.stage IN ('found', 'closed')
        WHEN 'found' THEN NEW.stage = 'closed' ELSE FALSE END)) THEN
        RAISE EXCEPTION 'ardoise: an incident goes forwards only';
    END IF;
    IF (NEW.stage = 'closed' AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.id
        AND i.state = 'closed')) THEN
        RAISE EXCEPTION 'ardoise: an incident is closed before its declaration says so';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_declarations_before_update BEFORE UPDATE ON incident_declarations
    FOR EACH ROW EXECUTE FUNCTION incident_declarations_before_update();
CREATE TRIGGER incident_declarations_before_delete BEFORE DELETE ON incident_declarations
    FOR EACH ROW EXECUTE FUNCTION refuse('a declaration is frozen, except for how far it has come');
CREATE FUNCTION incident_papers_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM incident_papers x WHERE x.incident_id = NEW.incident_id AND x.paper = NEW.paper)) THEN
        RAISE EXCEPTION 'ardoise: a paper is recorded once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_papers_before_insert BEFORE INSERT ON incident_papers
    FOR EACH ROW EXECUTE FUNCTION incident_papers_before_insert();
CREATE TRIGGER incident_papers_before_update BEFORE UPDATE ON incident_papers
    FOR EACH ROW EXECUTE FUNCTION refuse('a recorded paper stays what it is');
CREATE TRIGGER incident_papers_before_delete BEFORE DELETE ON incident_papers
    FOR EACH ROW EXECUTE FUNCTION refuse('a recorded paper stays what it is');
CREATE FUNCTION warrants_of_incidents_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.fixes IS DISTINCT FROM OLD.fixes OR NEW.interval_ms IS DISTINCT FROM OLD.interval_ms) THEN
        RAISE EXCEPTION 'ardoise: a warrant is frozen, except towards its end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER warrants_of_incidents_update BEFORE UPDATE ON warrants
    FOR EACH ROW EXECUTE FUNCTION warrants_of_incidents_update();
CREATE FUNCTION warrant_grants_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM warrant_grants x WHERE x.warrant_id = NEW.warrant_id)) THEN
        RAISE EXCEPTION 'ardoise: a warrant is granted once';
    END IF;
    IF (EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        JOIN incident_declarations d ON d.id = i.id WHERE w.id = NEW.warrant_id
        AND (i.kind = 'theft' AND NOT EXISTS (SELECT 1 FROM incident_papers p WHERE p.incident_id = i.id
        AND p.paper = 'complaint') OR i.kind = 'loss' AND NOT EXISTS (SELECT 1 FROM incident_papers p
        WHERE p.incident_id = i.id AND p.paper = 'letter'))
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
CREATE TRIGGER warrant_grants_before_insert BEFORE INSERT ON warrant_grants
    FOR EACH ROW EXECUTE FUNCTION warrant_grants_before_insert();
CREATE FUNCTION warrant_grants_before_insert_rests() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (NOT EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        JOIN incident_declarations d ON d.id = i.id
        WHERE w.id = NEW.warrant_id AND w.state = 'open' AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request')
        AND d.stage IN ('declared', 'in-progress') AND d.declared_by <> NEW.second)) THEN
        RAISE EXCEPTION 'ardoise: a warrant is granted by somebody who did not declare its incident, while the tablet is looked for (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER warrant_grants_before_insert_rests BEFORE INSERT ON warrant_grants
    FOR EACH ROW EXECUTE FUNCTION warrant_grants_before_insert_rests();
CREATE TRIGGER warrant_grants_before_update BEFORE UPDATE ON warrant_grants
    FOR EACH ROW EXECUTE FUNCTION refuse('who granted a warrant stays recorded (M1)');
CREATE TRIGGER warrant_grants_before_delete BEFORE DELETE ON warrant_grants
    FOR EACH ROW EXECUTE FUNCTION refuse('who granted a warrant stays recorded (M1)');
CREATE FUNCTION commands_of_incidents_insert_rests() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent', 'not-now') AND NOT EXISTS (SELECT 1 FROM warrants w JOIN warrant_grants g ON g.warrant_id = w.id
        JOIN incidents i ON i.id = w.incident_id JOIN incident_declarations d ON d.id = i.id
        WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
        AND w.state = 'open' AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request') AND d.stage IN ('declared', 'in-progress')
        AND g.second <> g.author AND g.second <> d.declared_by)) THEN
        RAISE EXCEPTION 'ardoise: a position needs a warrant that a second person granted (M1)';
    END IF;
    IF (NEW.gate = 'lost-mode' AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM incidents i JOIN incident_declarations d ON d.id = i.id
        WHERE i.id = NEW.incident_id AND i.tablet_id = NEW.tablet_id AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request'))) THEN
        RAISE EXCEPTION 'ardoise: lost mode needs an incident that somebody declared (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_of_incidents_insert_rests BEFORE INSERT ON commands
    FOR EACH ROW EXECUTE FUNCTION commands_of_incidents_insert_rests();
CREATE FUNCTION commands_of_incidents_update_rests() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at) AND NOT EXISTS (SELECT 1 FROM warrants w JOIN warrant_grants g ON g.warrant_id = w.id
        JOIN incidents i ON i.id = w.incident_id JOIN incident_declarations d ON d.id = i.id
        WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
        AND w.state = 'open' AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request') AND d.stage IN ('declared', 'in-progress')
        AND g.second <> g.author AND g.second <> d.declared_by)) THEN
        RAISE EXCEPTION 'ardoise: a position needs a warrant that a second person granted (M1)';
    END IF;
    IF (NEW.gate = 'locate' AND NEW.state = 'sent' AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM position_requests r WHERE r.command_id = NEW.id AND r.outcome = 'awaited')) THEN
        RAISE EXCEPTION 'ardoise: who asks for a position, and why, is recorded before a tablet is asked (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_of_incidents_update_rests BEFORE UPDATE ON commands
    FOR EACH ROW EXECUTE FUNCTION commands_of_incidents_update_rests();
CREATE FUNCTION commands_of_incidents_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.gate = 'locate' AND (SELECT count(*) FROM commands c WHERE c.warrant_id = NEW.warrant_id)
        >= (SELECT w.fixes FROM warrants w WHERE w.id = NEW.warrant_id)) THEN
        RAISE EXCEPTION 'ardoise: the positions of this warrant were all asked for (M1)';
    END IF;
    IF (NEW.gate = 'locate' AND EXISTS (SELECT 1 FROM commands c JOIN warrants w ON w.id = NEW.warrant_id
        WHERE c.warrant_id IN (SELECT o.id FROM warrants o WHERE o.tablet_id = NEW.tablet_id)
        AND c.queued_at + w.interval_ms > NEW.queued_at)) THEN
        RAISE EXCEPTION 'ardoise: two requests for a position lie further apart (M1)';
    END IF;
    IF (NEW.gate = 'ordinary' AND NEW.request_type = 'PlayLostModeSound') THEN
        RAISE EXCEPTION 'ardoise: a sound needs an open incident (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_of_incidents_insert BEFORE INSERT ON commands
    FOR EACH ROW EXECUTE FUNCTION commands_of_incidents_insert();
CREATE FUNCTION position_requests_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM position_requests x WHERE x.command_id = NEW.command_id)) THEN
        RAISE EXCEPTION 'ardoise: a request for a position is recorded once';
    END IF;
    IF (NEW.outcome <> 'awaited' OR NOT EXISTS (SELECT 1 FROM commands c WHERE c.id = NEW.command_id
        AND c.gate = 'locate' AND c.warrant_id = NEW.warrant_id AND c.queued_at = NEW.asked_at)) THEN
        RAISE EXCEPTION 'ardoise: a request for a position is about its command (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER position_requests_before_insert BEFORE INSERT ON position_requests
    FOR EACH ROW EXECUTE FUNCTION position_requests_before_insert();
CREATE FUNCTION position_requests_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.command_id IS DISTINCT FROM OLD.command_id OR NEW.warrant_id IS DISTINCT FROM OLD.warrant_id OR NEW.asked_by IS DISTINCT FROM OLD.asked_by OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.asked_at IS DISTINCT FROM OLD.asked_at) THEN
        RAISE EXCEPTION 'ardoise: a request for a position is frozen, except for what becomes of it';
    END IF;
    IF (OLD.outcome <> 'awaited') THEN
        RAISE EXCEPTION 'ardoise: what became of a request for a position stays recorded';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER position_requests_before_update BEFORE UPDATE ON position_requests
    FOR EACH ROW EXECUTE FUNCTION position_requests_before_update();
CREATE TRIGGER position_requests_before_delete BEFORE DELETE ON position_requests
    FOR EACH ROW EXECUTE FUNCTION refuse('a request for a position stays recorded (M1)');
CREATE FUNCTION positions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM positions x WHERE x.command_id = NEW.command_id)) THEN
        RAISE EXCEPTION 'ardoise: a position is kept once';
    END IF;
    IF (EXISTS (SELECT 1 FROM position_requests r JOIN warrants w ON w.id = r.warrant_id
        WHERE r.command_id = NEW.command_id AND ((SELECT count(*) FROM positions p
        JOIN position_requests q ON q.command_id = p.command_id WHERE q.warrant_id = w.id) >= w.fixes
        OR EXISTS (SELECT 1 FROM positions p JOIN position_requests q ON q.command_id = p.command_id
        JOIN warrants o ON o.id = q.warrant_id
        WHERE o.tablet_id = w.tablet_id AND p.kept_at + w.interval_ms > NEW.kept_at)))) THEN
        RAISE EXCEPTION 'ardoise: no more positions are kept than the warrant says, nor closer together (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER positions_before_insert BEFORE INSERT ON positions
    FOR EACH ROW EXECUTE FUNCTION positions_before_insert();
CREATE FUNCTION positions_before_insert_rests() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (NOT EXISTS (SELECT 1 FROM position_requests r JOIN warrants w ON w.id = r.warrant_id
        JOIN warrant_grants g ON g.warrant_id = w.id JOIN incidents i ON i.id = w.incident_id
        WHERE r.command_id = NEW.command_id AND r.outcome = 'awaited' AND w.incident_id = NEW.incident_id
        AND i.state = 'open' AND i.kind IN ('loss', 'theft', 'authority-request') AND w.state = 'open'
        AND w.opens_at <= NEW.kept_at AND NEW.kept_at < w.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: a position answers a request under a warrant in force (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER positions_before_insert_rests BEFORE INSERT ON positions
    FOR EACH ROW EXECUTE FUNCTION positions_before_insert_rests();
CREATE TRIGGER positions_before_update BEFORE UPDATE ON positions
    FOR EACH ROW EXECUTE FUNCTION refuse('a position is never changed');
CREATE TRIGGER positions_before_delete BEFORE DELETE ON positions
    FOR EACH ROW EXECUTE FUNCTION refuse('a position dies with its key (M2)');
CREATE FUNCTION lost_modes_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM lost_modes x WHERE x.tablet_id = NEW.tablet_id)) THEN
        RAISE EXCEPTION 'ardoise: lost mode stands once for a tablet';
    END IF;
    IF (NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
        AND i.tablet_id = NEW.tablet_id)) THEN
        RAISE EXCEPTION 'ardoise: lost mode rests on an incident of its tablet (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lost_modes_before_insert BEFORE INSERT ON lost_modes
    FOR EACH ROW EXECUTE FUNCTION lost_modes_before_insert();
CREATE FUNCTION lost_modes_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.tablet_id <> OLD.tablet_id OR NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
        AND i.tablet_id = NEW.tablet_id)) THEN
        RAISE EXCEPTION 'ardoise: lost mode rests on an incident of its tablet (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lost_modes_before_update BEFORE UPDATE ON lost_modes
    FOR EACH ROW EXECUTE FUNCTION lost_modes_before_update();
CREATE TRIGGER incident_declarations_before_truncate BEFORE TRUNCATE ON incident_declarations
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER incident_papers_before_truncate BEFORE TRUNCATE ON incident_papers
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER warrant_grants_before_truncate BEFORE TRUNCATE ON warrant_grants
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER position_requests_before_truncate BEFORE TRUNCATE ON position_requests
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER positions_before_truncate BEFORE TRUNCATE ON positions
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
