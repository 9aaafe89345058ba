-- How a tablet that was erased by order comes back, and what proves that it was. For SQLite.

-- The profile of a return to service: the enrolment it leads to, and the order it was rendered for. Whoever enrols with
-- its challenge brings the token of that order, and nobody else does (M3).
CREATE TABLE return_profiles (
    enrolment_id TEXT PRIMARY KEY NOT NULL REFERENCES enrolments (id),
    order_id TEXT NOT NULL REFERENCES erase_orders (id),
    rendered_at INTEGER NOT NULL
) STRICT;
-- However often a command is given again, its order has one.
CREATE UNIQUE INDEX return_profiles_one_of_an_order ON return_profiles (order_id);

-- A technician scans the owner's label as well as the maker's number.
CREATE INDEX tablets_by_label ON tablets (asset_tag) WHERE asset_tag IS NOT NULL;
-- What an order has had queued for its tablet, and which orders are past.
CREATE INDEX commands_by_erase_order ON commands (erase_order_id) WHERE erase_order_id IS NOT NULL;
CREATE INDEX erase_orders_past ON erase_orders (expires_at) WHERE state = 'open';
-- Whose last day of attendance is over (C5.2.3).
CREATE INDEX persons_leaving ON persons (leaves_on) WHERE leaves_on IS NOT NULL;
-- What waits to be ordered.
CREATE INDEX restitutions_to_order ON restitutions (id) WHERE stage = 'received';

CREATE TRIGGER return_profiles_before_insert_1 BEFORE INSERT ON return_profiles WHEN
        EXISTS (SELECT 1 FROM return_profiles p WHERE p.enrolment_id = NEW.enrolment_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: return_profiles.enrolment_id'); END;
CREATE TRIGGER return_profiles_before_insert_2 BEFORE INSERT ON return_profiles WHEN
        EXISTS (SELECT 1 FROM return_profiles p WHERE p.order_id = NEW.order_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: return_profiles.order_id'); END;
CREATE TRIGGER return_profiles_before_insert_3 BEFORE INSERT ON return_profiles WHEN
        NOT EXISTS (SELECT 1 FROM enrolments e JOIN erase_orders o ON o.tablet_id = e.tablet_id
        WHERE e.id = NEW.enrolment_id AND e.state = 'invited' AND o.id = NEW.order_id AND o.state = 'open'
        AND e.id IS NOT o.enrolment_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a return to service is rendered for an open order, to a new enrolment of its tablet (M3)'); END;
CREATE TRIGGER return_profiles_before_update_1 BEFORE UPDATE ON return_profiles WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: the token of a return to service stays what it was (M3)'); END;
CREATE TRIGGER return_profiles_before_delete_1 BEFORE DELETE ON return_profiles WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: the token of a return to service stays what it was (M3)'); END;

-- An enrolment proves an erasure only if no tablet makes it that was not erased: it follows this order's Acknowledged,
-- and brings the order's token, or is automated and awaits its configuration.
DROP TRIGGER restitutions_before_update_6;
CREATE TRIGGER restitutions_before_update_6 BEFORE UPDATE ON restitutions WHEN
        NEW.proof = 'reenrolled' AND OLD.proof IS NULL AND NOT (OLD.stage = 'acknowledged' AND EXISTS
        (SELECT 1 FROM enrolments e WHERE e.id = NEW.proof_ref AND e.tablet_id = NEW.tablet_id
        AND e.state IN ('authenticated', 'active')
        AND ((e.authenticated_at > OLD.acknowledged_at AND EXISTS (SELECT 1 FROM return_profiles p
        WHERE p.enrolment_id = e.id AND p.order_id = OLD.order_id))
        OR (e.kind = 'automated' AND e.awaiting_configuration AND e.created_at > OLD.acknowledged_at))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an enrolment proves an erasure that the tablet acknowledged before, if only an erased tablet makes it (M3)'); END;
