//! Which PostgreSQL role may do what: the owner migrates, another role serves and cannot drop a trigger.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, RunQueryDsl as _};

use crate::connection::AnyConnection;
use crate::database::connect;
use crate::{DatabaseUrl, StoreError};

#[derive(QueryableByName)]
struct Role {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    owns: bool,
}

/// Refuses a role that owns a table of ours, is a member of a role that does, or is a superuser.
pub(crate) fn refuse_owner(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let AnyConnection::Postgresql(connection) = connection else {
        return Ok(());
    };
    let role: Role = diesel::sql_query(
        "SELECT current_user::text AS name, EXISTS (SELECT 1 FROM pg_class \
         WHERE relname = 'commands' AND relnamespace = current_schema()::regnamespace \
         AND pg_has_role(current_user, relowner, 'MEMBER')) AS owns",
    )
    .get_result(connection)?;
    if role.owns { Err(StoreError::OwnerRole { role: role.name }) } else { Ok(()) }
}

/// What is appended or kept for good: a serving role deletes nothing there.
const KEPT: &str = "audit, audit_seals, incidents, warrants, erase_orders, enrolment_ends, certificates, \
    organisations, accounts, account_makers, role_grants, role_grant_colleges, countersignatures, campaigns, \
    destructions, brake, privacy_validations, purges, profile_versions, profile_approvals, rollouts, \
    emergency_orders, notices_due, apps, persons, loans, restitutions, notices, last_decisions, \
    incident_declarations, incident_papers, warrant_grants, position_requests, positions, layer_suspensions, \
     position_looks, warrant_notices, notice_delays, incident_confirmations, warranty_verdicts, replacements, \
     lists, list_changes, agreement_texts, signatures, restrictions, supervision_exceptions, mails, paper_corrections, \
    noticed_corrections";

/// What is appended and never changed: a serving role updates nothing there.
const APPENDED: &str = "audit_seals, account_makers, role_grant_colleges, purges, profile_approvals, \
    incident_papers, warrant_grants, positions, position_looks, notice_delays, incident_confirmations, \
    warranty_verdicts, agreement_texts, paper_corrections, noticed_corrections";

/// What of a table a serving role may change, where it is not the whole row.
const CHANGED_IN_PART: [(&str, &str); 19] = [
    ("audit", "reason, detail, salt, body_digest, seal_number"),
    ("role_grants", "confirmed_by, confirmed_at, effective_at, revoked_at, revoked_by"),
    (
        "countersignatures",
        "state, answered_by, answered_at, answer_reason, used_at, used_for, content, reason",
    ),
    ("destructions", "state, countersignature_id"),
    ("campaigns", "ended_at"),
    ("notices", "state, counted_at, counted_by"),
    (
        "profile_versions",
        "state, title, content_sealed, content_sha256, edited_at, submitted_at, takes_effect_at, scheduled_by, rollout_plan, \
         published_at, superseded_at, \
         ended_at, ended_by, ended_reason",
    ),
    ("rollouts", "state, wave, wave_since, reason, ended_at"),
    ("emergency_orders", "ended_at, ended_by"),
    ("notices_due", "told_at"),
    ("list_changes", "entry_sealed, before_sealed"),
    ("signatures", "evidence"),
    ("restrictions", "lifted_at"),
    ("incident_declarations", "circumstances_sealed, stage, stage_at"),
    ("position_requests", "outcome, why, outcome_at"),
    ("layer_suspensions", "why, suspended_at, lifted_at"),
    ("warrant_notices", "due_at, told_at, told_how, told_by"),
    ("replacements", "paid_on"),
    ("mails", "state, due_at, lease_until, attempts, handing_at, doubts, reason, ended_at"),
];

/// Grants `role` what serving needs.
pub(crate) fn grant(url: &DatabaseUrl, role: &str) -> Result<(), StoreError> {
    let mut connection = connect(url)?;
    let AnyConnection::Postgresql(connection) = &mut connection else {
        return Ok(());
    };
    // An identifier cannot be bound; PostgreSQL's rule for quoting one is to double its quotes.
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    connection.batch_execute(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
         GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}; \
         REVOKE DELETE ON {KEPT} FROM {role}; \
         REVOKE UPDATE ON {APPENDED} FROM {role}; \
         REVOKE INSERT ON brake FROM {role}; \
         REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM {role}"
    ))?;
    for (table, columns) in CHANGED_IN_PART {
        // Revoking on a table also revokes what was granted on its columns.
        connection.batch_execute(&format!(
            "REVOKE UPDATE ON {table} FROM {role}; GRANT UPDATE ({columns}) ON {table} TO {role}"
        ))?;
    }
    Ok(())
}
