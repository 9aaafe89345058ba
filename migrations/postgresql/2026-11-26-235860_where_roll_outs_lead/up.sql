-- Roll-outs lead where they were decided to lead, for PostgreSQL: one follows the plan and the hand that its version was
-- published with, and what was decided jointly is taken out of force only where a version stands before it.

-- The first versions that a tablet had when it went to another collège, while they were rolled out: it keeps them (C3.1.1).
ALTER TABLE enrolments ADD COLUMN kept_versions TEXT;

-- What was taken out of force does not come to tablets any more.
UPDATE rollouts SET state = 'rolled-back', reason = 'its version was withdrawn', ended_at = v.ended_at
    FROM profile_versions v
    WHERE v.id = rollouts.version_id AND rollouts.ended_at IS NULL AND v.state = 'withdrawn';

CREATE FUNCTION rollouts_follow_their_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.previous_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM profile_versions v, profile_versions w WHERE v.id = NEW.version_id
        AND w.id = NEW.previous_id AND v.published_at = NEW.started_at AND w.superseded_at = v.published_at) THEN
        RAISE EXCEPTION 'ardoise: a roll-out leads from one published version of a layer to the next (C3.1.1)';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.rollout_plan = NEW.plan
        AND COALESCE(v.scheduled_by, v.author_id) = NEW.started_by) THEN
        RAISE EXCEPTION 'ardoise: a roll-out follows the plan that its version was published with (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rollouts_follow_their_versions BEFORE INSERT ON rollouts
    FOR EACH ROW EXECUTE FUNCTION rollouts_follow_their_versions();

CREATE FUNCTION profile_versions_are_replaced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'published' AND NEW.state = 'withdrawn' AND NEW.layer_kind NOT IN ('college', 'emergency')
        AND NOT EXISTS (SELECT 1 FROM rollouts r WHERE r.version_id = NEW.id AND r.previous_id IS NOT NULL) THEN
        RAISE EXCEPTION 'ardoise: what was decided jointly is not taken away where nothing stands before it (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER profile_versions_are_replaced BEFORE UPDATE ON profile_versions
    FOR EACH ROW EXECUTE FUNCTION profile_versions_are_replaced();
