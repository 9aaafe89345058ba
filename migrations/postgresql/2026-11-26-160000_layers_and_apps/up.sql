-- Layers and apps, for PostgreSQL: what a collège adds is suspended when it contradicts what was decided jointly since;
-- emergency orders follow one another only when somebody decides each; how a version was scheduled stays written.

-- A published layer of a collège that is not given for now, because what was decided jointly since says otherwise: that
-- is never kept from tablets by it (C3.1.3).
CREATE TABLE layer_suspensions (
    version_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES profile_versions (id),
    uai TEXT COLLATE "C" NOT NULL,
    why TEXT NOT NULL CONSTRAINT layer_suspensions_why CHECK (why <> ''),
    suspended_at BIGINT NOT NULL,
    lifted_at BIGINT,
    CONSTRAINT layer_suspensions_lifted_when CHECK (lifted_at IS NULL OR lifted_at >= suspended_at)
);
CREATE INDEX layer_suspensions_standing ON layer_suspensions (uai) WHERE lifted_at IS NULL;

CREATE FUNCTION layer_suspensions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.uai = NEW.uai) THEN
        RAISE EXCEPTION 'ardoise: only what a collège adds is suspended (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER layer_suspensions_before_insert BEFORE INSERT ON layer_suspensions
    FOR EACH ROW EXECUTE FUNCTION layer_suspensions_before_insert();
CREATE FUNCTION layer_suspensions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version_id IS DISTINCT FROM OLD.version_id OR NEW.uai IS DISTINCT FROM OLD.uai THEN
        RAISE EXCEPTION 'ardoise: only what a collège adds is suspended (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER layer_suspensions_before_update BEFORE UPDATE ON layer_suspensions
    FOR EACH ROW EXECUTE FUNCTION layer_suspensions_before_update();
CREATE TRIGGER layer_suspensions_before_delete BEFORE DELETE ON layer_suspensions
    FOR EACH ROW EXECUTE FUNCTION refuse('a suspension stays to be read');

CREATE FUNCTION emergency_orders_follow() RETURNS trigger LANGUAGE plpgsql AS $$
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
        AND r.ended_at IS NULL AND r.uais = NEW.uais AND NEW.starts_on::date <= r.ends_on::date + 1
        AND ordered_on + 7 >= r.ends_on::date) THEN
        RAISE EXCEPTION 'ardoise: an emergency order is renewed in its last seven days, for the same collèges (C5.3.7)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER emergency_orders_follow BEFORE INSERT ON emergency_orders
    FOR EACH ROW EXECUTE FUNCTION emergency_orders_follow();

CREATE FUNCTION profile_versions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.layer_kind = 'emergency' AND OLD.state IN ('published', 'superseded') AND NEW.state = 'withdrawn'
        AND EXISTS (SELECT 1 FROM emergency_orders o WHERE o.version_id = NEW.id AND o.ended_at IS NULL
        AND o.ends_on::date >= (to_timestamp(NEW.ended_at / 1000) AT TIME ZONE 'Europe/Paris')::date) THEN
        RAISE EXCEPTION 'ardoise: an emergency order rests on this base (C5.3.7)';
    END IF;
    IF OLD.published_at IS NOT NULL AND (NEW.rollout_plan IS DISTINCT FROM OLD.rollout_plan OR NEW.scheduled_by IS
        DISTINCT FROM OLD.scheduled_by OR NEW.takes_effect_at IS DISTINCT FROM OLD.takes_effect_at) THEN
        RAISE EXCEPTION 'ardoise: how a version came into force stays written (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER profile_versions_stay BEFORE UPDATE ON profile_versions
    FOR EACH ROW EXECUTE FUNCTION profile_versions_stay();

CREATE TRIGGER layer_suspensions_before_truncate BEFORE TRUNCATE ON layer_suspensions
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
