-- A stolen tablet is erased when its head and the département both decide it, and while it is away (M3). For SQLite.

CREATE INDEX last_decisions_by_incident ON last_decisions (incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX erase_orders_by_decision ON erase_orders (decision_id) WHERE decision_id IS NOT NULL;
CREATE INDEX destructions_by_tablet ON destructions (tablet_id, id) WHERE tablet_id IS NOT NULL;

-- What no statement may do, whatever program sends it.
CREATE TRIGGER last_decisions_on_thefts_before_update_1 BEFORE UPDATE ON last_decisions WHEN
        NEW.kind = 'theft' AND NEW.departement_by IS NOT NULL AND OLD.departement_by IS NULL
        AND NOT EXISTS (SELECT 1 FROM countersignatures c WHERE c.purpose = 'erase-stolen'
        AND c.subject = 'incident:' || NEW.incident_id AND c.state = 'given' AND c.asked_by = NEW.head_by
        AND c.answered_by = NEW.departement_by AND c.answered_at <= NEW.departement_at
        AND c.used_for = 'decision:' || NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: the département decides that a stolen tablet is erased by answering the head who proposes it (M3)'); END;
CREATE TRIGGER erase_orders_of_thefts_before_insert_1 BEFORE INSERT ON erase_orders WHEN
        NEW.cause = 'theft' AND (NOT EXISTS (SELECT 1 FROM last_decisions d JOIN incidents i ON i.id = d.incident_id
        JOIN incident_declarations x ON x.id = i.id
        WHERE d.id = NEW.decision_id AND d.kind = 'theft' AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND d.head_at IS NOT NULL AND i.state = 'open' AND i.kind = 'theft'
        AND x.stage IN ('declared', 'in-progress', 'not-found')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.tablet_id = i.tablet_id AND r.stage <> 'undone'
        AND r.received_at >= i.opened_at))
        OR EXISTS (SELECT 1 FROM incidents a WHERE a.tablet_id = NEW.tablet_id AND a.state = 'open' AND a.kind = 'authority-request'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a stolen tablet is erased while it is away, by the decision of its head and the département (M3)'); END;
CREATE TRIGGER erase_orders_of_thefts_before_insert_2 BEFORE INSERT ON erase_orders WHEN
        NEW.cause = 'theft' AND EXISTS (SELECT 1 FROM last_decisions d JOIN incidents i ON i.id = d.incident_id WHERE d.id = NEW.decision_id
        AND i.opened_at <= (SELECT CAST(s.value AS INTEGER) FROM settings s WHERE s.name = 'restored_at')
        AND NOT EXISTS (SELECT 1 FROM incident_confirmations c WHERE c.incident_id = i.id
        AND c.restored_at = (SELECT CAST(s.value AS INTEGER) FROM settings s WHERE s.name = 'restored_at')))
    BEGIN SELECT RAISE(ABORT, 'ardoise: after a restore an incident is confirmed before anything rests on it (M5)'); END;
CREATE TRIGGER commands_of_thefts_before_insert_1 BEFORE INSERT ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now') AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id AND o.cause = 'theft'
        AND NOT EXISTS (SELECT 1 FROM last_decisions d JOIN incidents i ON i.id = d.incident_id
        JOIN incident_declarations x ON x.id = i.id
        WHERE d.id = o.decision_id AND d.kind = 'theft' AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND d.head_at IS NOT NULL AND i.state = 'open' AND i.kind = 'theft'
        AND x.stage IN ('declared', 'in-progress', 'not-found')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.tablet_id = i.tablet_id AND r.stage <> 'undone'
        AND r.received_at >= i.opened_at)))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a stolen tablet is erased while it is away, by the decision of its head and the département (M3)'); END;
CREATE TRIGGER commands_of_thefts_before_update_1 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at) AND EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id AND o.cause = 'theft'
        AND NOT EXISTS (SELECT 1 FROM last_decisions d JOIN incidents i ON i.id = d.incident_id
        JOIN incident_declarations x ON x.id = i.id
        WHERE d.id = o.decision_id AND d.kind = 'theft' AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL
        AND d.head_at IS NOT NULL AND i.state = 'open' AND i.kind = 'theft'
        AND x.stage IN ('declared', 'in-progress', 'not-found')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.tablet_id = i.tablet_id AND r.stage <> 'undone'
        AND r.received_at >= i.opened_at)))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a stolen tablet is erased while it is away, by the decision of its head and the département (M3)'); END;
