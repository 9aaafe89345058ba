-- The guards of the tables of Hands on the controls, for PostgreSQL. The same tables are guarded against the same as
-- for SQLite.
--
-- What no statement may do, whatever program sends it. The rows' own instants are compared, never the clock of the
-- machine.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ardoise: %', TG_ARGV[0];
END $$;
CREATE FUNCTION organisations_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM organisations x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: an organisation is made once';
    END IF;
    IF NEW.referent_account_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts a
            WHERE a.id = NEW.referent_account_id AND a.organisation_id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a référent is of the collège that names them (C3.3.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organisations_before_insert BEFORE INSERT ON organisations
    FOR EACH ROW EXECUTE FUNCTION organisations_before_insert();
CREATE FUNCTION organisations_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.kind IS DISTINCT FROM OLD.kind OR
            NEW.uai IS DISTINCT FROM OLD.uai OR NEW.created_at IS DISTINCT FROM OLD.created_at THEN
        RAISE EXCEPTION 'ardoise: an organisation stays what it is (C3.1.7)';
    END IF;
    IF NEW.referent_account_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts a
            WHERE a.id = NEW.referent_account_id AND a.organisation_id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a référent is of the collège that names them (C3.3.1)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organisations_before_update BEFORE UPDATE ON organisations
    FOR EACH ROW EXECUTE FUNCTION organisations_before_update();
CREATE TRIGGER organisations_before_delete BEFORE DELETE ON organisations
    FOR EACH ROW EXECUTE FUNCTION refuse('an organisation is closed, never deleted');
CREATE FUNCTION school_years_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM school_years x WHERE x.label = NEW.label) OR
            EXISTS (SELECT 1 FROM school_years y
            WHERE y.starts_on <= NEW.ends_on AND NEW.starts_on <= y.ends_on) THEN
        RAISE EXCEPTION 'ardoise: school years do not overlap';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER school_years_before_insert BEFORE INSERT ON school_years
    FOR EACH ROW EXECUTE FUNCTION school_years_before_insert();
CREATE FUNCTION school_years_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.label IS DISTINCT FROM OLD.label THEN
        RAISE EXCEPTION 'ardoise: a school year keeps its name';
    END IF;
    IF EXISTS (SELECT 1 FROM school_years y WHERE y.label <> NEW.label
            AND y.starts_on <= NEW.ends_on AND NEW.starts_on <= y.ends_on) THEN
        RAISE EXCEPTION 'ardoise: school years do not overlap';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER school_years_before_update BEFORE UPDATE ON school_years
    FOR EACH ROW EXECUTE FUNCTION school_years_before_update();
CREATE FUNCTION accounts_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM accounts x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: an account is made once';
    END IF;
    IF NEW.state NOT IN ('invited', 'active') OR NOT EXISTS (SELECT 1 FROM organisations o
            WHERE o.id = NEW.organisation_id AND o.state = 'active') THEN
        RAISE EXCEPTION 'ardoise: an account is made in an active organisation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_before_insert BEFORE INSERT ON accounts
    FOR EACH ROW EXECUTE FUNCTION accounts_before_insert();
CREATE FUNCTION accounts_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.organisation_id IS DISTINCT FROM OLD.organisation_id OR
            NEW.created_at IS DISTINCT FROM OLD.created_at THEN
        RAISE EXCEPTION 'ardoise: an account stays in its organisation (C3.1.7)';
    END IF;
    IF OLD.state = 'closed' AND (NEW.state IS DISTINCT FROM OLD.state OR
            NEW.closed_at IS DISTINCT FROM OLD.closed_at) THEN
        RAISE EXCEPTION 'ardoise: a closed account stays closed';
    END IF;
    IF NEW.totp_sealed IS NOT DISTINCT FROM OLD.totp_sealed AND OLD.totp_used_step IS NOT NULL
            AND (NEW.totp_used_step IS NULL OR NEW.totp_used_step < OLD.totp_used_step) THEN
        RAISE EXCEPTION 'ardoise: a code is used once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_before_update BEFORE UPDATE ON accounts
    FOR EACH ROW EXECUTE FUNCTION accounts_before_update();
CREATE TRIGGER accounts_before_delete BEFORE DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION refuse('an account is closed, never deleted');
CREATE FUNCTION account_makers_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM account_makers x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: who made an account is recorded once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_makers_before_insert BEFORE INSERT ON account_makers
    FOR EACH ROW EXECUTE FUNCTION account_makers_before_insert();
CREATE TRIGGER account_makers_before_update BEFORE UPDATE ON account_makers
    FOR EACH ROW EXECUTE FUNCTION refuse('who made an account stays recorded (C3.1.7)');
CREATE TRIGGER account_makers_before_delete BEFORE DELETE ON account_makers
    FOR EACH ROW EXECUTE FUNCTION refuse('who made an account stays recorded (C3.1.7)');
CREATE FUNCTION role_grants_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM role_grants x WHERE x.id = NEW.id) OR NEW.confirmed_by IS NOT NULL OR
            NEW.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: a role is granted once, and confirmed afterwards';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
            WHERE a.id = NEW.account_id AND a.state <> 'closed' AND CASE
            WHEN NEW.role IN ('operator', 'ati') THEN o.kind = 'departement'
            WHEN NEW.role IN ('head', 'referent') THEN o.kind = 'college'
            ELSE o.kind IN ('departement', 'academie') END) THEN
        RAISE EXCEPTION 'ardoise: such a role is not given in such an organisation';
    END IF;
    IF NEW.role = 'approver' AND NOT EXISTS (SELECT 1 FROM accounts a
            JOIN accounts b ON b.organisation_id = a.organisation_id
            WHERE a.id = NEW.account_id AND b.id = NEW.granted_by AND b.state = 'active') THEN
        RAISE EXCEPTION 'ardoise: a right to approve is given within the organisation (C3.1.7)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER role_grants_before_insert BEFORE INSERT ON role_grants
    FOR EACH ROW EXECUTE FUNCTION role_grants_before_insert();
CREATE FUNCTION role_grants_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR
            NEW.role IS DISTINCT FROM OLD.role OR NEW.reach IS DISTINCT FROM OLD.reach OR
            NEW.colleges IS DISTINCT FROM OLD.colleges OR NEW.granted_by IS DISTINCT FROM OLD.granted_by OR
            NEW.granted_at IS DISTINCT FROM OLD.granted_at THEN
        RAISE EXCEPTION 'ardoise: a granted role is frozen, except towards its confirmation and its end';
    END IF;
    IF OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: a revoked role stays revoked';
    END IF;
    IF OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by OR
            NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at OR
            NEW.effective_at IS DISTINCT FROM OLD.effective_at) THEN
        RAISE EXCEPTION 'ardoise: a right to approve is confirmed once';
    END IF;
    IF NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by AND NOT EXISTS (SELECT 1 FROM accounts a
            JOIN accounts b ON b.organisation_id = a.organisation_id
            WHERE a.id = NEW.account_id AND b.id = NEW.confirmed_by AND b.state = 'active') THEN
        RAISE EXCEPTION 'ardoise: a right to approve is confirmed within the organisation (C3.1.7)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER role_grants_before_update BEFORE UPDATE ON role_grants
    FOR EACH ROW EXECUTE FUNCTION role_grants_before_update();
CREATE TRIGGER role_grants_before_delete BEFORE DELETE ON role_grants
    FOR EACH ROW EXECUTE FUNCTION refuse('a granted role is revoked, never deleted');
CREATE FUNCTION role_grant_colleges_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM role_grant_colleges c WHERE c.grant_id = NEW.grant_id AND c.uai = NEW.uai)
            OR NOT EXISTS (SELECT 1 FROM role_grants g WHERE g.id = NEW.grant_id AND g.revoked_at IS NULL
            AND g.colleges > (SELECT count(*) FROM role_grant_colleges c WHERE c.grant_id = g.id)) THEN
        RAISE EXCEPTION 'ardoise: the collèges of a role are those it was granted with';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER role_grant_colleges_before_insert BEFORE INSERT ON role_grant_colleges
    FOR EACH ROW EXECUTE FUNCTION role_grant_colleges_before_insert();
CREATE TRIGGER role_grant_colleges_before_update BEFORE UPDATE ON role_grant_colleges
    FOR EACH ROW EXECUTE FUNCTION refuse('the collèges of a role are those it was granted with');
CREATE TRIGGER role_grant_colleges_before_delete BEFORE DELETE ON role_grant_colleges
    FOR EACH ROW EXECUTE FUNCTION refuse('the collèges of a role are those it was granted with');
CREATE FUNCTION sessions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM sessions x WHERE x.id = NEW.id) OR NEW.revoked_at IS NOT NULL OR
            NOT EXISTS (SELECT 1 FROM accounts a
            WHERE a.id = NEW.account_id AND a.state = 'active') THEN
        RAISE EXCEPTION 'ardoise: a session is opened once, by an active account';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sessions_before_insert BEFORE INSERT ON sessions
    FOR EACH ROW EXECUTE FUNCTION sessions_before_insert();
CREATE FUNCTION sessions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR
            NEW.secret_sha256 IS DISTINCT FROM OLD.secret_sha256 OR
            NEW.created_at IS DISTINCT FROM OLD.created_at OR NEW.expires_at IS DISTINCT FROM OLD.expires_at
            OR (OLD.revoked_at IS NOT NULL AND (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at OR
            NEW.last_used_at IS DISTINCT FROM OLD.last_used_at OR
            NEW.stepped_up_at IS DISTINCT FROM OLD.stepped_up_at)) THEN
        RAISE EXCEPTION 'ardoise: a session is whose it is, and ends when it ends';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sessions_before_update BEFORE UPDATE ON sessions
    FOR EACH ROW EXECUTE FUNCTION sessions_before_update();
CREATE FUNCTION api_tokens_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM api_tokens x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a token is given out once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER api_tokens_before_insert BEFORE INSERT ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION api_tokens_before_insert();
CREATE FUNCTION api_tokens_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR
            NEW.secret_sha256 IS DISTINCT FROM OLD.secret_sha256 OR NEW.scope IS DISTINCT FROM OLD.scope OR
            NEW.reach IS DISTINCT FROM OLD.reach OR NEW.created_at IS DISTINCT FROM OLD.created_at OR
            NEW.expires_at IS DISTINCT FROM OLD.expires_at
            OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at) THEN
        RAISE EXCEPTION 'ardoise: a token is whose it is, and ends when it ends';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER api_tokens_before_update BEFORE UPDATE ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION api_tokens_before_update();
CREATE FUNCTION countersignatures_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM countersignatures x WHERE x.id = NEW.id) OR NEW.state <> 'waiting' OR
            NEW.answer_reason IS NOT NULL
            OR NEW.content IS NULL OR NEW.reason IS NULL THEN
        RAISE EXCEPTION 'ardoise: a second person is asked before they answer';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER countersignatures_before_insert BEFORE INSERT ON countersignatures
    FOR EACH ROW EXECUTE FUNCTION countersignatures_before_insert();
CREATE FUNCTION countersignatures_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.purpose IS DISTINCT FROM OLD.purpose OR
            NEW.subject IS DISTINCT FROM OLD.subject OR
            NEW.content_sha256 IS DISTINCT FROM OLD.content_sha256 OR
            NEW.asked_by IS DISTINCT FROM OLD.asked_by OR NEW.asked_at IS DISTINCT FROM OLD.asked_at OR
            NEW.answer_organisation IS DISTINCT FROM OLD.answer_organisation OR
            NEW.answer_role IS DISTINCT FROM OLD.answer_role OR
            NEW.answer_uai IS DISTINCT FROM OLD.answer_uai OR NEW.expires_at IS DISTINCT FROM OLD.expires_at THEN
        RAISE EXCEPTION 'ardoise: what a second person is asked is frozen';
    END IF;
    IF (NEW.content IS DISTINCT FROM OLD.content OR NEW.reason IS DISTINCT FROM OLD.reason OR
            (OLD.state <> 'waiting'
            AND NEW.answer_reason IS DISTINCT FROM OLD.answer_reason)) AND NOT (OLD.state <> 'waiting'
            AND NEW.content IS NULL
            AND NEW.reason IS NULL AND NEW.answer_reason IS NULL) THEN
        RAISE EXCEPTION 'ardoise: what a second person is asked is frozen';
    END IF;
    IF OLD.state <> 'waiting' AND NEW.state <> OLD.state
            AND NOT (OLD.state = 'given' AND NEW.state = 'void' AND OLD.used_at IS NULL) THEN
        RAISE EXCEPTION 'ardoise: an answer that was given, or is past, stays as it is';
    END IF;
    IF OLD.state <> 'waiting' AND (NEW.answered_by IS DISTINCT FROM OLD.answered_by OR
            NEW.answered_at IS DISTINCT FROM OLD.answered_at) THEN
        RAISE EXCEPTION 'ardoise: an answer that was given, or is past, stays as it is';
    END IF;
    IF OLD.used_at IS NOT NULL AND (NEW.used_at IS DISTINCT FROM OLD.used_at OR
            NEW.used_for IS DISTINCT FROM OLD.used_for) THEN
        RAISE EXCEPTION 'ardoise: an answer is used once';
    END IF;
    IF NEW.used_at IS DISTINCT FROM OLD.used_at AND OLD.state <> 'given' THEN
        RAISE EXCEPTION 'ardoise: an answer is used once it was given';
    END IF;
    IF OLD.state = 'waiting' AND NEW.state IN ('given', 'refused')
            AND NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
            JOIN role_grants g ON g.account_id = a.id
            WHERE a.id = NEW.answered_by AND a.state = 'active' AND o.state = 'active'
            AND g.revoked_at IS NULL
            AND CASE g.role WHEN 'approver' THEN g.effective_at ELSE g.granted_at END <= NEW.answered_at
            AND CASE NEW.answer_role
            WHEN 'departement' THEN o.kind = 'departement' AND g.role IN ('operator', 'administrator')
            AND g.reach = 'organisation'
            WHEN 'approver' THEN o.id = NEW.answer_organisation AND g.role = 'approver'
            WHEN 'manager' THEN o.id = NEW.answer_organisation
            AND g.role IN ('administrator', 'head', 'approver')
            ELSE (g.role = 'head' AND o.uai = NEW.answer_uai) OR (g.role = 'operator'
            AND (g.reach = 'organisation'
            OR EXISTS (SELECT 1 FROM role_grant_colleges c WHERE c.grant_id = g.id
            AND c.uai = NEW.answer_uai))) END) THEN
        RAISE EXCEPTION 'ardoise: whoever answers has the role that was asked for';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER countersignatures_before_update BEFORE UPDATE ON countersignatures
    FOR EACH ROW EXECUTE FUNCTION countersignatures_before_update();
CREATE TRIGGER countersignatures_before_delete BEFORE DELETE ON countersignatures
    FOR EACH ROW EXECUTE FUNCTION refuse('what a second person was asked stays to be read');
CREATE FUNCTION campaigns_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM campaigns x WHERE x.id = NEW.id) OR NEW.ended_at IS NOT NULL OR
            NOT EXISTS (SELECT 1 FROM countersignatures c
            WHERE c.id = NEW.countersignature_id AND c.state = 'given' AND c.answered_by <> NEW.opened_by
            AND c.answered_at <= NEW.created_at) THEN
        RAISE EXCEPTION 'ardoise: a campaign is opened by two persons (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaigns_before_insert BEFORE INSERT ON campaigns
    FOR EACH ROW EXECUTE FUNCTION campaigns_before_insert();
CREATE FUNCTION campaigns_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.uais IS DISTINCT FROM OLD.uais OR
            NEW.starts_on IS DISTINCT FROM OLD.starts_on OR NEW.ends_on IS DISTINCT FROM OLD.ends_on OR
            NEW.ceiling IS DISTINCT FROM OLD.ceiling OR NEW.opened_by IS DISTINCT FROM OLD.opened_by OR
            NEW.countersignature_id IS DISTINCT FROM OLD.countersignature_id OR
            NEW.reason IS DISTINCT FROM OLD.reason OR NEW.created_at IS DISTINCT FROM OLD.created_at
            OR OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: a campaign is frozen, except towards its end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaigns_before_update BEFORE UPDATE ON campaigns
    FOR EACH ROW EXECUTE FUNCTION campaigns_before_update();
CREATE TRIGGER campaigns_before_delete BEFORE DELETE ON campaigns
    FOR EACH ROW EXECUTE FUNCTION refuse('a campaign stays to be read');
CREATE FUNCTION destructions_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM destructions x WHERE x.id = NEW.id) OR NEW.state NOT IN ('counted', 'held') THEN
        RAISE EXCEPTION 'ardoise: a destruction is counted or held when it is ordered (M5)';
    END IF;
    IF NEW.campaign_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id
            AND c.ended_at IS NULL AND c.starts_on <= NEW.day AND NEW.day <= c.ends_on
            AND c.uais LIKE '%"' || NEW.uai || '"%'
            AND c.ceiling > (SELECT count(*) FROM destructions d WHERE d.campaign_id = c.id)) THEN
        RAISE EXCEPTION 'ardoise: a campaign covers its collèges, on its days, up to its ceiling (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER destructions_before_insert BEFORE INSERT ON destructions
    FOR EACH ROW EXECUTE FUNCTION destructions_before_insert();
CREATE FUNCTION destructions_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.kind IS DISTINCT FROM OLD.kind OR
            NEW.day IS DISTINCT FROM OLD.day OR NEW.at IS DISTINCT FROM OLD.at OR
            NEW.actor IS DISTINCT FROM OLD.actor OR NEW.account_id IS DISTINCT FROM OLD.account_id OR
            NEW.uai IS DISTINCT FROM OLD.uai OR NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR
            NEW.ref IS DISTINCT FROM OLD.ref OR NEW.campaign_id IS DISTINCT FROM OLD.campaign_id THEN
        RAISE EXCEPTION 'ardoise: what was counted stays counted (M5)';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state = 'held' AND NEW.state IN ('released', 'void')) THEN
        RAISE EXCEPTION 'ardoise: what was counted stays counted (M5)';
    END IF;
    IF NEW.countersignature_id IS DISTINCT FROM OLD.countersignature_id
            AND NOT (OLD.state = 'held' AND NEW.state = 'held') THEN
        RAISE EXCEPTION 'ardoise: what was counted stays counted (M5)';
    END IF;
    IF OLD.state = 'held' AND NEW.state = 'released' AND NOT EXISTS (SELECT 1 FROM countersignatures c
            WHERE c.id = NEW.countersignature_id AND c.state = 'given'
            AND 'account:' || c.answered_by <> OLD.actor) THEN
        RAISE EXCEPTION 'ardoise: a held destruction is released by a second person (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER destructions_before_update BEFORE UPDATE ON destructions
    FOR EACH ROW EXECUTE FUNCTION destructions_before_update();
CREATE TRIGGER destructions_before_delete BEFORE DELETE ON destructions
    FOR EACH ROW EXECUTE FUNCTION refuse('what was counted stays counted (M5)');
CREATE TRIGGER brake_before_insert BEFORE INSERT ON brake
    FOR EACH ROW EXECUTE FUNCTION refuse('there is one switch (M5)');
CREATE FUNCTION brake_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.engaged AND NEW.engaged AND (NEW.since IS DISTINCT FROM OLD.since OR
            NEW.engaged_by IS DISTINCT FROM OLD.engaged_by OR NEW.reason IS DISTINCT FROM OLD.reason) THEN
        RAISE EXCEPTION 'ardoise: who threw the switch stays named until it is released (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER brake_before_update BEFORE UPDATE ON brake
    FOR EACH ROW EXECUTE FUNCTION brake_before_update();
CREATE TRIGGER brake_before_delete BEFORE DELETE ON brake
    FOR EACH ROW EXECUTE FUNCTION refuse('there is one switch (M5)');
CREATE FUNCTION audit_seals_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM COALESCE((SELECT max(number) FROM audit_seals), 0) + 1 OR
            NEW.previous IS DISTINCT FROM
            COALESCE((SELECT s.digest FROM audit_seals s WHERE s.number = NEW.number - 1),
            '0000000000000000000000000000000000000000000000000000000000000000') THEN
        RAISE EXCEPTION 'ardoise: a seal follows the one before it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_seals_before_insert BEFORE INSERT ON audit_seals
    FOR EACH ROW EXECUTE FUNCTION audit_seals_before_insert();
CREATE TRIGGER audit_seals_before_update BEFORE UPDATE ON audit_seals
    FOR EACH ROW EXECUTE FUNCTION refuse('a seal is never broken');
CREATE TRIGGER audit_seals_before_delete BEFORE DELETE ON audit_seals
    FOR EACH ROW EXECUTE FUNCTION refuse('a seal is never broken');
CREATE FUNCTION privacy_validations_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM privacy_validations x WHERE x.id = NEW.id) OR NEW.withdrawn_at IS NOT NULL OR
            NOT EXISTS (SELECT 1 FROM accounts a
            JOIN role_grants g ON g.account_id = a.id WHERE a.id = NEW.validated_by AND a.state = 'active'
            AND g.role = 'dpo' AND g.revoked_at IS NULL AND g.granted_at <= NEW.validated_at) THEN
        RAISE EXCEPTION 'ardoise: an entry of the register is validated by the DPO (C3.1.6)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER privacy_validations_before_insert BEFORE INSERT ON privacy_validations
    FOR EACH ROW EXECUTE FUNCTION privacy_validations_before_insert();
CREATE FUNCTION privacy_validations_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.activity IS DISTINCT FROM OLD.activity OR
            NEW.entry_sha256 IS DISTINCT FROM OLD.entry_sha256 OR NEW.stored IS DISTINCT FROM OLD.stored OR
            NEW.validated_by IS DISTINCT FROM OLD.validated_by OR
            NEW.validated_at IS DISTINCT FROM OLD.validated_at OR OLD.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: a validation is frozen, except towards its withdrawal';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER privacy_validations_before_update BEFORE UPDATE ON privacy_validations
    FOR EACH ROW EXECUTE FUNCTION privacy_validations_before_update();
CREATE TRIGGER privacy_validations_before_delete BEFORE DELETE ON privacy_validations
    FOR EACH ROW EXECUTE FUNCTION refuse('a validation is withdrawn, never deleted');
CREATE FUNCTION purges_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM purges x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: a purge is recorded once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER purges_before_insert BEFORE INSERT ON purges
    FOR EACH ROW EXECUTE FUNCTION purges_before_insert();
CREATE TRIGGER purges_before_update BEFORE UPDATE ON purges
    FOR EACH ROW EXECUTE FUNCTION refuse('a purge stays recorded');
CREATE TRIGGER purges_before_delete BEFORE DELETE ON purges
    FOR EACH ROW EXECUTE FUNCTION refuse('a purge stays recorded');

-- An entry is sealed once, and its body emptied as a whole: these take the place of the first guards.
CREATE OR REPLACE FUNCTION audit_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq IS DISTINCT FROM OLD.seq OR NEW.id IS DISTINCT FROM OLD.id OR
            NEW.at IS DISTINCT FROM OLD.at OR NEW.actor IS DISTINCT FROM OLD.actor OR
            NEW.action IS DISTINCT FROM OLD.action OR NEW.tablet_id IS DISTINCT FROM OLD.tablet_id OR
            NEW.enrolment_id IS DISTINCT FROM OLD.enrolment_id OR NEW.order_ref IS DISTINCT FROM OLD.order_ref
            OR (OLD.seal_number IS NOT NULL AND NEW.seal_number IS DISTINCT FROM OLD.seal_number)
            OR (OLD.body_digest IS NOT NULL AND NEW.body_digest IS DISTINCT FROM OLD.body_digest)
            OR (OLD.body_digest IS NULL AND NEW.body_digest IS NOT NULL AND NEW.salt IS NULL)
            OR ((NEW.reason IS DISTINCT FROM OLD.reason OR NEW.detail IS DISTINCT FROM OLD.detail)
            AND NOT (NEW.reason IS NULL AND NEW.detail IS NULL AND NEW.salt IS NULL
            AND OLD.body_digest IS NOT NULL))
            OR (NEW.salt IS DISTINCT FROM OLD.salt AND NOT (NEW.reason IS NULL AND NEW.detail IS NULL
            AND NEW.salt IS NULL AND OLD.body_digest IS NOT NULL)
            AND NOT (OLD.body_digest IS NULL AND OLD.salt IS NULL AND NEW.salt IS NOT NULL
            AND NEW.body_digest IS NOT NULL)) THEN
        RAISE EXCEPTION 'ardoise: the audit log is appended, never edited';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION audit_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit a WHERE a.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: the audit log is appended, never edited';
    END IF;
    IF NEW.seal_number IS NOT NULL OR (NEW.salt IS NULL) <> (NEW.body_digest IS NULL) THEN
        RAISE EXCEPTION 'ardoise: an entry of the audit log begins unsealed, its body with its digest';
    END IF;
    RETURN NEW;
END $$;

-- The brake stands before every command that destroys, when it is queued and each time it is sent (M5). Turning
-- lost mode off is an ordinary command, and is never stopped. The lock on the switch makes throwing it wait for
-- what is being sent, so that nothing is sent once it is thrown.
CREATE FUNCTION commands_under_the_brake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM brake b WHERE b.id = 1 AND NOT b.engaged FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'ardoise: the switch is thrown: nothing is erased, lost-moded or unenrolled (M5)';
    END IF;
    IF NEW.request_type <> 'PlayLostModeSound'
            AND NOT EXISTS (SELECT 1 FROM destructions d WHERE d.kind = NEW.gate
            AND d.state IN ('counted', 'released')
            AND (d.tablet_id IS NULL OR d.tablet_id = NEW.tablet_id)
            AND d.ref IN (NEW.id, NEW.incident_id, NEW.erase_order_id, NEW.enrolment_end_id)) THEN
        RAISE EXCEPTION 'ardoise: the brake has not counted this destruction, or holds it (M5)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commands_under_the_brake_when_queued BEFORE INSERT ON commands FOR EACH ROW
    WHEN (NEW.gate IN ('erase', 'lost-mode', 'unenrol') AND NEW.state IN ('queued', 'sent', 'not-now'))
    EXECUTE FUNCTION commands_under_the_brake();
CREATE TRIGGER commands_under_the_brake_when_sent BEFORE UPDATE ON commands FOR EACH ROW
    WHEN (NEW.gate IN ('erase', 'lost-mode', 'unenrol') AND NEW.state IN ('queued', 'sent')
    AND (NEW.state <> OLD.state OR NEW.sent_at IS DISTINCT FROM OLD.sent_at))
    EXECUTE FUNCTION commands_under_the_brake();

-- TRUNCATE asks no trigger of rows.
CREATE TRIGGER organisations_before_truncate BEFORE TRUNCATE ON organisations
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER accounts_before_truncate BEFORE TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER account_makers_before_truncate BEFORE TRUNCATE ON account_makers
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER role_grants_before_truncate BEFORE TRUNCATE ON role_grants
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER role_grant_colleges_before_truncate BEFORE TRUNCATE ON role_grant_colleges
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER countersignatures_before_truncate BEFORE TRUNCATE ON countersignatures
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER campaigns_before_truncate BEFORE TRUNCATE ON campaigns
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER destructions_before_truncate BEFORE TRUNCATE ON destructions
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER brake_before_truncate BEFORE TRUNCATE ON brake
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER audit_seals_before_truncate BEFORE TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER privacy_validations_before_truncate BEFORE TRUNCATE ON privacy_validations
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER purges_before_truncate BEFORE TRUNCATE ON purges
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
