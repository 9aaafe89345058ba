-- A stolen tablet is erased when its head and the département both decide it, and while it is away (M3). For PostgreSQL.

CREATE INDEX last_decisions_by_incident ON last_decisions (incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX erase_orders_by_decision ON erase_orders (decision_id) WHERE decision_id IS NOT NULL;
CREATE INDEX destructions_by_tablet ON destructions (tablet_id, id) WHERE tablet_id IS NOT NULL;

-- What no statement may do, whatever program sends it. What a row rests on must have stood before the statement began: these
-- functions are STABLE, and see nothing that the statement itself made, in a common table expression or otherwise.
CREATE FUNCTION last_decisions_on_thefts_before_update() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (NEW.kind = 'theft' AND NEW.departement_by IS NOT NULL AND OLD.departement_by IS NULL
        AND NOT EXISTS (SELECT 1 FROM countersignatures c WHERE c.purpose = 'erase-stolen'
        AND c.subject = 'incident:' || NEW.incident_id AND c.state = 'given' AND c.asked_by = NEW.head_by
        AND c.answered_by = NEW.departement_by AND c.answered_at <= NEW.departement_at
        AND c.used_for = 'decision:' || NEW.id)) THEN
        RAISE EXCEPTION 'ardoise: the département decides that a stolen tablet is erased by answering the head who proposes it (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER last_decisions_on_thefts_before_update BEFORE UPDATE ON last_decisions FOR EACH ROW
    EXECUTE FUNCTION last_decisions_on_thefts_before_update();
CREATE FUNCTION erase_orders_of_thefts_before_insert() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (NEW.cause = 'theft' AND (NOT EXISTS (SELECT 1 FROM last_decisions d JOIN incidents i ON i.id = d.incident_id
        JOIN incident_declarations x ON x.id = i.id
        WHERE d.id = NEW.decision_id AND d.kind = 'theft' AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND d.head_at IS NOT NULL AND i.state = 'open' AND i.kind = 'theft'
        AND x.stage IN ('declared', 'in-progress', 'not-found')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.tablet_id = i.tablet_id AND r.stage <> 'undone'
        AND r.received_at >= i.opened_at))
        OR EXISTS (SELECT 1 FROM incidents a WHERE a.tablet_id = NEW.tablet_id AND a.state = 'open' AND a.kind = 'authority-request'))) THEN
        RAISE EXCEPTION 'ardoise: a stolen tablet is erased while it is away, by the decision of its head and the département (M3)';
    END IF;
    IF (NEW.cause = 'theft' AND EXISTS (SELECT 1 FROM last_decisions d JOIN incidents i ON i.id = d.incident_id WHERE d.id = NEW.decision_id
        AND i.opened_at <= (SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at')
        AND NOT EXISTS (SELECT 1 FROM incident_confirmations c WHERE c.incident_id = i.id
        AND c.restored_at = (SELECT CAST(s.value AS BIGINT) FROM settings s WHERE s.name = 'restored_at')))) THEN
        RAISE EXCEPTION 'ardoise: after a restore an incident is confirmed before anything rests on it (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erase_orders_of_thefts_before_insert BEFORE INSERT ON erase_orders FOR EACH ROW
    EXECUTE FUNCTION erase_orders_of_thefts_before_insert();
CREATE FUNCTION commands_of_thefts_before_insert() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id)) THEN
        RAISE EXCEPTION 'ardoise: an erasure rests on an order that stood before it (M3)';
    END IF;
    IF (EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id AND o.cause = 'theft'
        AND NOT EXISTS (SELECT 1 FROM last_decisions d JOIN incidents i ON i.id = d.incident_id
        JOIN incident_declarations x ON x.id = i.id
        WHERE d.id = o.decision_id AND d.kind = 'theft' AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND d.head_at IS NOT NULL AND i.state = 'open' AND i.kind = 'theft'
        AND x.stage IN ('declared', 'in-progress', 'not-found')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.tablet_id = i.tablet_id AND r.stage <> 'undone'
        AND r.received_at >= i.opened_at)))) THEN
        RAISE EXCEPTION 'ardoise: a stolen tablet is erased while it is away, by the decision of its head and the département (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_of_thefts_before_insert BEFORE INSERT ON commands FOR EACH ROW
    WHEN (NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now'))
    EXECUTE FUNCTION commands_of_thefts_before_insert();
CREATE FUNCTION commands_of_thefts_before_update() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id AND o.cause = 'theft'
        AND NOT EXISTS (SELECT 1 FROM last_decisions d JOIN incidents i ON i.id = d.incident_id
        JOIN incident_declarations x ON x.id = i.id
        WHERE d.id = o.decision_id AND d.kind = 'theft' AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND d.head_at IS NOT NULL AND i.state = 'open' AND i.kind = 'theft'
        AND x.stage IN ('declared', 'in-progress', 'not-found')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.tablet_id = i.tablet_id AND r.stage <> 'undone'
        AND r.received_at >= i.opened_at)))) THEN
        RAISE EXCEPTION 'ardoise: a stolen tablet is erased while it is away, by the decision of its head and the département (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_of_thefts_before_update BEFORE UPDATE ON commands FOR EACH ROW
    WHEN (NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
    AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at))
    EXECUTE FUNCTION commands_of_thefts_before_update();
