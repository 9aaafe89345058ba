-- First roll-outs and orders that meet, for PostgreSQL: the first version of a layer comes in waves too, with nothing
-- before it; and emergency orders of one collège stand side by side only where one renews the other.

ALTER TABLE rollouts ALTER COLUMN previous_id DROP NOT NULL;
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
        AND NOT EXISTS (SELECT 1 FROM profile_versions w WHERE w.layer_kind = v.layer_kind
        AND w.layer_name = v.layer_name AND w.superseded_at = v.published_at)) THEN
        RAISE EXCEPTION 'ardoise: a roll-out with nothing before it is of a layer of which nothing was in force (C3.1.1)';
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
