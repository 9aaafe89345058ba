-- The guards of the tables of Hands on the controls, for SQLite. The same tables are guarded against the same as for
-- PostgreSQL.
--
-- What no statement may do, whatever program sends it. The rows' own instants are compared, never the clock of the
-- machine. INSERT OR REPLACE deletes what stands in its way without asking a trigger: what is unique is looked up
-- first, and refused in words that the program reads as a duplicate.
CREATE TRIGGER organisations_before_insert_1 BEFORE INSERT ON organisations WHEN
        EXISTS (SELECT 1 FROM organisations x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an organisation is made once'); END;
CREATE TRIGGER organisations_before_insert_2 BEFORE INSERT ON organisations WHEN
        NEW.referent_account_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts a
        WHERE a.id = NEW.referent_account_id AND a.organisation_id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a référent is of the collège that names them (C3.3.1)'); END;
CREATE TRIGGER organisations_before_insert_3 BEFORE INSERT ON organisations WHEN
        EXISTS (SELECT 1 FROM organisations x WHERE x.uai = NEW.uai)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: organisations.uai'); END;
CREATE TRIGGER organisations_before_insert_4 BEFORE INSERT ON organisations WHEN
        NEW.kind <> 'college' AND EXISTS (SELECT 1 FROM organisations x WHERE x.kind = NEW.kind)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: organisations.kind'); END;
CREATE TRIGGER organisations_before_update_1 BEFORE UPDATE ON organisations WHEN
        NEW.id IS NOT OLD.id OR NEW.kind IS NOT OLD.kind OR NEW.uai IS NOT OLD.uai OR
        NEW.created_at IS NOT OLD.created_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: an organisation stays what it is (C3.1.7)'); END;
CREATE TRIGGER organisations_before_update_2 BEFORE UPDATE ON organisations WHEN
        NEW.referent_account_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts a
        WHERE a.id = NEW.referent_account_id AND a.organisation_id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a référent is of the collège that names them (C3.3.1)'); END;
CREATE TRIGGER organisations_before_delete_1 BEFORE DELETE ON organisations WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: an organisation is closed, never deleted'); END;
CREATE TRIGGER school_years_before_insert_1 BEFORE INSERT ON school_years WHEN
        EXISTS (SELECT 1 FROM school_years x WHERE x.label = NEW.label) OR EXISTS (SELECT 1 FROM school_years y
        WHERE y.starts_on <= NEW.ends_on AND NEW.starts_on <= y.ends_on)
    BEGIN SELECT RAISE(ABORT, 'ardoise: school years do not overlap'); END;
CREATE TRIGGER school_years_before_update_1 BEFORE UPDATE ON school_years WHEN
        NEW.label IS NOT OLD.label
    BEGIN SELECT RAISE(ABORT, 'ardoise: a school year keeps its name'); END;
CREATE TRIGGER school_years_before_update_2 BEFORE UPDATE ON school_years WHEN
        EXISTS (SELECT 1 FROM school_years y WHERE y.label <> NEW.label
        AND y.starts_on <= NEW.ends_on AND NEW.starts_on <= y.ends_on)
    BEGIN SELECT RAISE(ABORT, 'ardoise: school years do not overlap'); END;
CREATE TRIGGER accounts_before_insert_1 BEFORE INSERT ON accounts WHEN
        EXISTS (SELECT 1 FROM accounts x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an account is made once'); END;
CREATE TRIGGER accounts_before_insert_2 BEFORE INSERT ON accounts WHEN
        NEW.state NOT IN ('invited', 'active') OR NOT EXISTS (SELECT 1 FROM organisations o
        WHERE o.id = NEW.organisation_id AND o.state = 'active')
    BEGIN SELECT RAISE(ABORT, 'ardoise: an account is made in an active organisation'); END;
CREATE TRIGGER accounts_before_insert_3 BEFORE INSERT ON accounts WHEN
        EXISTS (SELECT 1 FROM accounts x WHERE x.login = NEW.login)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: accounts.login'); END;
CREATE TRIGGER accounts_before_insert_4 BEFORE INSERT ON accounts WHEN
        EXISTS (SELECT 1 FROM accounts x WHERE x.invitation_sha256 = NEW.invitation_sha256)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: accounts.invitation_sha256'); END;
CREATE TRIGGER accounts_before_update_1 BEFORE UPDATE ON accounts WHEN
        NEW.id IS NOT OLD.id OR NEW.organisation_id IS NOT OLD.organisation_id OR
        NEW.created_at IS NOT OLD.created_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: an account stays in its organisation (C3.1.7)'); END;
CREATE TRIGGER accounts_before_update_2 BEFORE UPDATE ON accounts WHEN
        OLD.state = 'closed' AND (NEW.state IS NOT OLD.state OR NEW.closed_at IS NOT OLD.closed_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a closed account stays closed'); END;
CREATE TRIGGER accounts_before_update_3 BEFORE UPDATE ON accounts WHEN
        NEW.totp_sealed IS OLD.totp_sealed AND OLD.totp_used_step IS NOT NULL
        AND (NEW.totp_used_step IS NULL OR NEW.totp_used_step < OLD.totp_used_step)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a code is used once'); END;
CREATE TRIGGER accounts_before_update_4 BEFORE UPDATE ON accounts WHEN
        NEW.login <> OLD.login AND EXISTS (SELECT 1 FROM accounts x WHERE x.login = NEW.login)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: accounts.login'); END;
CREATE TRIGGER accounts_before_update_5 BEFORE UPDATE ON accounts WHEN
        NEW.invitation_sha256 IS NOT OLD.invitation_sha256
        AND EXISTS (SELECT 1 FROM accounts x WHERE x.invitation_sha256 = NEW.invitation_sha256)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: accounts.invitation_sha256'); END;
CREATE TRIGGER accounts_before_delete_1 BEFORE DELETE ON accounts WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: an account is closed, never deleted'); END;
CREATE TRIGGER account_makers_before_insert_1 BEFORE INSERT ON account_makers WHEN
        EXISTS (SELECT 1 FROM account_makers x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: who made an account is recorded once'); END;
CREATE TRIGGER account_makers_before_update_1 BEFORE UPDATE ON account_makers WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: who made an account stays recorded (C3.1.7)'); END;
CREATE TRIGGER account_makers_before_delete_1 BEFORE DELETE ON account_makers WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: who made an account stays recorded (C3.1.7)'); END;
CREATE TRIGGER role_grants_before_insert_1 BEFORE INSERT ON role_grants WHEN
        EXISTS (SELECT 1 FROM role_grants x WHERE x.id = NEW.id) OR NEW.confirmed_by IS NOT NULL OR
        NEW.revoked_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a role is granted once, and confirmed afterwards'); END;
CREATE TRIGGER role_grants_before_insert_2 BEFORE INSERT ON role_grants WHEN
        NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        WHERE a.id = NEW.account_id AND a.state <> 'closed' AND CASE
        WHEN NEW.role IN ('operator', 'ati') THEN o.kind = 'departement'
        WHEN NEW.role IN ('head', 'referent') THEN o.kind = 'college'
        ELSE o.kind IN ('departement', 'academie') END)
    BEGIN SELECT RAISE(ABORT, 'ardoise: such a role is not given in such an organisation'); END;
CREATE TRIGGER role_grants_before_insert_3 BEFORE INSERT ON role_grants WHEN
        NEW.role = 'approver' AND NOT EXISTS (SELECT 1 FROM accounts a
        JOIN accounts b ON b.organisation_id = a.organisation_id
        WHERE a.id = NEW.account_id AND b.id = NEW.granted_by AND b.state = 'active')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a right to approve is given within the organisation (C3.1.7)'); END;
CREATE TRIGGER role_grants_before_insert_4 BEFORE INSERT ON role_grants WHEN
        EXISTS (SELECT 1 FROM role_grants x WHERE x.account_id = NEW.account_id AND x.role = NEW.role
        AND x.revoked_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: role_grants.account_id, role_grants.role'); END;
CREATE TRIGGER role_grants_before_update_1 BEFORE UPDATE ON role_grants WHEN
        NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id OR NEW.role IS NOT OLD.role OR
        NEW.reach IS NOT OLD.reach OR NEW.colleges IS NOT OLD.colleges OR
        NEW.granted_by IS NOT OLD.granted_by OR NEW.granted_at IS NOT OLD.granted_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: a granted role is frozen, except towards its confirmation and its end'); END;
CREATE TRIGGER role_grants_before_update_2 BEFORE UPDATE ON role_grants WHEN
        OLD.revoked_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a revoked role stays revoked'); END;
CREATE TRIGGER role_grants_before_update_3 BEFORE UPDATE ON role_grants WHEN
        OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_by IS NOT OLD.confirmed_by OR
        NEW.confirmed_at IS NOT OLD.confirmed_at OR NEW.effective_at IS NOT OLD.effective_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a right to approve is confirmed once'); END;
CREATE TRIGGER role_grants_before_update_4 BEFORE UPDATE ON role_grants WHEN
        NEW.confirmed_by IS NOT OLD.confirmed_by AND NOT EXISTS (SELECT 1 FROM accounts a
        JOIN accounts b ON b.organisation_id = a.organisation_id
        WHERE a.id = NEW.account_id AND b.id = NEW.confirmed_by AND b.state = 'active')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a right to approve is confirmed within the organisation (C3.1.7)'); END;
CREATE TRIGGER role_grants_before_delete_1 BEFORE DELETE ON role_grants WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a granted role is revoked, never deleted'); END;
CREATE TRIGGER role_grant_colleges_before_insert_1 BEFORE INSERT ON role_grant_colleges WHEN
        EXISTS (SELECT 1 FROM role_grant_colleges c WHERE c.grant_id = NEW.grant_id AND c.uai = NEW.uai)
        OR NOT EXISTS (SELECT 1 FROM role_grants g WHERE g.id = NEW.grant_id AND g.revoked_at IS NULL
        AND g.colleges > (SELECT count(*) FROM role_grant_colleges c WHERE c.grant_id = g.id))
    BEGIN SELECT RAISE(ABORT, 'ardoise: the collèges of a role are those it was granted with'); END;
CREATE TRIGGER role_grant_colleges_before_update_1 BEFORE UPDATE ON role_grant_colleges WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: the collèges of a role are those it was granted with'); END;
CREATE TRIGGER role_grant_colleges_before_delete_1 BEFORE DELETE ON role_grant_colleges WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: the collèges of a role are those it was granted with'); END;
CREATE TRIGGER sessions_before_insert_1 BEFORE INSERT ON sessions WHEN
        EXISTS (SELECT 1 FROM sessions x WHERE x.id = NEW.id) OR NEW.revoked_at IS NOT NULL OR
        NOT EXISTS (SELECT 1 FROM accounts a
        WHERE a.id = NEW.account_id AND a.state = 'active')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a session is opened once, by an active account'); END;
CREATE TRIGGER sessions_before_insert_2 BEFORE INSERT ON sessions WHEN
        EXISTS (SELECT 1 FROM sessions x WHERE x.secret_sha256 = NEW.secret_sha256)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: sessions.secret_sha256'); END;
CREATE TRIGGER sessions_before_update_1 BEFORE UPDATE ON sessions WHEN
        NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id OR
        NEW.secret_sha256 IS NOT OLD.secret_sha256 OR NEW.created_at IS NOT OLD.created_at OR
        NEW.expires_at IS NOT OLD.expires_at
        OR (OLD.revoked_at IS NOT NULL AND (NEW.revoked_at IS NOT OLD.revoked_at OR
        NEW.last_used_at IS NOT OLD.last_used_at OR NEW.stepped_up_at IS NOT OLD.stepped_up_at))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a session is whose it is, and ends when it ends'); END;
CREATE TRIGGER api_tokens_before_insert_1 BEFORE INSERT ON api_tokens WHEN
        EXISTS (SELECT 1 FROM api_tokens x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a token is given out once'); END;
CREATE TRIGGER api_tokens_before_insert_2 BEFORE INSERT ON api_tokens WHEN
        EXISTS (SELECT 1 FROM api_tokens x WHERE x.secret_sha256 = NEW.secret_sha256)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: api_tokens.secret_sha256'); END;
CREATE TRIGGER api_tokens_before_update_1 BEFORE UPDATE ON api_tokens WHEN
        NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id OR
        NEW.secret_sha256 IS NOT OLD.secret_sha256 OR NEW.scope IS NOT OLD.scope OR
        NEW.reach IS NOT OLD.reach OR NEW.created_at IS NOT OLD.created_at OR
        NEW.expires_at IS NOT OLD.expires_at
        OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a token is whose it is, and ends when it ends'); END;
CREATE TRIGGER countersignatures_before_insert_1 BEFORE INSERT ON countersignatures WHEN
        EXISTS (SELECT 1 FROM countersignatures x WHERE x.id = NEW.id) OR NEW.state <> 'waiting' OR
        NEW.answer_reason IS NOT NULL
        OR NEW.content IS NULL OR NEW.reason IS NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a second person is asked before they answer'); END;
CREATE TRIGGER countersignatures_before_update_1 BEFORE UPDATE ON countersignatures WHEN
        NEW.id IS NOT OLD.id OR NEW.purpose IS NOT OLD.purpose OR NEW.subject IS NOT OLD.subject OR
        NEW.content_sha256 IS NOT OLD.content_sha256 OR NEW.asked_by IS NOT OLD.asked_by OR
        NEW.asked_at IS NOT OLD.asked_at OR NEW.answer_organisation IS NOT OLD.answer_organisation OR
        NEW.answer_role IS NOT OLD.answer_role OR NEW.answer_uai IS NOT OLD.answer_uai OR
        NEW.expires_at IS NOT OLD.expires_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: what a second person is asked is frozen'); END;
CREATE TRIGGER countersignatures_before_update_2 BEFORE UPDATE ON countersignatures WHEN
        (NEW.content IS NOT OLD.content OR NEW.reason IS NOT OLD.reason OR (OLD.state <> 'waiting'
        AND NEW.answer_reason IS NOT OLD.answer_reason)) AND NOT (OLD.state <> 'waiting' AND NEW.content IS NULL
        AND NEW.reason IS NULL AND NEW.answer_reason IS NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: what a second person is asked is frozen'); END;
CREATE TRIGGER countersignatures_before_update_3 BEFORE UPDATE ON countersignatures WHEN
        OLD.state <> 'waiting' AND NEW.state <> OLD.state
        AND NOT (OLD.state = 'given' AND NEW.state = 'void' AND OLD.used_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an answer that was given, or is past, stays as it is'); END;
CREATE TRIGGER countersignatures_before_update_4 BEFORE UPDATE ON countersignatures WHEN
        OLD.state <> 'waiting' AND (NEW.answered_by IS NOT OLD.answered_by OR
        NEW.answered_at IS NOT OLD.answered_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an answer that was given, or is past, stays as it is'); END;
CREATE TRIGGER countersignatures_before_update_5 BEFORE UPDATE ON countersignatures WHEN
        OLD.used_at IS NOT NULL AND (NEW.used_at IS NOT OLD.used_at OR NEW.used_for IS NOT OLD.used_for)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an answer is used once'); END;
CREATE TRIGGER countersignatures_before_update_6 BEFORE UPDATE ON countersignatures WHEN
        NEW.used_at IS NOT OLD.used_at AND OLD.state <> 'given'
    BEGIN SELECT RAISE(ABORT, 'ardoise: an answer is used once it was given'); END;
CREATE TRIGGER countersignatures_before_update_7 BEFORE UPDATE ON countersignatures WHEN
        OLD.state = 'waiting' AND NEW.state IN ('given', 'refused')
        AND NOT EXISTS (SELECT 1 FROM accounts a JOIN organisations o ON o.id = a.organisation_id
        JOIN role_grants g ON g.account_id = a.id
        WHERE a.id = NEW.answered_by AND a.state = 'active' AND o.state = 'active'
        AND g.revoked_at IS NULL
        AND CASE g.role WHEN 'approver' THEN g.effective_at ELSE g.granted_at END <= NEW.answered_at
        AND CASE NEW.answer_role
        WHEN 'departement' THEN o.kind = 'departement' AND g.role IN ('operator', 'administrator')
        AND g.reach = 'organisation'
        WHEN 'approver' THEN o.id = NEW.answer_organisation AND g.role = 'approver'
        WHEN 'manager' THEN o.id = NEW.answer_organisation AND g.role IN ('administrator', 'head', 'approver')
        ELSE (g.role = 'head' AND o.uai = NEW.answer_uai) OR (g.role = 'operator' AND (g.reach = 'organisation'
        OR EXISTS (SELECT 1 FROM role_grant_colleges c WHERE c.grant_id = g.id
        AND c.uai = NEW.answer_uai))) END)
    BEGIN SELECT RAISE(ABORT, 'ardoise: whoever answers has the role that was asked for'); END;
CREATE TRIGGER countersignatures_before_delete_1 BEFORE DELETE ON countersignatures WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: what a second person was asked stays to be read'); END;
CREATE TRIGGER campaigns_before_insert_1 BEFORE INSERT ON campaigns WHEN
        EXISTS (SELECT 1 FROM campaigns x WHERE x.id = NEW.id) OR NEW.ended_at IS NOT NULL OR
        NOT EXISTS (SELECT 1 FROM countersignatures c
        WHERE c.id = NEW.countersignature_id AND c.state = 'given' AND c.answered_by <> NEW.opened_by
        AND c.answered_at <= NEW.created_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a campaign is opened by two persons (M5)'); END;
CREATE TRIGGER campaigns_before_insert_2 BEFORE INSERT ON campaigns WHEN
        EXISTS (SELECT 1 FROM campaigns x WHERE x.countersignature_id = NEW.countersignature_id)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: campaigns.countersignature_id'); END;
CREATE TRIGGER campaigns_before_update_1 BEFORE UPDATE ON campaigns WHEN
        NEW.id IS NOT OLD.id OR NEW.uais IS NOT OLD.uais OR NEW.starts_on IS NOT OLD.starts_on OR
        NEW.ends_on IS NOT OLD.ends_on OR NEW.ceiling IS NOT OLD.ceiling OR
        NEW.opened_by IS NOT OLD.opened_by OR NEW.countersignature_id IS NOT OLD.countersignature_id OR
        NEW.reason IS NOT OLD.reason OR NEW.created_at IS NOT OLD.created_at
        OR OLD.ended_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a campaign is frozen, except towards its end'); END;
CREATE TRIGGER campaigns_before_delete_1 BEFORE DELETE ON campaigns WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a campaign stays to be read'); END;
CREATE TRIGGER destructions_before_insert_1 BEFORE INSERT ON destructions WHEN
        EXISTS (SELECT 1 FROM destructions x WHERE x.id = NEW.id) OR NEW.state NOT IN ('counted', 'held')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a destruction is counted or held when it is ordered (M5)'); END;
CREATE TRIGGER destructions_before_insert_2 BEFORE INSERT ON destructions WHEN
        NEW.campaign_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id
        AND c.ended_at IS NULL AND c.starts_on <= NEW.day AND NEW.day <= c.ends_on
        AND c.uais LIKE '%"' || NEW.uai || '"%'
        AND c.ceiling > (SELECT count(*) FROM destructions d WHERE d.campaign_id = c.id))
    BEGIN SELECT RAISE(ABORT, 'ardoise: a campaign covers its collèges, on its days, up to its ceiling (M5)'); END;
CREATE TRIGGER destructions_before_insert_3 BEFORE INSERT ON destructions WHEN
        EXISTS (SELECT 1 FROM destructions x WHERE x.ref = NEW.ref AND x.kind = NEW.kind AND x.state <> 'void')
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: destructions.ref'); END;
CREATE TRIGGER destructions_before_update_1 BEFORE UPDATE ON destructions WHEN
        NEW.id IS NOT OLD.id OR NEW.kind IS NOT OLD.kind OR NEW.day IS NOT OLD.day OR NEW.at IS NOT OLD.at OR
        NEW.actor IS NOT OLD.actor OR NEW.account_id IS NOT OLD.account_id OR NEW.uai IS NOT OLD.uai OR
        NEW.tablet_id IS NOT OLD.tablet_id OR NEW.ref IS NOT OLD.ref OR NEW.campaign_id IS NOT OLD.campaign_id
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was counted stays counted (M5)'); END;
CREATE TRIGGER destructions_before_update_2 BEFORE UPDATE ON destructions WHEN
        NEW.state <> OLD.state AND NOT (OLD.state = 'held' AND NEW.state IN ('released', 'void'))
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was counted stays counted (M5)'); END;
CREATE TRIGGER destructions_before_update_3 BEFORE UPDATE ON destructions WHEN
        NEW.countersignature_id IS NOT OLD.countersignature_id
        AND NOT (OLD.state = 'held' AND NEW.state = 'held')
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was counted stays counted (M5)'); END;
CREATE TRIGGER destructions_before_update_4 BEFORE UPDATE ON destructions WHEN
        OLD.state = 'held' AND NEW.state = 'released' AND NOT EXISTS (SELECT 1 FROM countersignatures c
        WHERE c.id = NEW.countersignature_id AND c.state = 'given' AND 'account:' || c.answered_by <> OLD.actor)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a held destruction is released by a second person (M5)'); END;
CREATE TRIGGER destructions_before_delete_1 BEFORE DELETE ON destructions WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: what was counted stays counted (M5)'); END;
CREATE TRIGGER brake_before_insert_1 BEFORE INSERT ON brake WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: there is one switch (M5)'); END;
CREATE TRIGGER brake_before_update_1 BEFORE UPDATE ON brake WHEN
        OLD.engaged AND NEW.engaged AND (NEW.since IS NOT OLD.since OR NEW.engaged_by IS NOT OLD.engaged_by OR
        NEW.reason IS NOT OLD.reason)
    BEGIN SELECT RAISE(ABORT, 'ardoise: who threw the switch stays named until it is released (M5)'); END;
CREATE TRIGGER brake_before_delete_1 BEFORE DELETE ON brake WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: there is one switch (M5)'); END;
CREATE TRIGGER audit_seals_before_insert_1 BEFORE INSERT ON audit_seals WHEN
        NEW.number IS NOT COALESCE((SELECT max(number) FROM audit_seals), 0) + 1 OR NEW.previous IS NOT
        COALESCE((SELECT s.digest FROM audit_seals s WHERE s.number = NEW.number - 1),
        '0000000000000000000000000000000000000000000000000000000000000000')
    BEGIN SELECT RAISE(ABORT, 'ardoise: a seal follows the one before it'); END;
CREATE TRIGGER audit_seals_before_update_1 BEFORE UPDATE ON audit_seals WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a seal is never broken'); END;
CREATE TRIGGER audit_seals_before_delete_1 BEFORE DELETE ON audit_seals WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a seal is never broken'); END;
CREATE TRIGGER privacy_validations_before_insert_1 BEFORE INSERT ON privacy_validations WHEN
        EXISTS (SELECT 1 FROM privacy_validations x WHERE x.id = NEW.id) OR NEW.withdrawn_at IS NOT NULL OR
        NOT EXISTS (SELECT 1 FROM accounts a
        JOIN role_grants g ON g.account_id = a.id WHERE a.id = NEW.validated_by AND a.state = 'active'
        AND g.role = 'dpo' AND g.revoked_at IS NULL AND g.granted_at <= NEW.validated_at)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an entry of the register is validated by the DPO (C3.1.6)'); END;
CREATE TRIGGER privacy_validations_before_insert_2 BEFORE INSERT ON privacy_validations WHEN
        EXISTS (SELECT 1 FROM privacy_validations x WHERE x.activity = NEW.activity
        AND x.entry_sha256 = NEW.entry_sha256 AND x.withdrawn_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise-taken: privacy_validations.activity, privacy_validations.entry_sha256'); END;
CREATE TRIGGER privacy_validations_before_update_1 BEFORE UPDATE ON privacy_validations WHEN
        NEW.id IS NOT OLD.id OR NEW.activity IS NOT OLD.activity OR NEW.entry_sha256 IS NOT OLD.entry_sha256 OR
        NEW.stored IS NOT OLD.stored OR NEW.validated_by IS NOT OLD.validated_by OR NEW.validated_at IS NOT OLD.validated_at OR
        OLD.withdrawn_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: a validation is frozen, except towards its withdrawal'); END;
CREATE TRIGGER privacy_validations_before_delete_1 BEFORE DELETE ON privacy_validations WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a validation is withdrawn, never deleted'); END;
CREATE TRIGGER purges_before_insert_1 BEFORE INSERT ON purges WHEN
        EXISTS (SELECT 1 FROM purges x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a purge is recorded once'); END;
CREATE TRIGGER purges_before_update_1 BEFORE UPDATE ON purges WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a purge stays recorded'); END;
CREATE TRIGGER purges_before_delete_1 BEFORE DELETE ON purges WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: a purge stays recorded'); END;

-- An entry is sealed once, and its body emptied as a whole: what follows takes the place of the first guard.
DROP TRIGGER audit_before_update_1;
CREATE TRIGGER audit_before_update_1 BEFORE UPDATE ON audit WHEN
        NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.at IS NOT OLD.at OR NEW.actor IS NOT OLD.actor OR
        NEW.action IS NOT OLD.action OR NEW.tablet_id IS NOT OLD.tablet_id OR
        NEW.enrolment_id IS NOT OLD.enrolment_id OR NEW.order_ref IS NOT OLD.order_ref
        OR (OLD.seal_number IS NOT NULL AND NEW.seal_number IS NOT OLD.seal_number)
        OR (OLD.body_digest IS NOT NULL AND NEW.body_digest IS NOT OLD.body_digest)
        OR (OLD.body_digest IS NULL AND NEW.body_digest IS NOT NULL AND NEW.salt IS NULL)
        OR ((NEW.reason IS NOT OLD.reason OR NEW.detail IS NOT OLD.detail)
        AND NOT (NEW.reason IS NULL AND NEW.detail IS NULL AND NEW.salt IS NULL
        AND OLD.body_digest IS NOT NULL))
        OR (NEW.salt IS NOT OLD.salt AND NOT (NEW.reason IS NULL AND NEW.detail IS NULL
        AND NEW.salt IS NULL AND OLD.body_digest IS NOT NULL)
        AND NOT (OLD.body_digest IS NULL AND OLD.salt IS NULL AND NEW.salt IS NOT NULL
        AND NEW.body_digest IS NOT NULL))
    BEGIN SELECT RAISE(ABORT, 'ardoise: the audit log is appended, never edited'); END;
CREATE TRIGGER audit_before_insert_2 BEFORE INSERT ON audit WHEN
        NEW.seal_number IS NOT NULL OR (NEW.salt IS NULL) <> (NEW.body_digest IS NULL)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an entry of the audit log begins unsealed, its body with its digest'); END;

-- The brake stands before every command that destroys, when it is queued and each time it is sent (M5). Turning
-- lost mode off is an ordinary command, and is never stopped.
CREATE TRIGGER commands_under_the_brake_1 BEFORE INSERT ON commands WHEN
        NEW.gate IN ('erase', 'lost-mode', 'unenrol') AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM brake b WHERE b.id = 1 AND NOT b.engaged)
    BEGIN SELECT RAISE(ABORT, 'ardoise: the switch is thrown: nothing is erased, lost-moded or unenrolled (M5)'); END;
CREATE TRIGGER commands_under_the_brake_2 BEFORE INSERT ON commands WHEN
        NEW.gate IN ('erase', 'lost-mode', 'unenrol') AND NEW.request_type <> 'PlayLostModeSound'
        AND NEW.state IN ('queued', 'sent', 'not-now')
        AND NOT EXISTS (SELECT 1 FROM destructions d WHERE d.kind = NEW.gate
        AND d.state IN ('counted', 'released')
        AND (d.tablet_id IS NULL OR d.tablet_id = NEW.tablet_id)
        AND d.ref IN (NEW.id, NEW.incident_id, NEW.erase_order_id, NEW.enrolment_end_id))
    BEGIN SELECT RAISE(ABORT, 'ardoise: the brake has not counted this destruction, or holds it (M5)'); END;
CREATE TRIGGER commands_under_the_brake_3 BEFORE UPDATE ON commands WHEN
        NEW.gate IN ('erase', 'lost-mode', 'unenrol') AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM brake b WHERE b.id = 1 AND NOT b.engaged)
    BEGIN SELECT RAISE(ABORT, 'ardoise: the switch is thrown: nothing is erased, lost-moded or unenrolled (M5)'); END;
CREATE TRIGGER commands_under_the_brake_4 BEFORE UPDATE ON commands WHEN
        NEW.gate IN ('erase', 'lost-mode', 'unenrol') AND NEW.request_type <> 'PlayLostModeSound'
        AND NEW.state IN ('queued', 'sent')
        AND (NEW.state <> OLD.state OR NEW.sent_at IS NOT OLD.sent_at)
        AND NOT EXISTS (SELECT 1 FROM destructions d WHERE d.kind = NEW.gate
        AND d.state IN ('counted', 'released')
        AND (d.tablet_id IS NULL OR d.tablet_id = NEW.tablet_id)
        AND d.ref IN (NEW.id, NEW.incident_id, NEW.erase_order_id, NEW.enrolment_end_id))
    BEGIN SELECT RAISE(ABORT, 'ardoise: the brake has not counted this destruction, or holds it (M5)'); END;
