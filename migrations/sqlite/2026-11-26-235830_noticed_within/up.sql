-- Whom an incident concerns is decided by when it was noticed, however late it is declared (C5.4.2): the holder of the loan of then, or
-- nobody. Nothing that would show where somebody is rests on what concerned somebody else (M1): no warrant, no lost mode. A paper of
-- before the loan that stands makes nothing firm, also of the same holder. What was received, lent anew or moved since is not reopened.
-- Who has a tablet now is read from its loans and receipts alone, whatever the clock of a machine says.
CREATE TRIGGER warrant_grants_in_whose_hands BEFORE INSERT ON warrant_grants WHEN
        EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id JOIN tablets t ON t.id = i.tablet_id
        JOIN (SELECT d.id, d.uai, d.declared_at, COALESCE((SELECT c.noticed_at FROM noticed_corrections c WHERE c.incident_id = d.id ORDER BY c.number DESC LIMIT 1),
        d.noticed_at) AS noticed_at FROM incident_declarations d) s ON s.id = i.id
        WHERE w.id = NEW.warrant_id AND (t.uai IS NOT s.uai OR EXISTS (SELECT 1 FROM loans n WHERE n.tablet_id = i.tablet_id AND (n.began_at <= 9223372036854775807 AND (n.state <> 'ended' OR 9223372036854775807 <= n.changed_at
        OR (n.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = n.id AND r.stage <> 'undone' AND r.received_at <= 9223372036854775807)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = n.tablet_id AND later.began_at > n.began_at
        AND later.began_at <= 9223372036854775807))))
        AND (NOT EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = i.tablet_id AND l.person_id = n.person_id
        AND (l.began_at <= s.noticed_at AND (l.state <> 'ended' OR s.noticed_at <= l.changed_at
        OR (l.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage <> 'undone' AND r.received_at <= s.noticed_at)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = l.tablet_id AND later.began_at > l.began_at
        AND later.began_at <= s.noticed_at)))))
        OR s.noticed_at < n.began_at AND (NEW.footing <> 'provisional' OR w.expires_at > s.declared_at + 172800000)))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant rests on no incident of somebody else than who has the tablet, is firm by nothing of before their loan, and stays in its collège (M1)'); END;
CREATE TRIGGER commands_in_whose_hands_insert BEFORE INSERT ON commands WHEN
        NEW.gate IN ('lost-mode', 'locate') AND NEW.state IN ('queued', 'sent', 'not-now')
        AND EXISTS (SELECT 1 FROM incidents i JOIN tablets t ON t.id = i.tablet_id JOIN (SELECT d.id, d.uai, d.declared_at, COALESCE((SELECT c.noticed_at FROM noticed_corrections c WHERE c.incident_id = d.id ORDER BY c.number DESC LIMIT 1),
        d.noticed_at) AS noticed_at FROM incident_declarations d) s ON s.id = i.id
        WHERE i.id = COALESCE(NEW.incident_id, (SELECT w.incident_id FROM warrants w WHERE w.id = NEW.warrant_id))
        AND (t.uai IS NOT s.uai OR EXISTS (SELECT 1 FROM loans n WHERE n.tablet_id = i.tablet_id AND (n.began_at <= 9223372036854775807 AND (n.state <> 'ended' OR 9223372036854775807 <= n.changed_at
        OR (n.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = n.id AND r.stage <> 'undone' AND r.received_at <= 9223372036854775807)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = n.tablet_id AND later.began_at > n.began_at
        AND later.began_at <= 9223372036854775807))))
        AND (NOT EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = i.tablet_id AND l.person_id = n.person_id
        AND (l.began_at <= s.noticed_at AND (l.state <> 'ended' OR s.noticed_at <= l.changed_at
        OR (l.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage <> 'undone' AND r.received_at <= s.noticed_at)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = l.tablet_id AND later.began_at > l.began_at
        AND later.began_at <= s.noticed_at)))))))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: lost mode and positions rest on no incident of somebody else than who has the tablet, nor of another collège (M1)'); END;
CREATE TRIGGER commands_in_whose_hands_update BEFORE UPDATE ON commands WHEN
        NEW.gate IN ('lost-mode', 'locate') AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND EXISTS (SELECT 1 FROM incidents i JOIN tablets t ON t.id = i.tablet_id JOIN (SELECT d.id, d.uai, d.declared_at, COALESCE((SELECT c.noticed_at FROM noticed_corrections c WHERE c.incident_id = d.id ORDER BY c.number DESC LIMIT 1),
        d.noticed_at) AS noticed_at FROM incident_declarations d) s ON s.id = i.id
        WHERE i.id = COALESCE(NEW.incident_id, (SELECT w.incident_id FROM warrants w WHERE w.id = NEW.warrant_id))
        AND (t.uai IS NOT s.uai OR EXISTS (SELECT 1 FROM loans n WHERE n.tablet_id = i.tablet_id AND (n.began_at <= 9223372036854775807 AND (n.state <> 'ended' OR 9223372036854775807 <= n.changed_at
        OR (n.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = n.id AND r.stage <> 'undone' AND r.received_at <= 9223372036854775807)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = n.tablet_id AND later.began_at > n.began_at
        AND later.began_at <= 9223372036854775807))))
        AND (NOT EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = i.tablet_id AND l.person_id = n.person_id
        AND (l.began_at <= s.noticed_at AND (l.state <> 'ended' OR s.noticed_at <= l.changed_at
        OR (l.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage <> 'undone' AND r.received_at <= s.noticed_at)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = l.tablet_id AND later.began_at > l.began_at
        AND later.began_at <= s.noticed_at)))))))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: lost mode and positions rest on no incident of somebody else than who has the tablet, nor of another collège (M1)'); END;
CREATE TRIGGER incident_declarations_gone_on BEFORE INSERT ON incident_declarations WHEN
        NEW.reopens IS NOT NULL AND EXISTS (SELECT 1 FROM incidents i JOIN tablets t ON t.id = i.tablet_id JOIN (SELECT d.id, d.uai, d.declared_at, COALESCE((SELECT c.noticed_at FROM noticed_corrections c WHERE c.incident_id = d.id ORDER BY c.number DESC LIMIT 1),
        d.noticed_at) AS noticed_at FROM incident_declarations d) s ON s.id = i.id
        WHERE i.id = NEW.reopens AND (t.uai IS NOT NEW.uai OR s.uai <> NEW.uai
        OR EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = i.tablet_id AND l.began_at > s.noticed_at)
        OR EXISTS (SELECT 1 FROM loans l WHERE l.tablet_id = i.tablet_id AND (l.began_at <= s.noticed_at AND (l.state <> 'ended' OR s.noticed_at <= l.changed_at
        OR (l.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage <> 'undone' AND r.received_at <= s.noticed_at)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = l.tablet_id AND later.began_at > l.began_at
        AND later.began_at <= s.noticed_at))))
        AND (l.ended_because IN ('given-back', 'given-away')
        OR EXISTS (SELECT 1 FROM restitutions b WHERE b.loan_id = l.id AND b.stage <> 'undone')))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident does not go on once its tablet was received, lent anew or moved (M1)'); END;
CREATE TRIGGER noticed_corrections_within BEFORE INSERT ON noticed_corrections WHEN
        EXISTS (SELECT 1 FROM incidents i JOIN (SELECT d.id, d.uai, d.declared_at, COALESCE((SELECT c.noticed_at FROM noticed_corrections c WHERE c.incident_id = d.id ORDER BY c.number DESC LIMIT 1),
        d.noticed_at) AS noticed_at FROM incident_declarations d) s ON s.id = i.id WHERE i.id = NEW.incident_id
        AND (SELECT l.id FROM loans l WHERE l.tablet_id = i.tablet_id
        AND (l.began_at <= NEW.noticed_at AND (l.state <> 'ended' OR NEW.noticed_at <= l.changed_at
        OR (l.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage <> 'undone' AND r.received_at <= NEW.noticed_at)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = l.tablet_id AND later.began_at > l.began_at
        AND later.began_at <= NEW.noticed_at)))) ORDER BY l.id DESC LIMIT 1) IS NOT (SELECT l.id FROM loans l WHERE l.tablet_id = i.tablet_id
        AND (l.began_at <= s.noticed_at AND (l.state <> 'ended' OR s.noticed_at <= l.changed_at
        OR (l.ended_because NOT IN ('given-back', 'given-away', 'replaced')
        AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage <> 'undone' AND r.received_at <= s.noticed_at)
        AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = l.tablet_id AND later.began_at > l.began_at
        AND later.began_at <= s.noticed_at)))) ORDER BY l.id DESC LIMIT 1))
        AND NOT EXISTS (SELECT 1 FROM incident_declarations d JOIN noticed_corrections o ON o.incident_id = d.reopens
        WHERE d.id = NEW.incident_id AND o.number = NEW.number AND o.noticed_at = NEW.noticed_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: when an incident was noticed is put right within the loan that it concerns (C5.4.2)'); END;
