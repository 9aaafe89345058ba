-- First light, for SQLite. The same tables and columns as for PostgreSQL: ids and JSON are text, instants
-- are unix milliseconds, truth values are 0 and 1.

-- The inventory: tablets supplied or approved by the département (C3.3.4).
CREATE TABLE tablets (
    id TEXT PRIMARY KEY NOT NULL,
    serial TEXT NOT NULL UNIQUE,
    asset_tag TEXT,
    model TEXT,
    platform TEXT NOT NULL CONSTRAINT tablets_platform CHECK (platform IN ('ipad', 'android')),
    uai TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tablets_by_school ON tablets (uai, id);

-- Certificate authorities: ours, and further ones whose tablets were taken over.
CREATE TABLE authorities (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CONSTRAINT authorities_kind CHECK (kind IN ('own', 'further')),
    state TEXT NOT NULL CONSTRAINT authorities_state CHECK (state IN ('current', 'previous', 'retired')),
    certificate BLOB NOT NULL,
    key_sealed BLOB,
    fingerprint TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX authorities_one_current ON authorities (kind) WHERE kind = 'own' AND state = 'current';

-- Enrolment links: for one tablet, or counted for a batch.
CREATE TABLE links (
    id TEXT PRIMARY KEY NOT NULL,
    token_sha256 TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CONSTRAINT links_kind CHECK (kind IN ('tablet', 'batch')),
    tablet_id TEXT REFERENCES tablets (id),
    uai TEXT,
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CONSTRAINT links_are_counted CHECK (uses >= 0 AND uses <= max_uses),
    CONSTRAINT links_name_their_tablet CHECK ((kind = 'tablet') = (tablet_id IS NOT NULL))
) STRICT;

-- Permissions to bring in a tablet of another server, one per certificate.
CREATE TABLE takeovers (
    id TEXT PRIMARY KEY NOT NULL,
    udid TEXT NOT NULL,
    serial TEXT NOT NULL,
    topic TEXT NOT NULL,
    push_token_sealed BLOB NOT NULL,
    push_magic_sealed BLOB NOT NULL,
    unlock_token_sealed BLOB,
    certificate_sha256 TEXT NOT NULL UNIQUE,
    authority_fingerprint TEXT NOT NULL,
    imported_at INTEGER NOT NULL,
    imported_by TEXT NOT NULL,
    window_ends_at INTEGER NOT NULL,
    used_at INTEGER,
    enrolment_id TEXT REFERENCES enrolments (id)
) STRICT;

-- Enrolments: from an invitation to its end. A tablet that enrols again has a new row.
CREATE TABLE enrolments (
    id TEXT PRIMARY KEY NOT NULL,
    tablet_id TEXT REFERENCES tablets (id),
    platform TEXT NOT NULL CONSTRAINT enrolments_platform CHECK (platform IN ('ipad', 'android')),
    state TEXT NOT NULL CONSTRAINT enrolments_state
        CHECK (state IN ('invited', 'authenticated', 'active', 'ended', 'superseded', 'lapsed')),
    kind TEXT NOT NULL CONSTRAINT enrolments_kind CHECK (kind IN ('link', 'automated', 'taken-over')),
    supervision TEXT NOT NULL CONSTRAINT enrolments_supervision
        CHECK (supervision IN ('unknown', 'supervised', 'unsupervised')),
    udid TEXT,
    serial TEXT,
    topic TEXT,
    push_token_sealed BLOB,
    push_magic_sealed BLOB,
    unlock_token_sealed BLOB,
    bootstrap_token_sealed BLOB,
    awaiting_configuration INTEGER NOT NULL,
    os_version TEXT,
    build_version TEXT,
    product_name TEXT,
    access_rights INTEGER,
    link_id TEXT REFERENCES links (id),
    takeover_id TEXT REFERENCES takeovers (id),
    segment_id TEXT,
    reported_token TEXT,
    end_id TEXT REFERENCES enrolment_ends (id),
    created_at INTEGER NOT NULL,
    authenticated_at INTEGER,
    token_updated_at INTEGER,
    ended_at INTEGER
) STRICT;
-- A tablet is enrolled once at a time.
CREATE UNIQUE INDEX enrolments_one_live_per_tablet ON enrolments (tablet_id)
    WHERE state IN ('authenticated', 'active');
CREATE INDEX enrolments_by_tablet ON enrolments (tablet_id, id);
CREATE INDEX enrolments_by_udid ON enrolments (udid);
CREATE INDEX enrolments_by_topic ON enrolments (topic);

-- When each tablet last spoke: written in batches, the newest tenth of a second may be lost in a crash.
CREATE TABLE presence (
    enrolment_id TEXT PRIMARY KEY NOT NULL REFERENCES enrolments (id),
    last_seen_at INTEGER NOT NULL
) STRICT;

-- Certificates (not their keys): each bound to one enrolment when issued, never rebound.
CREATE TABLE certificates (
    sha256 TEXT PRIMARY KEY NOT NULL,
    enrolment_id TEXT NOT NULL REFERENCES enrolments (id),
    authority_fingerprint TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT certificates_state
        CHECK (state IN ('issued', 'confirmed', 'superseded', 'revoked')),
    issued_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    first_used_at INTEGER,
    renewed_from TEXT REFERENCES certificates (sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificates_by_enrolment ON certificates (enrolment_id);
CREATE INDEX certificates_by_expiry ON certificates (not_after);

-- Single-use SCEP challenges.
CREATE TABLE challenges (
    id TEXT PRIMARY KEY NOT NULL,
    secret_sha256 TEXT NOT NULL UNIQUE,
    enrolment_id TEXT NOT NULL REFERENCES enrolments (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    used_for TEXT,
    CONSTRAINT challenges_used_for_something CHECK ((used_at IS NULL) = (used_for IS NULL))
) STRICT;

-- What dangerous commands rest on. Each row is frozen once made, except towards its end. Without rowids, by which a
-- row could be written over unseen.
CREATE TABLE incidents (
    id TEXT PRIMARY KEY NOT NULL,
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT incidents_state CHECK (state IN ('open', 'closed')),
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    CONSTRAINT incidents_closed_when CHECK ((state = 'closed') = (closed_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE warrants (
    id TEXT PRIMARY KEY NOT NULL,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    state TEXT NOT NULL CONSTRAINT warrants_state CHECK (state IN ('open', 'ended')),
    opens_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- 168 hours at most (M1).
    CONSTRAINT warrants_last CHECK (opens_at < expires_at AND expires_at - opens_at <= 604800000)
) STRICT, WITHOUT ROWID;

CREATE TABLE erase_orders (
    id TEXT PRIMARY KEY NOT NULL,
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    enrolment_id TEXT REFERENCES enrolments (id),
    cause TEXT NOT NULL CONSTRAINT erase_orders_cause
        CHECK (cause IN ('restitution', 'donation', 'retirement', 'theft')),
    state TEXT NOT NULL CONSTRAINT erase_orders_state CHECK (state IN ('open', 'ended')),
    not_before INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT erase_orders_last CHECK (not_before < expires_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolment_ends (
    id TEXT PRIMARY KEY NOT NULL,
    enrolment_id TEXT NOT NULL REFERENCES enrolments (id),
    reason TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    decided_by TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT enrolment_ends_state CHECK (state IN ('open', 'ended'))
) STRICT, WITHOUT ROWID;

-- Every tablet's queue, and what became of each command. Only ordinary commands carry a payload, and one
-- that is rendered at delivery carries none. An answer to a locate command is never kept here (M2).
CREATE TABLE commands (
    id TEXT PRIMARY KEY NOT NULL,
    enrolment_id TEXT NOT NULL REFERENCES enrolments (id),
    tablet_id TEXT NOT NULL REFERENCES tablets (id),
    request_type TEXT NOT NULL,
    gate TEXT NOT NULL CONSTRAINT commands_gate
        CHECK (gate IN ('ordinary', 'lost-mode', 'locate', 'erase', 'unenrol')),
    incident_id TEXT REFERENCES incidents (id),
    warrant_id TEXT REFERENCES warrants (id),
    erase_order_id TEXT REFERENCES erase_orders (id),
    enrolment_end_id TEXT REFERENCES enrolment_ends (id),
    payload BLOB,
    priority INTEGER NOT NULL,
    urgent INTEGER NOT NULL,
    state TEXT NOT NULL CONSTRAINT commands_state CHECK (state IN
        ('queued', 'sent', 'not-now', 'acknowledged', 'failed', 'expired', 'cancelled', 'void')),
    replaces_key TEXT,
    idempotency_key TEXT,
    queued_at INTEGER NOT NULL,
    queued_by TEXT NOT NULL,
    not_before INTEGER,
    expires_at INTEGER,
    sent_at INTEGER,
    sent_count INTEGER NOT NULL,
    not_now_at INTEGER,
    not_now_count INTEGER NOT NULL,
    retry_at INTEGER,
    answered_at INTEGER,
    result TEXT,
    error TEXT,
    answer_raw BLOB,
    pending INTEGER NOT NULL GENERATED ALWAYS AS (state IN ('queued', 'sent', 'not-now')) STORED,
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
) STRICT;
CREATE INDEX commands_pending ON commands (enrolment_id, priority DESC, id) WHERE pending;
CREATE INDEX commands_to_expire ON commands (expires_at) WHERE pending;
CREATE INDEX commands_by_tablet ON commands (tablet_id, id);
CREATE UNIQUE INDEX commands_once_per_key ON commands (tablet_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- What each tablet last reported, one row a kind.
CREATE TABLE observations (
    enrolment_id TEXT NOT NULL REFERENCES enrolments (id),
    kind TEXT NOT NULL,
    reported_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (enrolment_id, kind)
) STRICT;

CREATE TABLE push_certificates (
    id TEXT PRIMARY KEY NOT NULL,
    topic TEXT NOT NULL,
    chain_pem TEXT NOT NULL,
    key_sealed BLOB NOT NULL,
    not_after INTEGER NOT NULL,
    state TEXT NOT NULL CONSTRAINT push_certificates_state CHECK (state IN ('current', 'previous')),
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX push_certificates_one_current ON push_certificates (state) WHERE state = 'current';

-- Which tablets are to be woken, and how the last attempt went. One push for a tablet, however many commands.
CREATE TABLE push_states (
    enrolment_id TEXT PRIMARY KEY NOT NULL REFERENCES enrolments (id),
    wanted_at INTEGER,
    due_at INTEGER,
    pushed_at INTEGER,
    attempts INTEGER NOT NULL,
    outcome TEXT,
    token_invalid_since INTEGER,
    lease_until INTEGER
) STRICT;
CREATE INDEX push_states_due ON push_states (due_at) WHERE due_at IS NOT NULL;

-- Work that is due. A lease says that a node is at it.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    key TEXT UNIQUE,
    due_at INTEGER NOT NULL,
    lease_until INTEGER,
    attempts INTEGER NOT NULL,
    body TEXT NOT NULL,
    last_error TEXT
) STRICT;
CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    secret_sha256 TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT;

-- Certificates of our authorities that no row knows: a restored database forgets nobody for good.
CREATE TABLE orphans (
    certificate_sha256 TEXT PRIMARY KEY NOT NULL,
    udid TEXT,
    serial TEXT,
    authority_fingerprint TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    sightings INTEGER NOT NULL
) STRICT;

-- One open alarm for a kind and what it is about; seen again, it is counted.
CREATE TABLE alarms (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    tablet_id TEXT REFERENCES tablets (id),
    enrolment_id TEXT REFERENCES enrolments (id),
    raised_at INTEGER NOT NULL,
    last_raised_at INTEGER NOT NULL,
    times INTEGER NOT NULL,
    detail TEXT NOT NULL,
    settled_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alarms_raised_once ON alarms (kind, subject) WHERE settled_at IS NULL;

-- Who did what, on which tablet, why. Appended, never edited: only a body may be emptied (C3.1.6).
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    tablet_id TEXT,
    enrolment_id TEXT,
    order_ref TEXT,
    reason TEXT,
    detail TEXT
) STRICT;
CREATE INDEX audit_by_tablet ON audit (tablet_id, seq);

CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

-- What no statement may do, whatever program sends it. The rows' own instants are compared, never the clock
-- of the machine.
CREATE TRIGGER commands_before_insert_1 BEFORE INSERT ON commands WHEN
        NOT EXISTS (SELECT 1 FROM enrolments e WHERE e.id = NEW.enrolment_id AND e.tablet_id = NEW.tablet_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a command goes to an enrolment of its own tablet'); END;
CREATE TRIGGER commands_before_insert_2 BEFORE INSERT ON commands WHEN
        NEW.gate = 'lost-mode' AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
        AND i.tablet_id = NEW.tablet_id AND i.kind IN ('loss', 'theft', 'authority-request')
        AND i.state = 'open' AND i.opened_at <= NEW.queued_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: lost mode needs an open incident of this tablet (M1)'); END;
CREATE TRIGGER commands_before_update_1 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'lost-mode' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id
        AND i.tablet_id = NEW.tablet_id AND i.kind IN ('loss', 'theft', 'authority-request')
        AND i.state = 'open' AND i.opened_at <= NEW.queued_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: lost mode needs an open incident of this tablet (M1)'); END;
CREATE TRIGGER commands_before_insert_3 BEFORE INSERT ON commands WHEN
        NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
        AND i.kind IN ('loss', 'theft', 'authority-request') AND i.state = 'open' AND w.state = 'open'
        AND w.opens_at <= NEW.queued_at AND NEW.queued_at < w.expires_at
        AND (NEW.sent_at IS NULL OR NEW.sent_at < w.expires_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a position needs an open warrant of this tablet (M1)'); END;
CREATE TRIGGER commands_before_update_2 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'locate' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM warrants w JOIN incidents i ON i.id = w.incident_id
        WHERE w.id = NEW.warrant_id AND w.tablet_id = NEW.tablet_id AND i.tablet_id = NEW.tablet_id
        AND i.kind IN ('loss', 'theft', 'authority-request') AND i.state = 'open' AND w.state = 'open'
        AND w.opens_at <= NEW.queued_at AND NEW.queued_at < w.expires_at
        AND (NEW.sent_at IS NULL OR NEW.sent_at < w.expires_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a position needs an open warrant of this tablet (M1)'); END;
CREATE TRIGGER commands_before_insert_4 BEFORE INSERT ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.tablet_id = NEW.tablet_id AND (o.enrolment_id IS NULL OR o.enrolment_id = NEW.enrolment_id)
        AND o.state = 'open' AND o.not_before <= NEW.queued_at AND NEW.queued_at < o.expires_at
        AND (NEW.sent_at IS NULL OR NEW.sent_at < o.expires_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erasure needs an open erase order of this tablet (M3)'); END;
CREATE TRIGGER commands_before_update_3 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'erase' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.erase_order_id
        AND o.tablet_id = NEW.tablet_id AND (o.enrolment_id IS NULL OR o.enrolment_id = NEW.enrolment_id)
        AND o.state = 'open' AND o.not_before <= NEW.queued_at AND NEW.queued_at < o.expires_at
        AND (NEW.sent_at IS NULL OR NEW.sent_at < o.expires_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erasure needs an open erase order of this tablet (M3)'); END;
CREATE TRIGGER commands_before_insert_5 BEFORE INSERT ON commands WHEN
        NEW.gate = 'unenrol' AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM enrolment_ends x WHERE x.id = NEW.enrolment_end_id
        AND x.enrolment_id = NEW.enrolment_id AND x.state = 'open' AND x.decided_at <= NEW.queued_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an unenrolment needs a recorded end of this enrolment (M4)'); END;
CREATE TRIGGER commands_before_update_4 BEFORE UPDATE ON commands WHEN
        NEW.gate = 'unenrol' AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM enrolment_ends x WHERE x.id = NEW.enrolment_end_id
        AND x.enrolment_id = NEW.enrolment_id AND x.state = 'open' AND x.decided_at <= NEW.queued_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an unenrolment needs a recorded end of this enrolment (M4)'); END;
CREATE TRIGGER commands_before_update_5 BEFORE UPDATE ON commands WHEN
        NEW.rowid IS NOT OLD.rowid OR NEW.id IS NOT OLD.id OR NEW.enrolment_id IS NOT OLD.enrolment_id OR
        NEW.tablet_id IS NOT OLD.tablet_id OR NEW.request_type IS NOT OLD.request_type OR
        NEW.gate IS NOT OLD.gate OR NEW.incident_id IS NOT OLD.incident_id OR
        NEW.warrant_id IS NOT OLD.warrant_id OR NEW.erase_order_id IS NOT OLD.erase_order_id OR
        NEW.enrolment_end_id IS NOT OLD.enrolment_end_id OR NEW.queued_at IS NOT OLD.queued_at OR
        NEW.queued_by IS NOT OLD.queued_by
        OR (NEW.payload IS NOT NULL AND NEW.payload IS NOT OLD.payload)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a queued command is what it was when it was queued'); END;
CREATE TRIGGER commands_before_update_6 BEFORE UPDATE ON commands WHEN
        OLD.state IN ('acknowledged', 'failed', 'expired', 'cancelled', 'void') AND NEW.state <> OLD.state
    BEGIN SELECT RAISE(ABORT, 'ardoise: a command that has ended stays ended'); END;
CREATE TRIGGER incidents_before_update_1 BEFORE UPDATE ON incidents WHEN
        OLD.state = 'closed' OR NEW.id IS NOT OLD.id OR NEW.tablet_id IS NOT OLD.tablet_id OR
        NEW.kind IS NOT OLD.kind OR NEW.opened_at IS NOT OLD.opened_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is frozen, except towards its closing'); END;
CREATE TRIGGER warrants_before_update_1 BEFORE UPDATE ON warrants WHEN
        OLD.state = 'ended' OR NEW.id IS NOT OLD.id OR NEW.incident_id IS NOT OLD.incident_id OR
        NEW.tablet_id IS NOT OLD.tablet_id OR NEW.opens_at IS NOT OLD.opens_at OR
        NEW.expires_at IS NOT OLD.expires_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant is frozen, except towards its end'); END;
CREATE TRIGGER erase_orders_before_update_1 BEFORE UPDATE ON erase_orders WHEN
        OLD.state = 'ended' OR NEW.id IS NOT OLD.id OR NEW.tablet_id IS NOT OLD.tablet_id OR
        NEW.enrolment_id IS NOT OLD.enrolment_id OR NEW.cause IS NOT OLD.cause OR
        NEW.not_before IS NOT OLD.not_before OR NEW.expires_at IS NOT OLD.expires_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order is frozen, except towards its end'); END;
CREATE TRIGGER enrolment_ends_before_update_1 BEFORE UPDATE ON enrolment_ends WHEN
        OLD.state = 'ended' OR NEW.id IS NOT OLD.id OR
        NEW.enrolment_id IS NOT OLD.enrolment_id OR NEW.reason IS NOT OLD.reason OR
        NEW.decided_at IS NOT OLD.decided_at OR NEW.decided_by IS NOT OLD.decided_by
    BEGIN SELECT RAISE(ABORT, 'ardoise: a recorded end of an enrolment is frozen, except towards its end'); END;
CREATE TRIGGER warrants_before_insert_1 BEFORE INSERT ON warrants WHEN
        NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.incident_id AND i.tablet_id = NEW.tablet_id
        AND i.kind IN ('loss', 'theft', 'authority-request') AND i.state = 'open')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant rests on an open incident of its tablet (M1)'); END;
CREATE TRIGGER certificates_before_update_1 BEFORE UPDATE ON certificates WHEN
        NEW.sha256 IS NOT OLD.sha256 OR NEW.enrolment_id IS NOT OLD.enrolment_id OR
        NEW.authority_fingerprint IS NOT OLD.authority_fingerprint
    BEGIN SELECT RAISE(ABORT, 'ardoise: a certificate is bound to one enrolment for good'); END;
CREATE TRIGGER audit_before_update_1 BEFORE UPDATE ON audit WHEN
        NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.at IS NOT OLD.at OR
        NEW.actor IS NOT OLD.actor OR NEW.action IS NOT OLD.action OR
        NEW.tablet_id IS NOT OLD.tablet_id OR NEW.enrolment_id IS NOT OLD.enrolment_id OR
        NEW.order_ref IS NOT OLD.order_ref
        OR NEW.reason IS NOT NULL OR NEW.detail IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: the audit log is appended, never edited'); END;
CREATE TRIGGER audit_before_delete_1 BEFORE DELETE ON audit WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: the audit log is appended, never cut'); END;
-- A row that stands is neither written over (INSERT OR REPLACE deletes it without asking a trigger) nor
-- deleted, to be made again as it never was.
CREATE TRIGGER commands_before_insert_6 BEFORE INSERT ON commands WHEN
        EXISTS (SELECT 1 FROM commands c WHERE c.id = NEW.id)
        OR EXISTS (SELECT 1 FROM commands c WHERE c.rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a queued command is what it was when it was queued'); END;
CREATE TRIGGER commands_before_delete_1 BEFORE DELETE ON commands WHEN
        OLD.gate <> 'ordinary'
    BEGIN SELECT RAISE(ABORT, 'ardoise: what a dangerous command rested on stays to be read'); END;
CREATE TRIGGER incidents_before_insert_1 BEFORE INSERT ON incidents WHEN
        NEW.state <> 'open' OR EXISTS (SELECT 1 FROM incidents i WHERE i.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is opened once'); END;
CREATE TRIGGER incidents_before_delete_1 BEFORE DELETE ON incidents WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: an incident is frozen, except towards its closing'); END;
CREATE TRIGGER warrants_before_insert_2 BEFORE INSERT ON warrants WHEN
        NEW.state <> 'open' OR EXISTS (SELECT 1 FROM warrants w WHERE w.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant is opened once'); END;
CREATE TRIGGER warrants_before_delete_1 BEFORE DELETE ON warrants WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a warrant is frozen, except towards its end'); END;
CREATE TRIGGER erase_orders_before_insert_1 BEFORE INSERT ON erase_orders WHEN
        NEW.state <> 'open' OR EXISTS (SELECT 1 FROM erase_orders o WHERE o.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order is given once'); END;
CREATE TRIGGER erase_orders_before_insert_2 BEFORE INSERT ON erase_orders WHEN
        NEW.enrolment_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM enrolments e WHERE e.id = NEW.enrolment_id AND e.tablet_id = NEW.tablet_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order names an enrolment of its own tablet (M3)'); END;
CREATE TRIGGER erase_orders_before_delete_1 BEFORE DELETE ON erase_orders WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: an erase order is frozen, except towards its end'); END;
CREATE TRIGGER enrolment_ends_before_insert_1 BEFORE INSERT ON enrolment_ends WHEN
        NEW.state <> 'open' OR EXISTS (SELECT 1 FROM enrolment_ends x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an end of an enrolment is recorded once'); END;
CREATE TRIGGER enrolment_ends_before_delete_1 BEFORE DELETE ON enrolment_ends WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a recorded end of an enrolment is frozen, except towards its end'); END;
CREATE TRIGGER certificates_before_insert_1 BEFORE INSERT ON certificates WHEN
        EXISTS (SELECT 1 FROM certificates c WHERE c.sha256 = NEW.sha256)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a certificate is bound to one enrolment for good'); END;
CREATE TRIGGER certificates_before_delete_1 BEFORE DELETE ON certificates WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a certificate is bound to one enrolment for good'); END;
CREATE TRIGGER audit_before_insert_1 BEFORE INSERT ON audit WHEN
        EXISTS (SELECT 1 FROM audit a WHERE a.id = NEW.id) OR EXISTS (SELECT 1 FROM audit a WHERE a.seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'ardoise: the audit log is appended, never edited'); END;
