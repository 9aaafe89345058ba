-- First roll-outs and orders that meet, for SQLite: the first version of a layer comes in waves too, with nothing before
-- it; and emergency orders of one collège stand side by side only where one renews the other.

-- SQLite changes no column: the table is written anew.
CREATE TABLE rollouts_anew (
    id TEXT PRIMARY KEY NOT NULL,
    version_id TEXT NOT NULL UNIQUE REFERENCES profile_versions (id),
    previous_id TEXT REFERENCES profile_versions (id),
    plan TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT rollouts_state CHECK (state IN
        ('running', 'paused', 'done', 'rolled-back', 'replaced')),
    wave INTEGER NOT NULL CONSTRAINT rollouts_wave CHECK (wave >= 0),
    wave_since INTEGER NOT NULL,
    reason TEXT,
    started_by TEXT NOT NULL REFERENCES accounts (id),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    CONSTRAINT rollouts_replace_another CHECK (previous_id <> version_id),
    CONSTRAINT rollouts_ended_when CHECK ((state IN ('done', 'rolled-back', 'replaced')) = (ended_at IS NOT NULL))
) STRICT;
INSERT INTO rollouts_anew (id, version_id, previous_id, plan, state, wave, wave_since, reason, started_by, started_at,
        ended_at)
    SELECT id, version_id, previous_id, plan, state, wave, wave_since, reason, started_by, started_at, ended_at
    FROM rollouts;
DROP TABLE rollouts;
ALTER TABLE rollouts_anew RENAME TO rollouts;
CREATE INDEX rollouts_by_previous ON rollouts (previous_id);
CREATE INDEX rollouts_open ON rollouts (state) WHERE ended_at IS NULL;
CREATE TRIGGER rollouts_before_insert_1 BEFORE INSERT ON rollouts WHEN
        EXISTS (SELECT 1 FROM rollouts x WHERE x.id = NEW.id) OR NEW.state <> 'running' OR NEW.wave <> 0
    BEGIN SELECT RAISE(ABORT, 'ardoise: a roll-out begins with its first wave'); END;
CREATE TRIGGER rollouts_before_insert_2 BEFORE INSERT ON rollouts WHEN
        EXISTS (SELECT 1 FROM rollouts x WHERE x.version_id = NEW.version_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: rollouts.version_id'); END;
CREATE TRIGGER rollouts_before_insert_3 BEFORE INSERT ON rollouts WHEN
        NEW.previous_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM profile_versions v JOIN profile_versions w ON w.layer_kind = v.layer_kind
        AND w.layer_name = v.layer_name WHERE v.id = NEW.version_id AND w.id = NEW.previous_id
        AND v.state = 'published' AND w.state = 'superseded')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a roll-out leads from one published version of a layer to the next (C3.1.1)'); END;
CREATE TRIGGER rollouts_before_insert_4 BEFORE INSERT ON rollouts WHEN
        NEW.previous_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.state = 'published'
        AND v.published_at = NEW.started_at AND NOT EXISTS (SELECT 1 FROM profile_versions w WHERE w.layer_kind = v.layer_kind
        AND w.layer_name = v.layer_name AND w.superseded_at = v.published_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a roll-out with nothing before it is of a layer of which nothing was in force (C3.1.1)'); END;
CREATE TRIGGER rollouts_before_update_1 BEFORE UPDATE ON rollouts WHEN
        NEW.id IS NOT OLD.id OR NEW.version_id IS NOT OLD.version_id OR NEW.previous_id IS NOT OLD.previous_id OR
        NEW.plan IS NOT OLD.plan OR NEW.started_by IS NOT OLD.started_by OR NEW.started_at IS NOT OLD.started_at OR
        NEW.wave < OLD.wave
    BEGIN SELECT RAISE(ABORT, 'ardoise: a roll-out follows its plan'); END;
CREATE TRIGGER rollouts_before_update_2 BEFORE UPDATE ON rollouts WHEN
        NEW.state <> OLD.state AND NOT CASE OLD.state WHEN 'running' THEN TRUE WHEN 'paused' THEN NEW.state IN
        ('running', 'rolled-back', 'replaced')
        WHEN 'done' THEN NEW.state = 'rolled-back' ELSE FALSE END
    BEGIN SELECT RAISE(ABORT, 'ardoise: a roll-out runs, pauses, and ends'); END;
CREATE TRIGGER rollouts_before_update_3 BEFORE UPDATE ON rollouts WHEN
        NEW.state = 'replaced' AND NEW.previous_id IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: only a first version that is not everywhere gives way to another (C3.1.1)'); END;
CREATE TRIGGER rollouts_before_delete_1 BEFORE DELETE ON rollouts WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a roll-out stays to be read'); END;

-- A renewal may be for some of the collèges of what it renews; of one for all, for any.
DROP TRIGGER emergency_orders_before_insert_6;
CREATE TRIGGER emergency_orders_before_insert_6 BEFORE INSERT ON emergency_orders WHEN
        NEW.renews IS NOT NULL AND NOT EXISTS (SELECT 1 FROM emergency_orders r WHERE r.id = NEW.renews
        AND r.ended_at IS NULL AND NEW.starts_on <= date(r.ends_on, '+1 day')
        AND date(NEW.ordered_at / 1000 + 7200, 'unixepoch', '+7 days') >= r.ends_on
        AND (r.uais = '[]' OR (NEW.uais <> '[]' AND NOT EXISTS (SELECT 1 FROM json_each(NEW.uais) a
        WHERE a.value NOT IN (SELECT b.value FROM json_each(r.uais) b)))))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an emergency order is renewed in its last seven days, for collèges of its own (C5.3.7)'); END;
CREATE TRIGGER emergency_orders_before_insert_7 BEFORE INSERT ON emergency_orders WHEN
        EXISTS (SELECT 1 FROM emergency_orders o WHERE o.ended_at IS NULL AND o.id IS NOT NEW.renews
        AND o.starts_on <= NEW.ends_on AND NEW.starts_on <= o.ends_on AND (o.uais = '[]' OR NEW.uais = '[]'
        OR EXISTS (SELECT 1 FROM json_each(o.uais) a JOIN json_each(NEW.uais) b ON a.value = b.value)))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an emergency order stands for that collège on those days (C5.3.7)'); END;
