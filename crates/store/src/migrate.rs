//! Migrations: embedded in the program, one folder per engine, run by whoever owns the tables.

use diesel::backend::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::migration::MigrationSource;
use diesel::{QueryDsl as _, RunQueryDsl as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::backup::private_file;
use crate::connection::AnyConnection;
use crate::database::connect;
use crate::schema::__diesel_schema_migrations;
use crate::{DatabaseUrl, StoreError};

pub(crate) const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
pub(crate) const POSTGRESQL: EmbeddedMigrations = embed_migrations!("../../migrations/postgresql");

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that were run now, oldest first; empty if the tables were up to date.
    pub applied: Vec<String>,
}

/// Creates or upgrades the tables.
pub(crate) fn migrate(url: &DatabaseUrl) -> Result<Migrated, StoreError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Migration(error.to_string());
    if let Some(path) = url.sqlite_path()
        && !path.exists()
    {
        // SQLite itself would let everybody on the machine read it. Its other files take after this one.
        private_file(path)?;
    }
    let versions = match &mut connect(url)? {
        AnyConnection::Postgresql(connection) => {
            // Two nodes started by the same deployment must not create the same table twice.
            connection.batch_execute("SELECT pg_advisory_lock(4715310)")?;
            connection
                .run_pending_migrations(POSTGRESQL)
                .map_err(failed)?
                .iter()
                .map(ToString::to_string)
                .collect()
        }
        AnyConnection::Sqlite(connection) => connection
            .run_pending_migrations(SQLITE)
            .map_err(failed)?
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    Ok(Migrated { applied: versions })
}

/// Refuses tables that lack a migration. Tables that are newer than the program are served: a rolling upgrade
/// migrates first.
pub(crate) fn require_migrated(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let wanted = match connection {
        AnyConnection::Postgresql(_) => embedded::<diesel::pg::Pg>(&POSTGRESQL)?,
        AnyConnection::Sqlite(_) => embedded::<diesel::sqlite::Sqlite>(&SQLITE)?,
    };
    // A database without the table has had no migration; every other failure shows itself in the next statement.
    let applied: Vec<String> = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(connection)
        .unwrap_or_default();
    let missing: Vec<String> = wanted.into_iter().filter(|version| !applied.contains(version)).collect();
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(StoreError::NotMigrated { pending: missing.len(), first: first.clone() }),
    }
}

fn embedded<DB: Backend>(source: &EmbeddedMigrations) -> Result<Vec<String>, StoreError> {
    let migrations = MigrationSource::<DB>::migrations(source)
        .map_err(|error| StoreError::Migration(error.to_string()))?;
    let mut versions: Vec<String> =
        migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    versions.sort();
    Ok(versions)
}
