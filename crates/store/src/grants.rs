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
         REVOKE DELETE ON audit, incidents, warrants, erase_orders, enrolment_ends, certificates FROM {role}; \
         REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM {role}"
    ))?;
    Ok(())
}
