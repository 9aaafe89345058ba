-- Profile versions, for PostgreSQL: what a layer said, who decided it, where it is rolled out, and when an emergency
-- base stands in for the ordinary one. Civil dates are ISO texts, lists are JSON.

-- One text of one layer (C3.1.1), sealed, for networks have passwords, and known by its digest. What was submitted is
-- never changed: an edit of it is another version.
CREATE TABLE profile_versions (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    layer_kind TEXT COLLATE "C" NOT NULL CONSTRAINT profile_versions_layer_kind
        CHECK (layer_kind IN ('base', 'emergency', 'user', 'mode', 'college', 'tablet')),
    layer_name TEXT COLLATE "C" NOT NULL,
    uai TEXT COLLATE "C",
    number INTEGER NOT NULL CONSTRAINT profile_versions_number CHECK (number > 0),
    state TEXT NOT NULL CONSTRAINT profile_versions_state CHECK (state IN
        ('draft', 'submitted', 'approved', 'published', 'superseded', 'rejected', 'withdrawn')),
    title TEXT NOT NULL,
    content_sealed BYTEA NOT NULL,
    content_sha256 TEXT COLLATE "C" NOT NULL CONSTRAINT profile_versions_digest CHECK (length(content_sha256) = 64),
    based_on TEXT COLLATE "C" REFERENCES profile_versions (id),
    author_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    edited_at BIGINT NOT NULL,
    submitted_at BIGINT,
    takes_effect_at BIGINT,
    scheduled_by TEXT COLLATE "C" REFERENCES accounts (id),
    rollout_plan TEXT,
    published_at BIGINT,
    superseded_at BIGINT,
    ended_at BIGINT,
    ended_by TEXT COLLATE "C" REFERENCES accounts (id),
    ended_reason TEXT,
    CONSTRAINT profile_versions_of_a_college CHECK ((layer_kind = 'college') = (uai IS NOT NULL)
        AND (uai IS NULL OR uai = layer_name)),
    CONSTRAINT profile_versions_submitted_when CHECK (CASE state WHEN 'draft' THEN submitted_at IS NULL
        WHEN 'withdrawn' THEN TRUE ELSE submitted_at IS NOT NULL END
        AND (submitted_at IS NULL OR submitted_at >= created_at)),
    CONSTRAINT profile_versions_take_effect_when CHECK (CASE WHEN state IN ('draft', 'submitted')
        THEN takes_effect_at IS NULL WHEN state IN ('published', 'superseded') THEN takes_effect_at IS NOT NULL
        AND published_at IS NOT NULL AND published_at >= takes_effect_at AND published_at >= submitted_at ELSE TRUE END),
    CONSTRAINT profile_versions_superseded_when CHECK ((state = 'superseded') = (superseded_at IS NOT NULL)),
    CONSTRAINT profile_versions_ended_when CHECK ((state IN ('rejected', 'withdrawn')) = (ended_at IS NOT NULL)
        AND (ended_by IS NULL OR ended_at IS NOT NULL) AND (ended_reason IS NULL OR ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX profile_versions_numbered ON profile_versions (layer_kind, layer_name, number);
CREATE UNIQUE INDEX profile_versions_one_in_force ON profile_versions (layer_kind, layer_name)
    WHERE state = 'published';
CREATE INDEX profile_versions_due ON profile_versions (takes_effect_at) WHERE state = 'approved';
CREATE INDEX profile_versions_by_digest ON profile_versions (content_sha256, id);

-- Who decided a version: the département and the académie jointly, each by the signature of a second person, or the
-- head or référent of the collège whose additions they are.
CREATE TABLE profile_approvals (
    version_id TEXT COLLATE "C" NOT NULL REFERENCES profile_versions (id),
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    content_sha256 TEXT COLLATE "C" NOT NULL,
    approved_at BIGINT NOT NULL,
    countersignature_id TEXT COLLATE "C" UNIQUE REFERENCES countersignatures (id),
    PRIMARY KEY (version_id, organisation_id)
);

-- How a published version comes to its tablets, wave by wave; until then they keep the one before.
CREATE TABLE rollouts (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    version_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES profile_versions (id),
    previous_id TEXT COLLATE "C" NOT NULL REFERENCES profile_versions (id),
    plan TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT rollouts_state CHECK (state IN ('running', 'paused', 'done', 'rolled-back')),
    wave INTEGER NOT NULL CONSTRAINT rollouts_wave CHECK (wave >= 0),
    wave_since BIGINT NOT NULL,
    reason TEXT,
    started_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    CONSTRAINT rollouts_replace_another CHECK (previous_id <> version_id),
    CONSTRAINT rollouts_ended_when CHECK ((state IN ('done', 'rolled-back')) = (ended_at IS NOT NULL))
);
CREATE INDEX rollouts_by_previous ON rollouts (previous_id);
CREATE INDEX rollouts_open ON rollouts (state) WHERE ended_at IS NULL;

-- Orders that put an emergency base in the ordinary one's place, for some collèges (all, if the list is empty), for
-- thirty days at most (C5.3.7).
CREATE TABLE emergency_orders (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    version_id TEXT COLLATE "C" NOT NULL REFERENCES profile_versions (id),
    uais TEXT NOT NULL,
    starts_on TEXT COLLATE "C" NOT NULL CONSTRAINT emergency_orders_start CHECK (starts_on LIKE '____-__-__'),
    ends_on TEXT COLLATE "C" NOT NULL CONSTRAINT emergency_orders_end CHECK (ends_on LIKE '____-__-__'),
    reason TEXT NOT NULL CONSTRAINT emergency_orders_reason CHECK (reason <> ''),
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    ordered_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    ordered_at BIGINT NOT NULL,
    renews TEXT COLLATE "C" REFERENCES emergency_orders (id),
    ended_at BIGINT,
    ended_by TEXT COLLATE "C" REFERENCES accounts (id),
    CONSTRAINT emergency_orders_last CHECK (starts_on <= ends_on),
    CONSTRAINT emergency_orders_ended_when CHECK (ended_by IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX emergency_orders_by_end ON emergency_orders (ends_on);
CREATE INDEX emergency_orders_by_version ON emergency_orders (version_id);

-- Whom a change of the rules must still be told to (C5.2.6), one row per collège; all of them, where none is named.
CREATE TABLE notices_due (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    uai TEXT COLLATE "C",
    title TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    told_at BIGINT,
    CONSTRAINT notices_due_told_when CHECK (told_at IS NULL OR told_at >= due_at)
);
CREATE INDEX notices_due_waiting ON notices_due (due_at) WHERE told_at IS NULL;
CREATE INDEX notices_due_by_subject ON notices_due (subject);

CREATE FUNCTION profile_versions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM profile_versions x WHERE x.id = NEW.id) OR NEW.state <> 'draft' THEN
        RAISE EXCEPTION 'ardoise: a version begins as a draft (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER profile_versions_before_insert BEFORE INSERT ON profile_versions
    FOR EACH ROW EXECUTE FUNCTION profile_versions_before_insert();
CREATE FUNCTION profile_versions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.layer_kind IS DISTINCT FROM OLD.layer_kind OR NEW.layer_name IS DISTINCT
        FROM OLD.layer_name OR NEW.uai IS DISTINCT FROM OLD.uai OR NEW.number IS DISTINCT FROM OLD.number OR
        NEW.based_on IS DISTINCT FROM OLD.based_on OR NEW.author_id IS DISTINCT FROM OLD.author_id OR NEW.created_at
        IS DISTINCT FROM OLD.created_at THEN
        RAISE EXCEPTION 'ardoise: a version stays the same version';
    END IF;
    IF (NEW.title IS DISTINCT FROM OLD.title OR NEW.content_sha256 IS
        DISTINCT FROM OLD.content_sha256 OR NEW.edited_at IS DISTINCT FROM OLD.edited_at)
        AND NOT (OLD.state = 'draft' AND NEW.state = 'draft') THEN
        RAISE EXCEPTION 'ardoise: what was submitted is never changed: an edit is another version (C3.1.1)';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state WHEN 'draft' THEN NEW.state IN ('submitted', 'withdrawn')
        WHEN 'submitted' THEN NEW.state IN ('approved', 'rejected', 'withdrawn')
        WHEN 'approved' THEN NEW.state IN ('published', 'rejected', 'withdrawn')
        WHEN 'published' THEN NEW.state IN ('superseded', 'withdrawn')
        WHEN 'superseded' THEN NEW.state = 'published' ELSE FALSE END) THEN
        RAISE EXCEPTION 'ardoise: a version takes one step after the other (C3.1.1)';
    END IF;
    IF NEW.state IN ('approved', 'published') AND NEW.layer_kind <> 'college' AND NOT EXISTS (SELECT 1 FROM
        profile_approvals p JOIN organisations o ON o.id = p.organisation_id,
        profile_approvals q JOIN organisations r ON r.id = q.organisation_id
        WHERE p.version_id = NEW.id AND q.version_id = NEW.id AND o.kind = 'departement' AND r.kind = 'academie'
        AND p.content_sha256 = NEW.content_sha256 AND q.content_sha256 = NEW.content_sha256
        AND p.account_id <> q.account_id AND p.account_id <> NEW.author_id AND q.account_id <> NEW.author_id) THEN
        RAISE EXCEPTION 'ardoise: the département and the académie approve exactly this, and neither wrote it (C3.1.1)';
    END IF;
    IF NEW.state IN ('approved', 'published') AND NEW.layer_kind = 'college' AND NOT EXISTS (SELECT 1 FROM
        profile_approvals p JOIN organisations o ON o.id = p.organisation_id
        WHERE p.version_id = NEW.id AND o.uai = NEW.uai AND p.content_sha256 = NEW.content_sha256) THEN
        RAISE EXCEPTION 'ardoise: a collège decides what it adds (C3.1.3)';
    END IF;
    IF (OLD.submitted_at IS NOT NULL AND NEW.submitted_at IS DISTINCT FROM OLD.submitted_at)
        OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.ended_by IS DISTINCT FROM
        OLD.ended_by OR NEW.takes_effect_at IS DISTINCT FROM OLD.takes_effect_at OR NEW.published_at IS DISTINCT FROM
        OLD.published_at))
        OR (OLD.ended_at IS NOT NULL AND NEW.ended_reason IS DISTINCT FROM OLD.ended_reason AND NEW.ended_reason IS
        NOT NULL) THEN
        RAISE EXCEPTION 'ardoise: what became of a version stays written';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER profile_versions_before_update BEFORE UPDATE ON profile_versions
    FOR EACH ROW EXECUTE FUNCTION profile_versions_before_update();
CREATE TRIGGER profile_versions_before_delete BEFORE DELETE ON profile_versions
    FOR EACH ROW EXECUTE FUNCTION refuse('a version stays to be read');
CREATE FUNCTION profile_approvals_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.state = 'submitted'
        AND v.content_sha256 = NEW.content_sha256 AND v.submitted_at <= NEW.approved_at) THEN
        RAISE EXCEPTION 'ardoise: what waits is approved, exactly as it stands (C3.1.1)';
    END IF;
    IF EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.layer_kind <> 'college')
        AND NOT EXISTS (SELECT 1 FROM profile_versions v JOIN countersignatures c
        ON c.id = NEW.countersignature_id AND c.subject = 'version:' || v.content_sha256
        JOIN accounts a ON a.id = NEW.account_id
        WHERE v.id = NEW.version_id AND v.author_id <> NEW.account_id AND c.purpose = 'approve' AND c.state = 'given'
        AND c.answered_by = NEW.account_id AND c.asked_by = v.author_id AND c.answered_at = NEW.approved_at
        AND c.answer_organisation = NEW.organisation_id AND a.organisation_id = NEW.organisation_id) THEN
        RAISE EXCEPTION 'ardoise: an approval is the signature of a second person, of that organisation (C3.1.1)';
    END IF;
    IF EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.layer_kind = 'college')
        AND NOT EXISTS (SELECT 1 FROM profile_versions v JOIN organisations o ON o.uai = v.uai
        JOIN accounts a ON a.organisation_id = o.id JOIN role_grants g ON g.account_id = a.id
        WHERE v.id = NEW.version_id AND o.id = NEW.organisation_id AND a.id = NEW.account_id AND a.state = 'active'
        AND g.role IN ('head', 'referent') AND g.revoked_at IS NULL AND g.granted_at <= NEW.approved_at
        AND NEW.countersignature_id IS NULL) THEN
        RAISE EXCEPTION 'ardoise: the head or the référent of a collège decides what it adds (C3.1.3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER profile_approvals_before_insert BEFORE INSERT ON profile_approvals
    FOR EACH ROW EXECUTE FUNCTION profile_approvals_before_insert();
CREATE TRIGGER profile_approvals_before_update BEFORE UPDATE ON profile_approvals
    FOR EACH ROW EXECUTE FUNCTION refuse('an approval is given once, and never changed (C3.1.1)');
CREATE TRIGGER profile_approvals_before_delete BEFORE DELETE ON profile_approvals
    FOR EACH ROW EXECUTE FUNCTION refuse('an approval stays to be read');
CREATE FUNCTION rollouts_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM rollouts x WHERE x.id = NEW.id) OR NEW.state <> 'running' OR NEW.wave <> 0 THEN
        RAISE EXCEPTION 'ardoise: a roll-out begins with its first wave';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM profile_versions v JOIN profile_versions w ON w.layer_kind = v.layer_kind
        AND w.layer_name = v.layer_name WHERE v.id = NEW.version_id AND w.id = NEW.previous_id
        AND v.state = 'published' AND w.state = 'superseded') THEN
        RAISE EXCEPTION 'ardoise: a roll-out leads from one published version of a layer to the next (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rollouts_before_insert BEFORE INSERT ON rollouts
    FOR EACH ROW EXECUTE FUNCTION rollouts_before_insert();
CREATE FUNCTION rollouts_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.version_id IS DISTINCT FROM OLD.version_id OR NEW.previous_id IS
        DISTINCT FROM OLD.previous_id OR NEW.plan IS DISTINCT FROM OLD.plan OR NEW.started_by IS DISTINCT FROM
        OLD.started_by OR NEW.started_at IS DISTINCT FROM OLD.started_at OR NEW.wave < OLD.wave THEN
        RAISE EXCEPTION 'ardoise: a roll-out follows its plan';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state WHEN 'running' THEN TRUE WHEN 'paused' THEN NEW.state IN
        ('running', 'rolled-back')
        WHEN 'done' THEN NEW.state = 'rolled-back' ELSE FALSE END) THEN
        RAISE EXCEPTION 'ardoise: a roll-out runs, pauses, and ends';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rollouts_before_update BEFORE UPDATE ON rollouts
    FOR EACH ROW EXECUTE FUNCTION rollouts_before_update();
CREATE TRIGGER rollouts_before_delete BEFORE DELETE ON rollouts
    FOR EACH ROW EXECUTE FUNCTION refuse('a roll-out stays to be read');
CREATE FUNCTION emergency_orders_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM emergency_orders x WHERE x.id = NEW.id) OR NEW.ended_at IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id AND v.layer_kind = 'emergency'
        AND v.state = 'published') THEN
        RAISE EXCEPTION 'ardoise: an emergency order takes a base that was prepared and approved (C5.3.7)';
    END IF;
    IF NEW.ends_on::date - NEW.starts_on::date > 29 THEN
        RAISE EXCEPTION 'ardoise: an emergency order lasts thirty days at most (C5.3.7)';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM organisations o JOIN accounts a ON a.organisation_id = o.id WHERE o.id =
        NEW.organisation_id
        AND a.id = NEW.ordered_by AND a.state = 'active'
        AND (o.kind = 'academie' OR (o.kind = 'college' AND NEW.uais = '["' || o.uai || '"]'))) THEN
        RAISE EXCEPTION 'ardoise: the académie orders it, or a collège for itself (C5.3.7)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER emergency_orders_before_insert BEFORE INSERT ON emergency_orders
    FOR EACH ROW EXECUTE FUNCTION emergency_orders_before_insert();
CREATE FUNCTION emergency_orders_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.version_id IS DISTINCT FROM OLD.version_id OR NEW.uais IS DISTINCT FROM
        OLD.uais OR NEW.starts_on IS DISTINCT FROM OLD.starts_on OR NEW.ends_on IS DISTINCT FROM OLD.ends_on OR
        NEW.reason IS DISTINCT FROM OLD.reason OR NEW.organisation_id IS DISTINCT FROM OLD.organisation_id OR
        NEW.ordered_by IS DISTINCT FROM OLD.ordered_by OR NEW.ordered_at IS DISTINCT FROM OLD.ordered_at OR
        NEW.renews IS DISTINCT FROM OLD.renews
        OR OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: an emergency order is frozen, except towards its end (C5.3.7)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER emergency_orders_before_update BEFORE UPDATE ON emergency_orders
    FOR EACH ROW EXECUTE FUNCTION emergency_orders_before_update();
CREATE TRIGGER emergency_orders_before_delete BEFORE DELETE ON emergency_orders
    FOR EACH ROW EXECUTE FUNCTION refuse('an emergency order stays to be read');
CREATE FUNCTION notices_due_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM notices_due x WHERE x.id = NEW.id) OR NEW.told_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: a notice begins untold (C5.2.6)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notices_due_before_insert BEFORE INSERT ON notices_due
    FOR EACH ROW EXECUTE FUNCTION notices_due_before_insert();
CREATE FUNCTION notices_due_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.subject IS DISTINCT FROM OLD.subject OR NEW.uai IS DISTINCT FROM OLD.uai
        OR NEW.title IS DISTINCT FROM OLD.title OR NEW.due_at IS DISTINCT FROM OLD.due_at OR OLD.told_at IS NOT NULL
        THEN
        RAISE EXCEPTION 'ardoise: a notice is told once (C5.2.6)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notices_due_before_update BEFORE UPDATE ON notices_due
    FOR EACH ROW EXECUTE FUNCTION notices_due_before_update();
CREATE TRIGGER notices_due_before_delete BEFORE DELETE ON notices_due
    FOR EACH ROW EXECUTE FUNCTION refuse('a notice stays to be read');
CREATE TRIGGER profile_versions_before_truncate BEFORE TRUNCATE ON profile_versions
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER profile_approvals_before_truncate BEFORE TRUNCATE ON profile_approvals
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER rollouts_before_truncate BEFORE TRUNCATE ON rollouts
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER emergency_orders_before_truncate BEFORE TRUNCATE ON emergency_orders
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER notices_due_before_truncate BEFORE TRUNCATE ON notices_due
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
