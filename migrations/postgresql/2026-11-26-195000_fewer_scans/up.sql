-- What connects and commands cost PostgreSQL.
-- An index over every pending command, which a statement about one tablet might be planned by: only what expires is in it.
DROP INDEX commands_to_expire;
CREATE INDEX commands_to_expire ON commands (expires_at) WHERE pending AND expires_at IS NOT NULL;
-- A state in an index is a new entry in all of them at each step of a command.
DROP INDEX commands_by_key;
CREATE INDEX commands_by_key ON commands (idempotency_key, tablet_id) WHERE idempotency_key IS NOT NULL;
-- A command changes twice after it was queued: there is place for that beside it.
ALTER TABLE commands SET (fillfactor = 70);
ALTER TABLE push_states SET (fillfactor = 70);
-- An ordinary command rests on nothing: what is asked of the others is not asked of it, one question after the other.
CREATE OR REPLACE FUNCTION commands_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM commands c WHERE c.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a queued command is what it was when it was queued';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM enrolments e WHERE e.id = NEW.enrolment_id AND e.tablet_id = NEW.tablet_id) THEN
        RAISE EXCEPTION 'ardoise: a command goes to an enrolment of its own tablet';
    END IF;
    IF NEW.gate = 'ordinary' THEN
        RETURN NEW;
    END IF;
    IF NEW.gate = 'lost-mode' AND NEW.state IN ('queued', 'sent', 'not-now')
            AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
            AND i.tablet_id = NEW.tablet_id AND i.kind IN ('loss', 'theft', 'authority-request')
            AND i.state = 'open' AND i.opened_at <= NEW.queued_at) THEN
        RAISE EXCEPTION 'ardoise: lost mode needs an open incident of this tablet (M1)';
    END IF;
    IF NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent', 'not-now')
            AND NOT EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
            WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
            AND i.kind IN ('loss', 'theft', 'authority-request') AND i.state = 'open' AND w.state = 'open'
            AND w.opens_at <= NEW.queued_at AND NEW.queued_at < w.expires_at
            AND (NEW.sent_at IS NULL OR NEW.sent_at < w.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: a position needs an open warrant of this tablet (M1)';
    END IF;
    IF NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now')
            AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
            AND o.tablet_id = NEW.tablet_id AND (o.enrolment_id IS NULL OR o.enrolment_id = NEW.enrolment_id)
            AND o.state = 'open' AND o.not_before <= NEW.queued_at AND NEW.queued_at < o.expires_at
            AND (NEW.sent_at IS NULL OR NEW.sent_at < o.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: an erasure needs an open erase order of this tablet (M3)';
    END IF;
    IF NEW.gate = 'unenrol' AND NEW.state IN ('queued', 'sent', 'not-now')
            AND NOT EXISTS (SELECT 1 FROM enrolment_ends x WHERE x.id = NEW.enrolment_end_id
            AND x.enrolment_id = NEW.enrolment_id AND x.state = 'open' AND x.decided_at <= NEW.queued_at) THEN
        RAISE EXCEPTION 'ardoise: an unenrolment needs a recorded end of this enrolment (M4)';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION commands_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.enrolment_id IS DISTINCT FROM OLD.enrolment_id OR
            NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR NEW.request_type IS DISTINCT FROM OLD.request_type OR
            NEW.gate IS DISTINCT FROM OLD.gate OR NEW.incident_id IS DISTINCT FROM OLD.incident_id OR
            NEW.warrant_id IS DISTINCT FROM OLD.warrant_id OR NEW.erase_order_id IS DISTINCT FROM OLD.erase_order_id OR
            NEW.enrolment_end_id IS DISTINCT FROM OLD.enrolment_end_id OR NEW.queued_at IS DISTINCT FROM OLD.queued_at OR
            NEW.queued_by IS DISTINCT FROM OLD.queued_by
            OR (NEW.payload IS NOT NULL AND NEW.payload IS DISTINCT FROM OLD.payload) THEN
        RAISE EXCEPTION 'ardoise: a queued command is what it was when it was queued';
    END IF;
    IF OLD.state IN ('acknowledged', 'failed', 'expired', 'cancelled', 'void') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'ardoise: a command that has ended stays ended';
    END IF;
    IF NEW.gate = 'ordinary' THEN
        RETURN NEW;
    END IF;
    IF NEW.gate = 'lost-mode' AND NEW.state IN ('queued', 'sent')
            AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
            AND i.tablet_id = NEW.tablet_id AND i.kind IN ('loss', 'theft', 'authority-request')
            AND i.state = 'open' AND i.opened_at <= NEW.queued_at) THEN
        RAISE EXCEPTION 'ardoise: lost mode needs an open incident of this tablet (M1)';
    END IF;
    IF NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent')
            AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            AND NOT EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
            WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
            AND i.kind IN ('loss', 'theft', 'authority-request') AND i.state = 'open' AND w.state = 'open'
            AND w.opens_at <= NEW.queued_at AND NEW.queued_at < w.expires_at
            AND (NEW.sent_at IS NULL OR NEW.sent_at < w.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: a position needs an open warrant of this tablet (M1)';
    END IF;
    IF NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
            AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
            AND o.tablet_id = NEW.tablet_id AND (o.enrolment_id IS NULL OR o.enrolment_id = NEW.enrolment_id)
            AND o.state = 'open' AND o.not_before <= NEW.queued_at AND NEW.queued_at < o.expires_at
            AND (NEW.sent_at IS NULL OR NEW.sent_at < o.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: an erasure needs an open erase order of this tablet (M3)';
    END IF;
    IF NEW.gate = 'unenrol' AND NEW.state IN ('queued', 'sent')
            AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            AND NOT EXISTS (SELECT 1 FROM enrolment_ends x WHERE x.id = NEW.enrolment_end_id
            AND x.enrolment_id = NEW.enrolment_id AND x.state = 'open' AND x.decided_at <= NEW.queued_at) THEN
        RAISE EXCEPTION 'ardoise: an unenrolment needs a recorded end of this enrolment (M4)';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION commands_of_incidents_insert_rests() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NEW.gate = 'ordinary' THEN
        RETURN NEW;
    END IF;
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
CREATE OR REPLACE FUNCTION commands_of_incidents_update_rests() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NEW.gate = 'ordinary' THEN
        RETURN NEW;
    END IF;
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
CREATE OR REPLACE FUNCTION commands_of_incidents_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.gate = 'ordinary' AND NEW.request_type = 'PlayLostModeSound') THEN
        RAISE EXCEPTION 'ardoise: a sound needs an open incident (M1)';
    END IF;
    IF NEW.gate = 'ordinary' THEN
        RETURN NEW;
    END IF;
    IF (NEW.gate = 'locate' AND (SELECT count(*) FROM commands c WHERE c.warrant_id = NEW.warrant_id)
        >= (SELECT w.fixes FROM warrants w WHERE w.id = NEW.warrant_id)) THEN
        RAISE EXCEPTION 'ardoise: the positions of this warrant were all asked for (M1)';
    END IF;
    IF (NEW.gate = 'locate' AND EXISTS (SELECT 1 FROM commands c JOIN warrants w ON w.id = NEW.warrant_id
        WHERE c.warrant_id IN (SELECT o.id FROM warrants o WHERE o.tablet_id = NEW.tablet_id)
        AND c.queued_at + w.interval_ms > NEW.queued_at)) THEN
        RAISE EXCEPTION 'ardoise: two requests for a position lie further apart (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION commands_of_confirmed_incidents_insert() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NEW.gate = 'ordinary' THEN
        RETURN NEW;
    END IF;
    IF (NEW.gate IN ('lost-mode', 'locate') AND EXISTS (SELECT 1 FROM incidents i
        WHERE i.id = COALESCE(NEW.incident_id, (SELECT w.incident_id FROM warrants w WHERE w.id = NEW.warrant_id))
        AND i.opened_at <= (SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at')
        AND NOT EXISTS (SELECT 1 FROM incident_confirmations c WHERE c.incident_id = i.id
        AND c.restored_at = (SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at')))) THEN
        RAISE EXCEPTION 'ardoise: after a restore an incident is confirmed before anything rests on it (M5)';
    END IF;
    RETURN NEW;
END $$;
-- What says that a donation waits for its notice stood here twice.
DROP TRIGGER commands_of_donations_when_sent ON commands;
DROP TRIGGER commands_of_donations_when_queued ON commands;
DROP FUNCTION commands_of_donations();
DROP TRIGGER erase_orders_of_donations ON erase_orders;
DROP FUNCTION donations_are_told();
