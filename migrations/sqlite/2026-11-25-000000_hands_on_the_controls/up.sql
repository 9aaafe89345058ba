-- Hands on the controls, for SQLite: who may do what, with whom, and how much in a day. The same tables and
-- columns as for PostgreSQL. Civil dates are ISO texts, lists are JSON.

-- The département, the académie and the collèges. There is one of each of the first two.
CREATE TABLE organisations (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CONSTRAINT organisations_kind CHECK (kind IN ('departement', 'academie', 'college')),
    name TEXT NOT NULL,
    uai TEXT UNIQUE,
    state TEXT NOT NULL CONSTRAINT organisations_state CHECK (state IN ('active', 'closed')),
    home_use TEXT NOT NULL CONSTRAINT organisations_home_use
        CHECK (home_use IN ('undecided', 'allowed', 'not-allowed')),
    charter_adopted_on TEXT CONSTRAINT organisations_charter CHECK (charter_adopted_on LIKE '____-__-__'),
    referent_account_id TEXT REFERENCES accounts (id),
    wifi_sealed BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT organisations_a_college_has_its_code CHECK ((kind = 'college') = (uai IS NOT NULL)),
    CONSTRAINT organisations_code_is_in_upper_case CHECK (uai = upper(uai) AND length(uai) = 8),
    CONSTRAINT organisations_only_a_college_decides CHECK (kind = 'college' OR
        (home_use = 'undecided' AND charter_adopted_on IS NULL AND referent_account_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX organisations_one_of_each ON organisations (kind) WHERE kind <> 'college';

-- School years, with the summer break in which pupils' tablets stay in the collège (C5.2.2).
CREATE TABLE school_years (
    label TEXT PRIMARY KEY NOT NULL,
    starts_on TEXT NOT NULL,
    ends_on TEXT NOT NULL,
    summer_starts_on TEXT NOT NULL,
    summer_ends_on TEXT NOT NULL,
    CONSTRAINT school_years_are_dates CHECK (starts_on LIKE '____-__-__' AND ends_on LIKE '____-__-__'
        AND summer_starts_on LIKE '____-__-__' AND summer_ends_on LIKE '____-__-__'),
    CONSTRAINT school_years_run_forwards CHECK (starts_on < ends_on AND starts_on < summer_starts_on
        AND summer_starts_on <= summer_ends_on AND ends_on <= summer_ends_on),
    CONSTRAINT school_years_are_named_by_their_years
        CHECK (label = substr(starts_on, 1, 4) || '-' || substr(ends_on, 1, 4))
) STRICT;

-- People. What opens an account is sealed or hashed; a closed one opens no more, and can be forgotten.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    login TEXT NOT NULL UNIQUE CONSTRAINT accounts_login CHECK (login = lower(login) AND login <> ''),
    name TEXT NOT NULL,
    email TEXT,
    state TEXT NOT NULL CONSTRAINT accounts_state CHECK (state IN ('invited', 'active', 'suspended', 'closed')),
    password_sealed BLOB,
    totp_sealed BLOB,
    totp_used_step INTEGER,
    invitation_sha256 TEXT UNIQUE,
    invitation_expires_at INTEGER,
    failed_attempts INTEGER NOT NULL CONSTRAINT accounts_attempts CHECK (failed_attempts >= 0),
    locked_until INTEGER,
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    CONSTRAINT accounts_invited_until CHECK ((invitation_sha256 IS NULL) = (invitation_expires_at IS NULL)),
    CONSTRAINT accounts_use_steps_of_a_secret CHECK (totp_used_step IS NULL OR totp_sealed IS NOT NULL),
    CONSTRAINT accounts_closed_when CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT accounts_closed_for_good CHECK (state <> 'closed' OR
        (password_sealed IS NULL AND totp_sealed IS NULL AND invitation_sha256 IS NULL))
) STRICT;
CREATE INDEX accounts_by_organisation ON accounts (organisation_id, id);

-- Who created an account, or reset what opens it: for 30 days they may not approve by its hand (C3.1.7).
CREATE TABLE account_makers (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    deed TEXT NOT NULL CONSTRAINT account_makers_deed
        CHECK (deed IN ('created', 'password-reset', 'second-factor-reset', 'recovered')),
    actor TEXT NOT NULL,
    by_account TEXT REFERENCES accounts (id),
    at INTEGER NOT NULL,
    CONSTRAINT account_makers_name_their_account CHECK (CASE WHEN actor LIKE 'account:%'
        THEN by_account IS NOT NULL AND actor = 'account:' || by_account ELSE by_account IS NULL END),
    CONSTRAINT account_makers_are_others CHECK (by_account <> account_id)
) STRICT;
CREATE INDEX account_makers_by_time ON account_makers (at, id);
CREATE INDEX account_makers_by_account ON account_makers (account_id, id);

-- Roles. `granted_by` and `revoked_by` are empty where someone at the machine itself did it. `colleges` says how
-- many rows of `role_grant_colleges` a grant has, so that none can be added later.
CREATE TABLE role_grants (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    role TEXT NOT NULL CONSTRAINT role_grants_role CHECK (role IN
        ('operator', 'administrator', 'approver', 'head', 'referent', 'ati', 'dpo', 'auditor')),
    reach TEXT NOT NULL CONSTRAINT role_grants_reach CHECK (reach IN ('organisation', 'colleges')),
    colleges INTEGER NOT NULL,
    granted_by TEXT REFERENCES accounts (id),
    granted_at INTEGER NOT NULL,
    confirmed_by TEXT REFERENCES accounts (id),
    confirmed_at INTEGER,
    effective_at INTEGER,
    revoked_at INTEGER,
    revoked_by TEXT REFERENCES accounts (id),
    CONSTRAINT role_grants_name_colleges CHECK (colleges >= 0 AND (reach = 'colleges') = (colleges > 0)),
    CONSTRAINT role_grants_come_from_others CHECK (granted_by <> account_id),
    CONSTRAINT role_grants_are_confirmed_by_a_third CHECK (confirmed_by <> account_id AND confirmed_by <> granted_by),
    CONSTRAINT role_grants_confirmed_when CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)
        AND (confirmed_at IS NULL OR confirmed_at >= granted_at)),
    CONSTRAINT role_grants_revoked_when CHECK (revoked_at IS NOT NULL OR revoked_by IS NULL),
    CONSTRAINT role_grants_reach_as_their_role CHECK
        (CASE reach WHEN 'colleges' THEN role IN ('ati', 'operator') ELSE role <> 'ati' END),
    -- Only a right to approve is confirmed: it takes a second person, and then 24 hours (C3.1.7).
    CONSTRAINT role_grants_approvers_wait CHECK (CASE role WHEN 'approver'
        THEN granted_by IS NOT NULL AND (effective_at IS NULL) = (confirmed_at IS NULL)
            AND (effective_at IS NULL OR effective_at >= confirmed_at + 86400000)
        ELSE confirmed_at IS NULL AND effective_at IS NULL END)
) STRICT;
CREATE UNIQUE INDEX role_grants_once ON role_grants (account_id, role) WHERE revoked_at IS NULL;
CREATE INDEX role_grants_by_account ON role_grants (account_id, id);

CREATE TABLE role_grant_colleges (
    grant_id TEXT NOT NULL REFERENCES role_grants (id),
    uai TEXT NOT NULL CONSTRAINT role_grant_colleges_uai CHECK (uai = upper(uai) AND length(uai) = 8),
    PRIMARY KEY (grant_id, uai)
) STRICT;
CREATE INDEX role_grant_colleges_by_school ON role_grant_colleges (uai, grant_id);

-- Signed-in people: only the hash of each session's secret.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    secret_sha256 TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    stepped_up_at INTEGER,
    revoked_at INTEGER,
    CONSTRAINT sessions_last CHECK (created_at < expires_at)
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account_id, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at, id);

-- A token is a person's. Those that are older than accounts are nobody's, and revoked.
ALTER TABLE api_tokens ADD COLUMN account_id TEXT REFERENCES accounts (id);
ALTER TABLE api_tokens ADD COLUMN reach TEXT;
UPDATE api_tokens SET revoked_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000 WHERE revoked_at IS NULL;
CREATE INDEX api_tokens_by_account ON api_tokens (account_id, id);

-- What waits for a second person: who asked, exactly what, who may answer, until when.
CREATE TABLE countersignatures (
    id TEXT PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    content_sha256 TEXT NOT NULL CONSTRAINT countersignatures_digest CHECK (length(content_sha256) = 64),
    content TEXT,
    reason TEXT,
    asked_by TEXT NOT NULL REFERENCES accounts (id),
    asked_at INTEGER NOT NULL,
    answer_organisation TEXT REFERENCES organisations (id),
    answer_role TEXT NOT NULL CONSTRAINT countersignatures_answer_role
        CHECK (answer_role IN ('departement', 'approver', 'manager', 'head-or-departement')),
    answer_uai TEXT,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL CONSTRAINT countersignatures_state
        CHECK (state IN ('waiting', 'given', 'refused', 'withdrawn', 'expired', 'void')),
    answered_by TEXT REFERENCES accounts (id),
    answered_at INTEGER,
    answer_reason TEXT,
    used_at INTEGER,
    used_for TEXT,
    CONSTRAINT countersignatures_say_who_may_answer CHECK
        ((answer_role IN ('approver', 'manager')) = (answer_organisation IS NOT NULL)
        AND (answer_role = 'head-or-departement') = (answer_uai IS NOT NULL)),
    CONSTRAINT countersignatures_wait CHECK (asked_at < expires_at),
    CONSTRAINT countersignatures_come_from_another CHECK (answered_by <> asked_by),
    CONSTRAINT countersignatures_answered_in_time CHECK (asked_at <= answered_at AND answered_at < expires_at),
    CONSTRAINT countersignatures_answered_by_somebody CHECK ((answered_by IS NULL) = (answered_at IS NULL)),
    CONSTRAINT countersignatures_answered_if_answered CHECK (CASE WHEN state IN ('given', 'refused')
        THEN answered_by IS NOT NULL WHEN state = 'void' THEN TRUE ELSE answered_by IS NULL END),
    CONSTRAINT countersignatures_used_for_something CHECK ((used_at IS NULL) = (used_for IS NULL)
        AND (used_at IS NULL OR (state = 'given' AND used_at >= answered_at)))
) STRICT;
CREATE INDEX countersignatures_waiting ON countersignatures (expires_at) WHERE state = 'waiting';
CREATE INDEX countersignatures_by_subject ON countersignatures (purpose, subject, id);

-- Dated permissions to erase more than the budgets at restitutions, in named collèges, up to a ceiling (M5).
CREATE TABLE campaigns (
    id TEXT PRIMARY KEY NOT NULL,
    uais TEXT NOT NULL,
    starts_on TEXT NOT NULL CONSTRAINT campaigns_start CHECK (starts_on LIKE '____-__-__'),
    ends_on TEXT NOT NULL CONSTRAINT campaigns_end CHECK (ends_on LIKE '____-__-__'),
    ceiling INTEGER NOT NULL CONSTRAINT campaigns_ceiling CHECK (ceiling > 0),
    opened_by TEXT NOT NULL REFERENCES accounts (id),
    countersignature_id TEXT NOT NULL UNIQUE REFERENCES countersignatures (id),
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    CONSTRAINT campaigns_last CHECK (starts_on <= ends_on)
) STRICT;
CREATE INDEX campaigns_open ON campaigns (ends_on) WHERE ended_at IS NULL;

-- What the brake counts: each erasure, lost mode and unenrolment, against whoever gave the order (M5).
CREATE TABLE destructions (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CONSTRAINT destructions_kind CHECK (kind IN ('erase', 'lost-mode', 'unenrol')),
    day TEXT NOT NULL CONSTRAINT destructions_day CHECK (day LIKE '____-__-__'),
    at INTEGER NOT NULL,
    actor TEXT NOT NULL CONSTRAINT destructions_are_somebodys
        CHECK (actor <> 'calendar' AND actor NOT LIKE 'tablet:%'),
    account_id TEXT REFERENCES accounts (id),
    uai TEXT,
    tablet_id TEXT REFERENCES tablets (id),
    ref TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT destructions_state CHECK (state IN ('counted', 'held', 'released', 'void')),
    countersignature_id TEXT REFERENCES countersignatures (id),
    campaign_id TEXT REFERENCES campaigns (id),
    CONSTRAINT destructions_name_their_account CHECK (CASE WHEN actor LIKE 'account:%'
        THEN account_id IS NOT NULL AND actor = 'account:' || account_id ELSE account_id IS NULL END),
    CONSTRAINT destructions_wait_for_somebody CHECK
        (CASE state WHEN 'counted' THEN countersignature_id IS NULL WHEN 'void' THEN TRUE
        ELSE countersignature_id IS NOT NULL END),
    CONSTRAINT destructions_of_a_campaign CHECK (campaign_id IS NULL OR (kind = 'erase' AND uai IS NOT NULL))
) STRICT;
-- What was given up may be ordered again.
CREATE UNIQUE INDEX destructions_once ON destructions (ref, kind) WHERE state <> 'void';
CREATE INDEX destructions_by_ref ON destructions (ref);
CREATE INDEX destructions_by_day ON destructions (day, state);
CREATE INDEX destructions_by_actor ON destructions (actor, day);
CREATE INDEX destructions_by_school ON destructions (uai, day);
CREATE INDEX destructions_by_countersignature ON destructions (countersignature_id)
    WHERE countersignature_id IS NOT NULL;
CREATE INDEX destructions_by_campaign ON destructions (campaign_id) WHERE campaign_id IS NOT NULL;

-- The switch that stops everything destructive, what is queued included (M5).
CREATE TABLE brake (
    id INTEGER PRIMARY KEY NOT NULL CONSTRAINT brake_is_one CHECK (id = 1),
    engaged INTEGER NOT NULL,
    since INTEGER,
    engaged_by TEXT,
    reason TEXT,
    CONSTRAINT brake_says_who_and_why CHECK (engaged = (since IS NOT NULL)
        AND engaged = (engaged_by IS NOT NULL) AND engaged = (reason IS NOT NULL))
) STRICT;
INSERT INTO brake (id, engaged) VALUES (1, FALSE);

-- The seals of the audit log, each over a batch of rows and the seal before it.
CREATE TABLE audit_seals (
    number INTEGER PRIMARY KEY NOT NULL,
    row_count INTEGER NOT NULL CONSTRAINT audit_seals_seal_something CHECK (row_count > 0),
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    root TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT audit_seals_digests CHECK (length(root) = 64 AND length(previous) = 64 AND length(digest) = 64)
) STRICT;
-- An entry's body (reason and detail) is known by a salted digest, so that it can be emptied and the chain still
-- holds. What a program wrote that knew no digests gets its own when it is sealed.
ALTER TABLE audit ADD COLUMN salt BLOB;
ALTER TABLE audit ADD COLUMN body_digest TEXT;
ALTER TABLE audit ADD COLUMN seal_number INTEGER REFERENCES audit_seals (number)
    CONSTRAINT audit_sealed_with_its_digest CHECK (seal_number IS NULL OR body_digest IS NOT NULL);
CREATE INDEX audit_by_seal ON audit (seal_number, seq);
CREATE INDEX audit_bodies ON audit (at, seq) WHERE salt IS NOT NULL;

-- The DPO's validations of entries of the register, each of exactly one content (C3.1.6).
CREATE TABLE privacy_validations (
    id TEXT PRIMARY KEY NOT NULL,
    activity TEXT NOT NULL,
    entry_sha256 TEXT NOT NULL CONSTRAINT privacy_validations_digest CHECK (length(entry_sha256) = 64),
    stored TEXT NOT NULL,
    validated_by TEXT NOT NULL REFERENCES accounts (id),
    validated_at INTEGER NOT NULL,
    withdrawn_at INTEGER,
    withdrawn_by TEXT REFERENCES accounts (id),
    CONSTRAINT privacy_validations_withdrawn_by_somebody CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL)
        AND (withdrawn_at IS NULL OR withdrawn_at >= validated_at))
) STRICT;
CREATE UNIQUE INDEX privacy_validations_once ON privacy_validations (activity, entry_sha256)
    WHERE withdrawn_at IS NULL;

-- What was purged, when: the account of retention.
CREATE TABLE purges (
    id TEXT PRIMARY KEY NOT NULL,
    class TEXT NOT NULL,
    ran_at INTEGER NOT NULL,
    older_than INTEGER NOT NULL,
    removed INTEGER NOT NULL CONSTRAINT purges_counted CHECK (removed >= 0)
) STRICT;
CREATE INDEX purges_by_class ON purges (class, id);
