-- Segments, for PostgreSQL: what tablets that share the same layers are given, signed once for all of them, and how far each
-- of them has come. Lists and what is known are JSON.

-- A signed profile, by the digest of what was signed. Sealed: it may hold the passwords of networks.
CREATE TABLE segment_payloads (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL CONSTRAINT segment_payloads_digest CHECK (length(id) = 64),
    signed_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- The tablets that have the same versions of the same layers, and can do the same.
CREATE TABLE segments (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    key_sha256 TEXT COLLATE "C" UNIQUE NOT NULL CONSTRAINT segments_key CHECK (length(key_sha256) = 64),
    token TEXT COLLATE "C" NOT NULL CONSTRAINT segments_token CHECK (token <> ''),
    class TEXT COLLATE "C" NOT NULL,
    plan TEXT NOT NULL,
    payload_sha256 TEXT COLLATE "C" NOT NULL REFERENCES segment_payloads (id),
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT segments_changed CHECK (changed_at >= created_at)
);
CREATE INDEX segments_by_payload ON segments (payload_sha256);

-- The versions it is made of, in the order of their layers.
CREATE TABLE segment_layers (
    segment_id TEXT COLLATE "C" NOT NULL REFERENCES segments (id),
    place INTEGER NOT NULL,
    version_id TEXT COLLATE "C" NOT NULL REFERENCES profile_versions (id),
    PRIMARY KEY (segment_id, place)
);
CREATE INDEX segment_layers_by_version ON segment_layers (version_id);

-- What is known of one tablet's configuration, and when it is looked at again.
CREATE TABLE deliveries (
    enrolment_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES enrolments (id),
    known TEXT NOT NULL,
    due_at BIGINT,
    woken_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;

-- The rules that are not, or not yet, in force on a tablet that could have them.
CREATE TABLE rule_states (
    enrolment_id TEXT COLLATE "C" NOT NULL REFERENCES enrolments (id),
    rule TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CONSTRAINT rule_states_state CHECK (state IN ('requested', 'failed')),
    why TEXT,
    since BIGINT NOT NULL,
    PRIMARY KEY (enrolment_id, rule),
    CONSTRAINT rule_states_why CHECK (why IS NULL OR state = 'failed')
);
CREATE INDEX rule_states_failed ON rule_states (rule) WHERE state = 'failed';

-- The walk finds the members of a segment, and those who have none.
CREATE INDEX enrolments_by_segment ON enrolments (segment_id, id) WHERE state = 'active';

CREATE FUNCTION segments_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.key_sha256 IS DISTINCT FROM OLD.key_sha256
        OR NEW.class IS DISTINCT FROM OLD.class OR NEW.created_at IS DISTINCT FROM OLD.created_at THEN
        RAISE EXCEPTION 'ardoise: a segment stays the same segment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER segments_before_update BEFORE UPDATE ON segments
    FOR EACH ROW EXECUTE FUNCTION segments_before_update();
CREATE FUNCTION segment_layers_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id
        AND v.state IN ('published', 'superseded')) THEN
        RAISE EXCEPTION 'ardoise: only what was published is given to a tablet (C3.1.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER segment_layers_before_insert BEFORE INSERT ON segment_layers
    FOR EACH ROW EXECUTE FUNCTION segment_layers_before_insert();
CREATE TRIGGER segment_layers_before_update BEFORE UPDATE ON segment_layers
    FOR EACH ROW EXECUTE FUNCTION refuse('a segment stays made of the same versions');
CREATE FUNCTION segment_payloads_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.created_at IS DISTINCT FROM OLD.created_at THEN
        RAISE EXCEPTION 'ardoise: what was signed is never changed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER segment_payloads_before_update BEFORE UPDATE ON segment_payloads
    FOR EACH ROW EXECUTE FUNCTION segment_payloads_before_update();
