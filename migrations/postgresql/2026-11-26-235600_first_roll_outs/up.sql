-- First roll-outs and orders that meet, for PostgreSQL: the first version of a layer comes in waves too, with nothing
-- before it; and emergency orders of one collège stand side by side only where one renews the other.

ALTER TABLE rollouts ALTER COLUMN previous_id DROP NOT NULL;
ALTER TABLE rollouts DROP CONSTRAINT rollouts_state;
ALTER TABLE rollouts ADD CONSTRAINT rollouts_state CHECK (state IN
    ('running', 'paused', 'done', 'rolled-back', 'replaced'));
ALTER TABLE rollouts DROP CONSTRAINT rollouts_ended_when;
ALTER TABLE rollouts ADD CONSTRAINT rollouts_ended_when CHECK ((state IN ('done', 'rolled-back', 'replaced')) =
    (ended_at IS NOT NULL));
CREATE OR REPLACE FUNCTION rollouts_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM rollouts x WHERE x.id = NEW.id) OR NEW.state <> 'running' OR NEW.wave <> 0 THEN
        RAISE EXCEPTION 'ardoise: a roll-out begins with its first wave';
    END IF;
    IF NEW.previous_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM profile_versions v JOIN profile_versions w ON w.layer_kind = v.layer_kind
        AND w.layer_name = v.layer_name WHERE v.id = NEW.version_id AND w.id = NEW.previous_id
        AND v.state = 'published' AND w.state = 'superseded') THEN
        RAISE EXCEPTION 'ardoise: a roll-out leads from one published version of a layer to the next (C3.1.1)';
    END IF;
    IF NEW.previous_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.state = 'published'
        AND v.published_at = NEW.started_at AND NOT EXISTS (SELECT 1 FROM profile_versions w WHERE w.layer_kind = v.layer_kind
        AND w.layer_name = v.layer_name AND w.superseded_at = v.published_at)) THEN
        RAISE EXCEPTION 'ardoise: a roll-out with nothing before it is of a layer of which nothing was in force (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION rollouts_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.version_id IS DISTINCT FROM OLD.version_id OR NEW.previous_id IS
        DISTINCT FROM OLD.previous_id OR NEW.plan IS DISTINCT FROM OLD.plan OR NEW.started_by IS DISTINCT FROM
        OLD.started_by OR NEW.started_at IS DISTINCT FROM OLD.started_at OR NEW.wave < OLD.wave THEN
        RAISE EXCEPTION 'ardoise: a roll-out follows its plan';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state WHEN 'running' THEN TRUE WHEN 'paused' THEN NEW.state IN
        ('running', 'rolled-back', 'replaced')
        WHEN 'done' THEN NEW.state = 'rolled-back' ELSE FALSE END) THEN
        RAISE EXCEPTION 'ardoise: a roll-out runs, pauses, and ends';
    END IF;
    IF NEW.state = 'replaced' AND NEW.previous_id IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: only a first version that is not everywhere gives way to another (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;

-- A renewal may be for some of the collèges of what it renews; of one for all, for any.
CREATE OR REPLACE FUNCTION emergency_orders_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ordered_on date := (to_timestamp(NEW.ordered_at / 1000) AT TIME ZONE 'Europe/Paris')::date;
BEGIN
    IF to_char(NEW.starts_on::date, 'YYYY-MM-DD') <> NEW.starts_on OR to_char(NEW.ends_on::date, 'YYYY-MM-DD') <>
        NEW.ends_on THEN
        RAISE EXCEPTION 'ardoise: an emergency order names days that there are (C5.3.7)';
    END IF;
    IF NEW.starts_on::date > ordered_on + 7 THEN
        RAISE EXCEPTION 'ardoise: an emergency order begins within seven days of its decision (C5.3.7)';
    END IF;
    IF NEW.renews IS NOT NULL AND NOT EXISTS (SELECT 1 FROM emergency_orders r WHERE r.id = NEW.renews
        AND r.ended_at IS NULL AND NEW.starts_on::date <= r.ends_on::date + 1
        AND ordered_on + 7 >= r.ends_on::date
        AND (r.uais = '[]' OR (NEW.uais <> '[]' AND r.uais::jsonb @> NEW.uais::jsonb))) THEN
        RAISE EXCEPTION 'ardoise: an emergency order is renewed in its last seven days, for collèges of its own (C5.3.7)';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION emergency_orders_meet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM emergency_orders o WHERE o.ended_at IS NULL AND o.id IS DISTINCT FROM NEW.renews
        AND o.starts_on <= NEW.ends_on AND NEW.starts_on <= o.ends_on AND (o.uais = '[]' OR NEW.uais = '[]'
        OR EXISTS (SELECT 1 FROM jsonb_array_elements_text(o.uais::jsonb) a(uai)
        JOIN jsonb_array_elements_text(NEW.uais::jsonb) b(uai) ON a.uai = b.uai))) THEN
        RAISE EXCEPTION 'ardoise: an emergency order stands for that collège on those days (C5.3.7)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER emergency_orders_meet BEFORE INSERT ON emergency_orders
    FOR EACH ROW EXECUTE FUNCTION emergency_orders_meet();
