-- When an incident was noticed does not lie before what it is about (C5.4.2): the loan of whoever had the tablet when it was
-- declared, or, of a tablet that nobody had, its entry in the inventory. A paper from before would make a warrant firm (M1). What
-- goes on from an incident that was closed too soon keeps what was said of that one.
CREATE TRIGGER incident_declarations_noticed_within BEFORE INSERT ON incident_declarations WHEN
        NEW.reopens IS NULL AND NOT COALESCE(NEW.noticed_at >= (SELECT COALESCE((SELECT MAX(l.began_at) FROM loans l WHERE l.tablet_id = i.tablet_id AND (l.began_at <= NEW.declared_at AND (l.state <> 'ended' OR NEW.declared_at <= l.changed_at
        OR (l.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage <> 'undone' AND r.received_at <= NEW.declared_at)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = l.tablet_id AND later.began_at > l.began_at
        AND later.began_at <= NEW.declared_at))))),
        (SELECT t.created_at FROM tablets t WHERE t.id = i.tablet_id))
        FROM incidents i WHERE i.id = NEW.id), FALSE)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is noticed neither before the loan whose holder it concerns nor before the tablet was entered (C5.4.2)'); END;
CREATE TRIGGER noticed_corrections_noticed_within BEFORE INSERT ON noticed_corrections WHEN
        NOT COALESCE(NEW.noticed_at >= (SELECT COALESCE((SELECT MAX(l.began_at) FROM loans l WHERE l.tablet_id = i.tablet_id AND (l.began_at <= d.declared_at AND (l.state <> 'ended' OR d.declared_at <= l.changed_at
        OR (l.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage <> 'undone' AND r.received_at <= d.declared_at)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = l.tablet_id AND later.began_at > l.began_at
        AND later.began_at <= d.declared_at))))),
        (SELECT t.created_at FROM tablets t WHERE t.id = i.tablet_id))
        FROM incidents i JOIN incident_declarations d ON d.id = i.id WHERE i.id = NEW.incident_id), FALSE)
        AND NOT EXISTS (SELECT 1 FROM incident_declarations d
        JOIN noticed_corrections o ON o.incident_id = d.reopens
        WHERE d.id = NEW.incident_id AND o.number = NEW.number AND o.noticed_at = NEW.noticed_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is noticed neither before the loan whose holder it concerns nor before the tablet was entered (C5.4.2)'); END;
CREATE TRIGGER tablets_entered_once BEFORE UPDATE ON tablets WHEN NEW.created_at <> OLD.created_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: when a tablet was entered in the inventory stays what it was'); END;
