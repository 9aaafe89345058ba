-- First light, for PostgreSQL. The same tables and columns as for SQLite: ids and JSON are text, instants are
-- unix milliseconds.

-- The inventory: tablets supplied or approved by the département (C3.3.4).
CREATE TABLE tablets (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    serial TEXT NOT NULL UNIQUE,
    asset_tag TEXT,
    model TEXT,
    platform TEXT NOT NULL CONSTRAINT tablets_platform CHECK (platform IN ('ipad', 'android')),
    uai TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX tablets_by_school ON tablets (uai, id);

-- Certificate authorities: ours, and further ones whose tablets were taken over.
CREATE TABLE authorities (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CONSTRAINT authorities_kind CHECK (kind IN ('own', 'further')),
    state TEXT NOT NULL CONSTRAINT authorities_state CHECK (state IN ('current', 'previous', 'retired')),
    certificate BYTEA NOT NULL,
    key_sealed BYTEA,
    fingerprint TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX authorities_one_current ON authorities (kind) WHERE kind = 'own' AND state = 'current';

-- Enrolment links: for one tablet, or counted for a batch.
CREATE TABLE links (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    token_sha256 TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CONSTRAINT links_kind CHECK (kind IN ('tablet', 'batch')),
    tablet_id TEXT COLLATE "C" REFERENCES tablets (id),
    uai TEXT,
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    expires_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    CONSTRAINT links_are_counted CHECK (uses >= 0 AND uses <= max_uses),
    CONSTRAINT links_name_their_tablet CHECK ((kind = 'tablet') = (tablet_id IS NOT NULL))
);

-- Permissions to bring in a tablet of another server, one per certificate.
CREATE TABLE takeovers (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    udid TEXT NOT NULL,
    serial TEXT NOT NULL,
    topic TEXT NOT NULL,
    push_token_sealed BYTEA NOT NULL,
    push_magic_sealed BYTEA NOT NULL,
    unlock_token_sealed BYTEA,
    certificate_sha256 TEXT NOT NULL UNIQUE,
    authority_fingerprint TEXT NOT NULL,
    imported_at BIGINT NOT NULL,
    imported_by TEXT NOT NULL,
    window_ends_at BIGINT NOT NULL,
    used_at BIGINT,
    enrolment_id TEXT COLLATE "C"
);

-- Enrolments: from an invitation to its end. A tablet that enrols again has a new row.
CREATE TABLE enrolments (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tablet_id TEXT COLLATE "C" REFERENCES tablets (id),
    platform TEXT NOT NULL CONSTRAINT enrolments_platform CHECK (platform IN ('ipad', 'android')),
    state TEXT NOT NULL CONSTRAINT enrolments_state
        CHECK (state IN ('invited', 'authenticated', 'active', 'ended', 'superseded', 'lapsed')),
    kind TEXT NOT NULL CONSTRAINT enrolments_kind CHECK (kind IN ('link', 'automated', 'taken-over')),
    supervision TEXT NOT NULL CONSTRAINT enrolments_supervision
        CHECK (supervision IN ('unknown', 'supervised', 'unsupervised')),
    udid TEXT,
    serial TEXT,
    topic TEXT,
    push_token_sealed BYTEA,
    push_magic_sealed BYTEA,
    unlock_token_sealed BYTEA,
    bootstrap_token_sealed BYTEA,
    awaiting_configuration BOOLEAN NOT NULL,
    os_version TEXT,
    build_version TEXT,
    product_name TEXT,
    access_rights INTEGER,
    link_id TEXT COLLATE "C" REFERENCES links (id),
    takeover_id TEXT COLLATE "C" REFERENCES takeovers (id),
    segment_id TEXT COLLATE "C",
    reported_token TEXT,
    end_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    authenticated_at BIGINT,
    token_updated_at BIGINT,
    ended_at BIGINT
);
-- A tablet is enrolled once at a time.
CREATE UNIQUE INDEX enrolments_one_live_per_tablet ON enrolments (tablet_id)
    WHERE state IN ('authenticated', 'active');
CREATE INDEX enrolments_by_tablet ON enrolments (tablet_id, id);
CREATE INDEX enrolments_by_udid ON enrolments (udid);
CREATE INDEX enrolments_by_topic ON enrolments (topic);

-- When each tablet last spoke: written in batches, the newest tenth of a second may be lost in a crash.
CREATE TABLE presence (
    enrolment_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES enrolments (id),
    last_seen_at BIGINT NOT NULL
) WITH (fillfactor = 60);

-- Certificates (not their keys): each bound to one enrolment when issued, never rebound.
CREATE TABLE certificates (
    sha256 TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    enrolment_id TEXT COLLATE "C" NOT NULL REFERENCES enrolments (id),
    authority_fingerprint TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT certificates_state
        CHECK (state IN ('issued', 'confirmed', 'superseded', 'revoked')),
    issued_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    first_used_at BIGINT,
    renewed_from TEXT COLLATE "C" REFERENCES certificates (sha256)
);
CREATE INDEX certificates_by_enrolment ON certificates (enrolment_id);
CREATE INDEX certificates_by_expiry ON certificates (not_after);

-- Single-use SCEP challenges.
CREATE TABLE challenges (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    secret_sha256 TEXT NOT NULL UNIQUE,
    enrolment_id TEXT COLLATE "C" NOT NULL REFERENCES enrolments (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    used_for TEXT,
    CONSTRAINT challenges_used_for_something CHECK ((used_at IS NULL) = (used_for IS NULL))
);

-- What dangerous commands rest on. Each row is frozen once made, except towards its end.
CREATE TABLE incidents (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT incidents_state CHECK (state IN ('open', 'closed')),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    CONSTRAINT incidents_closed_when CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);

CREATE TABLE warrants (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (id),
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    state TEXT NOT NULL CONSTRAINT warrants_state CHECK (state IN ('open', 'ended')),
    opens_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- 168 hours at most (M1).
    CONSTRAINT warrants_last CHECK (opens_at < expires_at AND expires_at - opens_at <= 604800000)
);

CREATE TABLE erase_orders (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    enrolment_id TEXT COLLATE "C" REFERENCES enrolments (id),
    cause TEXT NOT NULL CONSTRAINT erase_orders_cause
        CHECK (cause IN ('restitution', 'donation', 'retirement', 'theft')),
    state TEXT NOT NULL CONSTRAINT erase_orders_state CHECK (state IN ('open', 'ended')),
    not_before BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT erase_orders_last CHECK (not_before < expires_at)
);

CREATE TABLE enrolment_ends (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    enrolment_id TEXT COLLATE "C" NOT NULL REFERENCES enrolments (id),
    reason TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT enrolment_ends_state CHECK (state IN ('open', 'ended'))
);

-- Every tablet's queue, and what became of each command. Only ordinary commands carry a payload, and one
-- that is rendered at delivery carries none. An answer to a locate command is never kept here (M2).
CREATE TABLE commands (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    enrolment_id TEXT COLLATE "C" NOT NULL REFERENCES enrolments (id),
    tablet_id TEXT COLLATE "C" NOT NULL REFERENCES tablets (id),
    request_type TEXT NOT NULL,
    gate TEXT NOT NULL CONSTRAINT commands_gate
        CHECK (gate IN ('ordinary', 'lost-mode', 'locate', 'erase', 'unenrol')),
    incident_id TEXT COLLATE "C" REFERENCES incidents (id),
    warrant_id TEXT COLLATE "C" REFERENCES warrants (id),
    erase_order_id TEXT COLLATE "C" REFERENCES erase_orders (id),
    enrolment_end_id TEXT COLLATE "C" REFERENCES enrolment_ends (id),
    payload BYTEA,
    priority INTEGER NOT NULL,
    urgent BOOLEAN NOT NULL,
    state TEXT NOT NULL CONSTRAINT commands_state CHECK (state IN
        ('queued', 'sent', 'not-now', 'acknowledged', 'failed', 'expired', 'cancelled', 'void')),
    replaces_key TEXT,
    idempotency_key TEXT,
    queued_at BIGINT NOT NULL,
    queued_by TEXT NOT NULL,
    not_before BIGINT,
    expires_at BIGINT,
    sent_at BIGINT,
    sent_count INTEGER NOT NULL,
    not_now_at BIGINT,
    not_now_count INTEGER NOT NULL,
    retry_at BIGINT,
    answered_at BIGINT,
    result TEXT,
    error TEXT,
    answer_raw BYTEA,
    pending BOOLEAN NOT NULL GENERATED ALWAYS AS (state IN ('queued', 'sent', 'not-now')) STORED,
    CONSTRAINT commands_ordinary_rests_on_nothing CHECK (gate <> 'ordinary' OR (
        incident_id IS NULL AND warrant_id IS NULL AND erase_order_id IS NULL AND enrolment_end_id IS NULL
        AND request_type NOT IN
        ('EraseDevice', 'DeleteUser', 'LogOutUser', 'EnableLostMode', 'DeviceLocation'))),
    CONSTRAINT commands_lost_mode_rests_on_an_incident CHECK (gate <> 'lost-mode' OR (
        incident_id IS NOT NULL AND warrant_id IS NULL AND erase_order_id IS NULL AND enrolment_end_id IS NULL
        AND payload IS NULL AND request_type IN ('EnableLostMode', 'PlayLostModeSound'))),
    CONSTRAINT commands_locate_rests_on_a_warrant CHECK (gate <> 'locate' OR (
        warrant_id IS NOT NULL AND incident_id IS NULL AND erase_order_id IS NULL AND enrolment_end_id IS NULL
        AND payload IS NULL AND result IS NULL AND answer_raw IS NULL AND request_type = 'DeviceLocation')),
    CONSTRAINT commands_erase_rests_on_an_order CHECK (gate <> 'erase' OR (
        erase_order_id IS NOT NULL AND incident_id IS NULL AND warrant_id IS NULL AND enrolment_end_id IS NULL
        AND payload IS NULL AND request_type = 'EraseDevice')),
    CONSTRAINT commands_unenrol_rests_on_an_end CHECK (gate <> 'unenrol' OR (
        enrolment_end_id IS NOT NULL AND incident_id IS NULL AND warrant_id IS NULL AND erase_order_id IS NULL
        AND payload IS NULL AND request_type = 'RemoveProfile'))
);
CREATE INDEX commands_pending ON commands (enrolment_id, priority DESC, id) WHERE pending;
CREATE INDEX commands_to_expire ON commands (expires_at) WHERE pending;
CREATE INDEX commands_by_tablet ON commands (tablet_id, id);
CREATE UNIQUE INDEX commands_once_per_key ON commands (tablet_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- What each tablet last reported, one row a kind.
CREATE TABLE observations (
    enrolment_id TEXT COLLATE "C" NOT NULL REFERENCES enrolments (id),
    kind TEXT NOT NULL,
    reported_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (enrolment_id, kind)
);

CREATE TABLE push_certificates (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    topic TEXT NOT NULL,
    chain_pem TEXT NOT NULL,
    key_sealed BYTEA NOT NULL,
    not_after BIGINT NOT NULL,
    state TEXT NOT NULL CONSTRAINT push_certificates_state CHECK (state IN ('current', 'previous')),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX push_certificates_one_current ON push_certificates (state) WHERE state = 'current';

-- Which tablets are to be woken, and how the last attempt went. One push for a tablet, however many commands.
CREATE TABLE push_states (
    enrolment_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES enrolments (id),
    wanted_at BIGINT,
    due_at BIGINT,
    pushed_at BIGINT,
    attempts INTEGER NOT NULL,
    outcome TEXT,
    token_invalid_since BIGINT,
    lease_until BIGINT
);
CREATE INDEX push_states_due ON push_states (due_at) WHERE due_at IS NOT NULL;

-- Work that is due. A lease says that a node is at it.
CREATE TABLE jobs (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    key TEXT UNIQUE,
    due_at BIGINT NOT NULL,
    lease_until BIGINT,
    attempts INTEGER NOT NULL,
    body TEXT NOT NULL,
    last_error TEXT
);
CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE api_tokens (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    secret_sha256 TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);

-- Certificates of our authorities that no row knows: a restored database forgets nobody for good.
CREATE TABLE orphans (
    certificate_sha256 TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    udid TEXT,
    serial TEXT,
    authority_fingerprint TEXT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    sightings BIGINT NOT NULL
);

-- One open alarm for a kind and what it is about; seen again, it is counted.
CREATE TABLE alarms (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    tablet_id TEXT COLLATE "C" REFERENCES tablets (id),
    enrolment_id TEXT COLLATE "C" REFERENCES enrolments (id),
    raised_at BIGINT NOT NULL,
    last_raised_at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    detail TEXT NOT NULL,
    settled_at BIGINT
);
CREATE UNIQUE INDEX alarms_raised_once ON alarms (kind, subject) WHERE settled_at IS NULL;

-- Who did what, on which tablet, why. Appended, never edited: only a body may be emptied (C3.1.6).
CREATE TABLE audit (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    tablet_id TEXT COLLATE "C",
    enrolment_id TEXT COLLATE "C",
    order_ref TEXT,
    reason TEXT,
    detail TEXT
);
CREATE INDEX audit_by_tablet ON audit (tablet_id, seq);

CREATE TABLE settings (
    name TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

ALTER TABLE takeovers ADD FOREIGN KEY (enrolment_id) REFERENCES enrolments (id);
ALTER TABLE enrolments ADD FOREIGN KEY (end_id) REFERENCES enrolment_ends (id);

-- What no statement may do, whatever program sends it. The rows' own instants are compared, never the clock
-- of the machine.
CREATE FUNCTION commands_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM commands c WHERE c.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a queued command is what it was when it was queued';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM enrolments e WHERE e.id = NEW.enrolment_id AND e.tablet_id = NEW.tablet_id) THEN
        RAISE EXCEPTION 'ardoise: a command goes to an enrolment of its own tablet';
    END IF;
    IF NEW.gate = 'lost-mode' AND NEW.state IN ('queued', 'sent', 'not-now')
            AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
            AND i.tablet_id = NEW.tablet_id AND i.kind IN ('loss', 'theft', 'authority-request')
            AND i.state = 'open' AND i.opened_at <= NEW.queued_at) THEN
        RAISE EXCEPTION 'ardoise: lost mode needs an open incident of this tablet (M1)';
    END IF;
    IF NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent', 'not-now')
            AND NOT EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
            WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
            AND i.kind IN ('loss', 'theft', 'authority-request') AND i.state = 'open' AND w.state = 'open'
            AND w.opens_at <= NEW.queued_at AND NEW.queued_at < w.expires_at
            AND (NEW.sent_at IS NULL OR NEW.sent_at < w.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: a position needs an open warrant of this tablet (M1)';
    END IF;
    IF NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now')
            AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
            AND o.tablet_id = NEW.tablet_id AND (o.enrolment_id IS NULL OR o.enrolment_id = NEW.enrolment_id)
            AND o.state = 'open' AND o.not_before <= NEW.queued_at AND NEW.queued_at < o.expires_at
            AND (NEW.sent_at IS NULL OR NEW.sent_at < o.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: an erasure needs an open erase order of this tablet (M3)';
    END IF;
    IF NEW.gate = 'unenrol' AND NEW.state IN ('queued', 'sent', 'not-now')
            AND NOT EXISTS (SELECT 1 FROM enrolment_ends x WHERE x.id = NEW.enrolment_end_id
            AND x.enrolment_id = NEW.enrolment_id AND x.state = 'open' AND x.decided_at <= NEW.queued_at) THEN
        RAISE EXCEPTION 'ardoise: an unenrolment needs a recorded end of this enrolment (M4)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_before_insert BEFORE INSERT ON commands FOR EACH ROW EXECUTE FUNCTION commands_before_insert();
CREATE FUNCTION commands_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.gate = 'lost-mode' AND NEW.state IN ('queued', 'sent')
            AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
            AND i.tablet_id = NEW.tablet_id AND i.kind IN ('loss', 'theft', 'authority-request')
            AND i.state = 'open' AND i.opened_at <= NEW.queued_at) THEN
        RAISE EXCEPTION 'ardoise: lost mode needs an open incident of this tablet (M1)';
    END IF;
    IF NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent')
            AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            AND NOT EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
            WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
            AND i.kind IN ('loss', 'theft', 'authority-request') AND i.state = 'open' AND w.state = 'open'
            AND w.opens_at <= NEW.queued_at AND NEW.queued_at < w.expires_at
            AND (NEW.sent_at IS NULL OR NEW.sent_at < w.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: a position needs an open warrant of this tablet (M1)';
    END IF;
    IF NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
            AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
            AND o.tablet_id = NEW.tablet_id AND (o.enrolment_id IS NULL OR o.enrolment_id = NEW.enrolment_id)
            AND o.state = 'open' AND o.not_before <= NEW.queued_at AND NEW.queued_at < o.expires_at
            AND (NEW.sent_at IS NULL OR NEW.sent_at < o.expires_at)) THEN
        RAISE EXCEPTION 'ardoise: an erasure needs an open erase order of this tablet (M3)';
    END IF;
    IF NEW.gate = 'unenrol' AND NEW.state IN ('queued', 'sent')
            AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            AND NOT EXISTS (SELECT 1 FROM enrolment_ends x WHERE x.id = NEW.enrolment_end_id
            AND x.enrolment_id = NEW.enrolment_id AND x.state = 'open' AND x.decided_at <= NEW.queued_at) THEN
        RAISE EXCEPTION 'ardoise: an unenrolment needs a recorded end of this enrolment (M4)';
    END IF;
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.enrolment_id IS DISTINCT FROM OLD.enrolment_id OR
            NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR NEW.request_type IS DISTINCT FROM OLD.request_type OR
            NEW.gate IS DISTINCT FROM OLD.gate OR NEW.incident_id IS DISTINCT FROM OLD.incident_id OR
            NEW.warrant_id IS DISTINCT FROM OLD.warrant_id OR NEW.erase_order_id IS DISTINCT FROM OLD.erase_order_id OR
            NEW.enrolment_end_id IS DISTINCT FROM OLD.enrolment_end_id OR NEW.queued_at IS DISTINCT FROM OLD.queued_at OR
            NEW.queued_by IS DISTINCT FROM OLD.queued_by
            OR (NEW.payload IS NOT NULL AND NEW.payload IS DISTINCT FROM OLD.payload) THEN
        RAISE EXCEPTION 'ardoise: a queued command is what it was when it was queued';
    END IF;
    IF OLD.state IN ('acknowledged', 'failed', 'expired', 'cancelled', 'void') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'ardoise: a command that has ended stays ended';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_before_update BEFORE UPDATE ON commands FOR EACH ROW EXECUTE FUNCTION commands_before_update();
CREATE FUNCTION incidents_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'closed' OR NEW.id IS DISTINCT FROM OLD.id OR NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR
            NEW.kind IS DISTINCT FROM OLD.kind OR NEW.opened_at IS DISTINCT FROM OLD.opened_at THEN
        RAISE EXCEPTION 'ardoise: an incident is frozen, except towards its closing';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_before_update BEFORE UPDATE ON incidents FOR EACH ROW EXECUTE FUNCTION incidents_before_update();
CREATE FUNCTION warrants_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'open' OR EXISTS (SELECT 1 FROM warrants w WHERE w.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a warrant is opened once';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id AND i.tablet_id = NEW.tablet_id
            AND i.kind IN ('loss', 'theft', 'authority-request') AND i.state = 'open') THEN
        RAISE EXCEPTION 'ardoise: a warrant rests on an open incident of its tablet (M1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER warrants_before_insert BEFORE INSERT ON warrants FOR EACH ROW EXECUTE FUNCTION warrants_before_insert();
CREATE FUNCTION warrants_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'ended' OR NEW.id IS DISTINCT FROM OLD.id OR NEW.incident_id IS DISTINCT FROM OLD.incident_id OR
            NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR NEW.opens_at IS DISTINCT FROM OLD.opens_at OR
            NEW.expires_at IS DISTINCT FROM OLD.expires_at THEN
        RAISE EXCEPTION 'ardoise: a warrant is frozen, except towards its end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER warrants_before_update BEFORE UPDATE ON warrants FOR EACH ROW EXECUTE FUNCTION warrants_before_update();
CREATE FUNCTION erase_orders_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'ended' OR NEW.id IS DISTINCT FROM OLD.id OR NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR
            NEW.enrolment_id IS DISTINCT FROM OLD.enrolment_id OR NEW.cause IS DISTINCT FROM OLD.cause OR
            NEW.not_before IS DISTINCT FROM OLD.not_before OR NEW.expires_at IS DISTINCT FROM OLD.expires_at THEN
        RAISE EXCEPTION 'ardoise: an erase order is frozen, except towards its end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erase_orders_before_update BEFORE UPDATE ON erase_orders FOR EACH ROW EXECUTE FUNCTION erase_orders_before_update();
CREATE FUNCTION enrolment_ends_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'ended' OR NEW.id IS DISTINCT FROM OLD.id OR
            NEW.enrolment_id IS DISTINCT FROM OLD.enrolment_id OR NEW.reason IS DISTINCT FROM OLD.reason OR
            NEW.decided_at IS DISTINCT FROM OLD.decided_at OR NEW.decided_by IS DISTINCT FROM OLD.decided_by THEN
        RAISE EXCEPTION 'ardoise: a recorded end of an enrolment is frozen, except towards its end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER enrolment_ends_before_update BEFORE UPDATE ON enrolment_ends FOR EACH ROW EXECUTE FUNCTION enrolment_ends_before_update();
CREATE FUNCTION certificates_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.enrolment_id IS DISTINCT FROM OLD.enrolment_id OR
            NEW.authority_fingerprint IS DISTINCT FROM OLD.authority_fingerprint THEN
        RAISE EXCEPTION 'ardoise: a certificate is bound to one enrolment for good';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificates_before_update BEFORE UPDATE ON certificates FOR EACH ROW EXECUTE FUNCTION certificates_before_update();
CREATE FUNCTION audit_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq IS DISTINCT FROM OLD.seq OR NEW.id IS DISTINCT FROM OLD.id OR NEW.at IS DISTINCT FROM OLD.at OR
            NEW.actor IS DISTINCT FROM OLD.actor OR NEW.action IS DISTINCT FROM OLD.action OR
            NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR NEW.enrolment_id IS DISTINCT FROM OLD.enrolment_id OR
            NEW.order_ref IS DISTINCT FROM OLD.order_ref
            OR NEW.reason IS NOT NULL OR NEW.detail IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: the audit log is appended, never edited';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_before_update BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_before_update();
CREATE FUNCTION audit_before_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRUE THEN
        RAISE EXCEPTION 'ardoise: the audit log is appended, never cut';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER audit_before_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_before_delete();

-- A row that stands is neither written over nor deleted, to be made again as it never was.
CREATE FUNCTION commands_before_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.gate <> 'ordinary' THEN
        RAISE EXCEPTION 'ardoise: what a dangerous command rested on stays to be read';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER commands_before_delete BEFORE DELETE ON commands FOR EACH ROW EXECUTE FUNCTION commands_before_delete();
CREATE FUNCTION incidents_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'open' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: an incident is opened once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_before_insert BEFORE INSERT ON incidents FOR EACH ROW EXECUTE FUNCTION incidents_before_insert();
CREATE FUNCTION incidents_before_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRUE THEN
        RAISE EXCEPTION 'ardoise: an incident is frozen, except towards its closing';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER incidents_before_delete BEFORE DELETE ON incidents FOR EACH ROW EXECUTE FUNCTION incidents_before_delete();
CREATE FUNCTION warrants_before_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRUE THEN
        RAISE EXCEPTION 'ardoise: a warrant is frozen, except towards its end';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER warrants_before_delete BEFORE DELETE ON warrants FOR EACH ROW EXECUTE FUNCTION warrants_before_delete();
CREATE FUNCTION erase_orders_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'open' OR EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: an erase order is given once';
    END IF;
    IF NEW.enrolment_id IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM enrolments e WHERE e.id = NEW.enrolment_id AND e.tablet_id = NEW.tablet_id) THEN
        RAISE EXCEPTION 'ardoise: an erase order names an enrolment of its own tablet (M3)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erase_orders_before_insert BEFORE INSERT ON erase_orders FOR EACH ROW EXECUTE FUNCTION erase_orders_before_insert();
CREATE FUNCTION erase_orders_before_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRUE THEN
        RAISE EXCEPTION 'ardoise: an erase order is frozen, except towards its end';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER erase_orders_before_delete BEFORE DELETE ON erase_orders FOR EACH ROW EXECUTE FUNCTION erase_orders_before_delete();
CREATE FUNCTION enrolment_ends_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'open' OR EXISTS (SELECT 1 FROM enrolment_ends x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: an end of an enrolment is recorded once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER enrolment_ends_before_insert BEFORE INSERT ON enrolment_ends FOR EACH ROW EXECUTE FUNCTION enrolment_ends_before_insert();
CREATE FUNCTION enrolment_ends_before_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRUE THEN
        RAISE EXCEPTION 'ardoise: a recorded end of an enrolment is frozen, except towards its end';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER enrolment_ends_before_delete BEFORE DELETE ON enrolment_ends FOR EACH ROW EXECUTE FUNCTION enrolment_ends_before_delete();
CREATE FUNCTION certificates_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM certificates c WHERE c.sha256 = NEW.sha256) THEN
        RAISE EXCEPTION 'ardoise: a certificate is bound to one enrolment for good';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificates_before_insert BEFORE INSERT ON certificates FOR EACH ROW EXECUTE FUNCTION certificates_before_insert();
CREATE FUNCTION certificates_before_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRUE THEN
        RAISE EXCEPTION 'ardoise: a certificate is bound to one enrolment for good';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER certificates_before_delete BEFORE DELETE ON certificates FOR EACH ROW EXECUTE FUNCTION certificates_before_delete();
CREATE FUNCTION audit_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit a WHERE a.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: the audit log is appended, never edited';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_before_insert BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_before_insert();

-- TRUNCATE asks no trigger of rows. `TRUNCATE tablets CASCADE` comes by here too.
CREATE FUNCTION never_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ardoise: table % is appended, never cut', TG_TABLE_NAME;
END $$;
CREATE TRIGGER commands_before_truncate BEFORE TRUNCATE ON commands FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER incidents_before_truncate BEFORE TRUNCATE ON incidents FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER warrants_before_truncate BEFORE TRUNCATE ON warrants FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER erase_orders_before_truncate BEFORE TRUNCATE ON erase_orders FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER enrolment_ends_before_truncate BEFORE TRUNCATE ON enrolment_ends FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER certificates_before_truncate BEFORE TRUNCATE ON certificates FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER audit_before_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
