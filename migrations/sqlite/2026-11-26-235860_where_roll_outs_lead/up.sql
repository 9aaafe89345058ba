-- Roll-outs lead where they were decided to lead, for SQLite: one follows the plan and the hand that its version was published
-- with, and what was decided jointly is taken out of force only where a version stands before it.

-- The first versions that a tablet had when it went to another collège, while they were rolled out: it keeps them (C3.1.1).
ALTER TABLE enrolments ADD COLUMN kept_versions TEXT;

-- What was taken out of force does not come to tablets any more.
UPDATE rollouts SET state = 'rolled-back', reason = 'its version was withdrawn',
        ended_at = (SELECT v.ended_at FROM profile_versions v WHERE v.id = rollouts.version_id)
    WHERE ended_at IS NULL AND EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = rollouts.version_id
        AND v.state = 'withdrawn');

DROP TRIGGER rollouts_before_insert_3;
CREATE TRIGGER rollouts_before_insert_3 BEFORE INSERT ON rollouts WHEN
        NEW.previous_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM profile_versions v JOIN profile_versions w ON w.layer_kind = v.layer_kind
        AND w.layer_name = v.layer_name WHERE v.id = NEW.version_id AND w.id = NEW.previous_id
        AND v.state = 'published' AND w.state = 'superseded' AND v.published_at = NEW.started_at
        AND w.superseded_at = v.published_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a roll-out leads from one published version of a layer to the next (C3.1.1)'); END;
CREATE TRIGGER rollouts_before_insert_5 BEFORE INSERT ON rollouts WHEN
        NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.rollout_plan = NEW.plan
        AND COALESCE(v.scheduled_by, v.author_id) = NEW.started_by)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a roll-out follows the plan that its version was published with (C3.1.1)'); END;
CREATE TRIGGER profile_versions_before_update_9 BEFORE UPDATE ON profile_versions WHEN
        OLD.state = 'published' AND NEW.state = 'withdrawn' AND NEW.layer_kind NOT IN ('college', 'emergency')
        AND NOT EXISTS (SELECT 1 FROM rollouts r WHERE r.version_id = NEW.id AND r.previous_id IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was decided jointly is not taken away where nothing stands before it (C3.1.1)'); END;
