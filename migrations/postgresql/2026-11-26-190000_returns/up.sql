-- How a tablet that was erased by order comes back, and what proves that it was. For PostgreSQL.

-- The profile of a return to service: the enrolment it leads to, and the order it was rendered for. Whoever enrols with
-- its challenge brings the token of that order, and nobody else does (M3).
CREATE TABLE return_profiles (
    enrolment_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES enrolments (id),
    order_id TEXT COLLATE "C" NOT NULL REFERENCES erase_orders (id),
    rendered_at BIGINT NOT NULL
);
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

CREATE FUNCTION return_profiles_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM enrolments e JOIN erase_orders o ON o.tablet_id = e.tablet_id
        WHERE e.id = NEW.enrolment_id AND e.state = 'invited' AND o.id = NEW.order_id AND o.state = 'open'
        AND e.id IS DISTINCT FROM o.enrolment_id) THEN
        RAISE EXCEPTION 'ardoise: a return to service is rendered for an open order, to a new enrolment of its tablet (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER return_profiles_before_insert BEFORE INSERT ON return_profiles FOR EACH ROW EXECUTE FUNCTION return_profiles_before_insert();
CREATE TRIGGER return_profiles_before_update BEFORE UPDATE ON return_profiles FOR EACH ROW EXECUTE FUNCTION refuse('the token of a return to service stays what it was (M3)');
CREATE TRIGGER return_profiles_before_delete BEFORE DELETE ON return_profiles FOR EACH ROW EXECUTE FUNCTION refuse('the token of a return to service stays what it was (M3)');
CREATE TRIGGER return_profiles_before_truncate BEFORE TRUNCATE ON return_profiles
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();

-- An enrolment proves an erasure only if no tablet makes it that was not erased: it follows this order's Acknowledged,
-- and brings the order's token, or is automated and awaits its configuration.
CREATE OR REPLACE FUNCTION restitutions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR
        NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR
        NEW.loan_id IS DISTINCT FROM OLD.loan_id OR
        NEW.received_at IS DISTINCT FROM OLD.received_at OR
        NEW.received_by IS DISTINCT FROM OLD.received_by OR
        NEW.accessories IS DISTINCT FROM OLD.accessories OR
        NEW.condition IS DISTINCT FROM OLD.condition OR
        NEW.counted_order_id IS DISTINCT FROM OLD.counted_order_id THEN
        RAISE EXCEPTION 'ardoise: a receipt stays what it was';
    END IF;
    IF OLD.saved_at IS NOT NULL AND NEW.saved_at IS NULL AND NEW.stage <> 'undone' THEN
        RAISE EXCEPTION 'ardoise: what the holder confirmed is not taken back for them';
    END IF;
    IF NOT (NEW.stage = OLD.stage
        OR (OLD.stage = 'received' AND NEW.stage IN ('ordered', 'undone'))
        OR (OLD.stage = 'ordered' AND NEW.stage IN ('delivered', 'erased'))
        OR (OLD.stage = 'delivered' AND NEW.stage IN ('ordered', 'acknowledged', 'erased'))
        OR (OLD.stage = 'acknowledged' AND NEW.stage = 'erased')
        OR (OLD.stage IN ('ordered', 'delivered', 'acknowledged') AND NEW.stage = 'received' AND EXISTS
        (SELECT 1 FROM erase_orders o WHERE o.id = OLD.order_id AND o.state = 'ended'))
        OR (OLD.stage IN ('erased', 'in-stock', 'in-repair') AND NEW.stage IN ('in-stock', 'in-repair'))) THEN
        RAISE EXCEPTION 'ardoise: a restitution goes its way step by step (M3)';
    END IF;
    IF NEW.order_id IS NOT NULL AND (NEW.order_id IS DISTINCT FROM OLD.order_id) AND NOT EXISTS (SELECT 1 FROM erase_orders o
        WHERE OLD.stage = 'received' AND o.id = NEW.order_id AND o.restitution_id = NEW.id AND o.state = 'open') THEN
        RAISE EXCEPTION 'ardoise: a restitution names the open order that was given for it (M3)';
    END IF;
    IF OLD.proof IS NOT NULL AND (NEW.proof IS DISTINCT FROM OLD.proof OR NEW.proof_ref IS DISTINCT FROM OLD.proof_ref OR NEW.order_id IS DISTINCT FROM OLD.order_id) THEN
        RAISE EXCEPTION 'ardoise: a proof of erasure stays what it was (M3)';
    END IF;
    IF NEW.proof = 'reenrolled' AND OLD.proof IS NULL AND NOT (OLD.stage = 'acknowledged' AND EXISTS
        (SELECT 1 FROM enrolments e WHERE e.id = NEW.proof_ref AND e.tablet_id = NEW.tablet_id
        AND e.state IN ('authenticated', 'active')
        AND ((e.authenticated_at > OLD.acknowledged_at AND EXISTS (SELECT 1 FROM return_profiles p
        WHERE p.enrolment_id = e.id AND p.order_id = OLD.order_id))
        OR (e.kind = 'automated' AND e.awaiting_configuration AND e.created_at > OLD.acknowledged_at)))) THEN
        RAISE EXCEPTION 'ardoise: an enrolment proves an erasure that the tablet acknowledged before, if only an erased tablet makes it (M3)';
    END IF;
    RETURN NEW;
END $$;
