-- Layers and apps, for SQLite: what a collège adds is suspended when it contradicts what was decided jointly since; emergency
-- orders follow one another only when somebody decides each; how a version was scheduled stays written.

-- A published layer of a collège that is not given for now, because what was decided jointly since says otherwise: that
-- is never kept from tablets by it (C3.1.3).
CREATE TABLE layer_suspensions (
    version_id TEXT PRIMARY KEY NOT NULL REFERENCES profile_versions (id),
    uai TEXT NOT NULL,
    why TEXT NOT NULL CONSTRAINT layer_suspensions_why CHECK (why <> ''),
    suspended_at INTEGER NOT NULL,
    lifted_at INTEGER,
    CONSTRAINT layer_suspensions_lifted_when CHECK (lifted_at IS NULL OR lifted_at >= suspended_at)
) STRICT;
CREATE INDEX layer_suspensions_standing ON layer_suspensions (uai) WHERE lifted_at IS NULL;

CREATE TRIGGER layer_suspensions_before_insert_1 BEFORE INSERT ON layer_suspensions WHEN
        NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.uai = NEW.uai)
    BEGIN SELECT RAISE(ABORT, 'ardoise: only what a collège adds is suspended (C3.1.1)'); END;
CREATE TRIGGER layer_suspensions_before_update_1 BEFORE UPDATE ON layer_suspensions WHEN
        NEW.version_id IS NOT OLD.version_id OR NEW.uai IS NOT OLD.uai
    BEGIN SELECT RAISE(ABORT, 'ardoise: only what a collège adds is suspended (C3.1.1)'); END;
CREATE TRIGGER layer_suspensions_before_delete_1 BEFORE DELETE ON layer_suspensions WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a suspension stays to be read'); END;

CREATE TRIGGER emergency_orders_before_insert_4 BEFORE INSERT ON emergency_orders WHEN
        date(NEW.starts_on) IS NOT NEW.starts_on OR date(NEW.ends_on) IS NOT NEW.ends_on
    BEGIN SELECT RAISE(ABORT, 'ardoise: an emergency order names days that there are (C5.3.7)'); END;
-- Two hours, because a day begins in Europe/Paris before it does in UTC.
CREATE TRIGGER emergency_orders_before_insert_5 BEFORE INSERT ON emergency_orders WHEN
        NEW.starts_on > date(NEW.ordered_at / 1000 + 7200, 'unixepoch', '+7 days')
    BEGIN SELECT RAISE(ABORT, 'ardoise: an emergency order begins within seven days of its decision (C5.3.7)'); END;
CREATE TRIGGER emergency_orders_before_insert_6 BEFORE INSERT ON emergency_orders WHEN
        NEW.renews IS NOT NULL AND NOT EXISTS (SELECT 1 FROM emergency_orders r WHERE r.id = NEW.renews
        AND r.ended_at IS NULL AND r.uais = NEW.uais AND NEW.starts_on <= date(r.ends_on, '+1 day')
        AND date(NEW.ordered_at / 1000 + 7200, 'unixepoch', '+7 days') >= r.ends_on)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an emergency order is renewed in its last seven days, for the same collèges (C5.3.7)'); END;
CREATE TRIGGER profile_versions_before_update_7 BEFORE UPDATE ON profile_versions WHEN
        NEW.layer_kind = 'emergency' AND OLD.state IN ('published', 'superseded') AND NEW.state = 'withdrawn'
        AND EXISTS (SELECT 1 FROM emergency_orders o WHERE o.version_id = NEW.id AND o.ended_at IS NULL
        AND o.ends_on >= date(NEW.ended_at / 1000 + 7200, 'unixepoch'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an emergency order rests on this base (C5.3.7)'); END;
CREATE TRIGGER profile_versions_before_update_8 BEFORE UPDATE ON profile_versions WHEN
        OLD.published_at IS NOT NULL AND (NEW.rollout_plan IS NOT OLD.rollout_plan OR NEW.scheduled_by IS NOT
        OLD.scheduled_by OR NEW.takes_effect_at IS NOT OLD.takes_effect_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: how a version came into force stays written (C3.1.1)'); END;
