-- Segments, for SQLite: what tablets that share the same layers are given, signed once for all of them, and how far each
-- of them has come. Lists and what is known are JSON.

-- A signed profile, by the digest of what was signed. Sealed: it may hold the passwords of networks.
CREATE TABLE segment_payloads (
    id TEXT PRIMARY KEY NOT NULL CONSTRAINT segment_payloads_digest CHECK (length(id) = 64),
    signed_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- The tablets that have the same versions of the same layers, and can do the same.
CREATE TABLE segments (
    id TEXT PRIMARY KEY NOT NULL,
    key_sha256 TEXT UNIQUE NOT NULL CONSTRAINT segments_key CHECK (length(key_sha256) = 64),
    token TEXT NOT NULL CONSTRAINT segments_token CHECK (token <> ''),
    class TEXT NOT NULL,
    plan TEXT NOT NULL,
    payload_sha256 TEXT NOT NULL REFERENCES segment_payloads (id),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CONSTRAINT segments_changed CHECK (changed_at >= created_at)
) STRICT;
CREATE INDEX segments_by_payload ON segments (payload_sha256);

-- The versions it is made of, in the order of their layers.
CREATE TABLE segment_layers (
    segment_id TEXT NOT NULL REFERENCES segments (id),
    place INTEGER NOT NULL,
    version_id TEXT NOT NULL REFERENCES profile_versions (id),
    PRIMARY KEY (segment_id, place)
) STRICT;
CREATE INDEX segment_layers_by_version ON segment_layers (version_id);

-- What is known of one tablet's configuration, and when it is looked at again.
CREATE TABLE deliveries (
    enrolment_id TEXT PRIMARY KEY NOT NULL REFERENCES enrolments (id),
    known TEXT NOT NULL,
    due_at INTEGER,
    woken_at INTEGER,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;

-- The rules that are not, or not yet, in force on a tablet that could have them.
CREATE TABLE rule_states (
    enrolment_id TEXT NOT NULL REFERENCES enrolments (id),
    rule TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT rule_states_state CHECK (state IN ('requested', 'failed')),
    why TEXT,
    since INTEGER NOT NULL,
    PRIMARY KEY (enrolment_id, rule),
    CONSTRAINT rule_states_why CHECK (why IS NULL OR state = 'failed')
) STRICT;
CREATE INDEX rule_states_failed ON rule_states (rule) WHERE state = 'failed';

-- The walk finds the members of a segment, and those who have none.
CREATE INDEX enrolments_by_segment ON enrolments (segment_id, id) WHERE state = 'active';

CREATE TRIGGER segments_before_update BEFORE UPDATE ON segments WHEN
        NEW.id IS NOT OLD.id OR NEW.key_sha256 IS NOT OLD.key_sha256 OR NEW.class IS NOT OLD.class
        OR NEW.created_at IS NOT OLD.created_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: a segment stays the same segment'); END;
CREATE TRIGGER segment_layers_before_insert BEFORE INSERT ON segment_layers WHEN
        NOT EXISTS (SELECT 1 FROM profile_versions v WHERE v.id = NEW.version_id
        AND v.state IN ('published', 'superseded'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: only what was published is given to a tablet (C3.1.1)'); END;
CREATE TRIGGER segment_layers_before_update BEFORE UPDATE ON segment_layers
    BEGIN SELECT RAISE(ABORT, 'ardoise: a segment stays made of the same versions'); END;
CREATE TRIGGER segment_payloads_before_update BEFORE UPDATE ON segment_payloads WHEN
        NEW.id IS NOT OLD.id OR NEW.created_at IS NOT OLD.created_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was signed is never changed'); END;
