-- Ordinary commands are nearly all there are, and each is queued, sent and answered. What is asked of the others was asked
-- of them too, and answered by a subquery each time before it was seen that they are not meant: two thirds of what it cost
-- to queue one. The same is asked as before, in the same order; of what rests on something only.
CREATE OR REPLACE FUNCTION commands_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM commands c WHERE c.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a queued command is what it was when it was queued';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM enrolments e WHERE e.id = NEW.enrolment_id AND e.tablet_id = NEW.tablet_id) THEN
        RAISE EXCEPTION 'ardoise: a command goes to an enrolment of its own tablet';
    END IF;
    IF NEW.gate <> 'ordinary' THEN
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
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION commands_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.gate <> 'ordinary' THEN
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
    END IF;
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
    RETURN NEW;
END $$;
DROP TRIGGER commands_of_incidents_insert_rests ON commands;
CREATE TRIGGER commands_of_incidents_insert_rests BEFORE INSERT ON commands
    FOR EACH ROW WHEN (NEW.gate IN ('locate', 'lost-mode')) EXECUTE FUNCTION commands_of_incidents_insert_rests();
DROP TRIGGER commands_of_incidents_update_rests ON commands;
CREATE TRIGGER commands_of_incidents_update_rests BEFORE UPDATE ON commands
    FOR EACH ROW WHEN (NEW.gate = 'locate') EXECUTE FUNCTION commands_of_incidents_update_rests();
DROP TRIGGER commands_of_incidents_insert ON commands;
CREATE TRIGGER commands_of_incidents_insert BEFORE INSERT ON commands
    FOR EACH ROW WHEN (NEW.gate = 'locate' OR NEW.request_type = 'PlayLostModeSound')
    EXECUTE FUNCTION commands_of_incidents_insert();
DROP TRIGGER commands_of_confirmed_incidents_insert ON commands;
CREATE TRIGGER commands_of_confirmed_incidents_insert BEFORE INSERT ON commands
    FOR EACH ROW WHEN (NEW.gate IN ('locate', 'lost-mode')) EXECUTE FUNCTION commands_of_confirmed_incidents_insert();
