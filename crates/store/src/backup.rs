//! Backups: SQLite copies itself while it serves, PostgreSQL is dumped by its own tools.
//!
//! A backup holds what the database holds: sealed secrets, and personal data. It is readable by its owner only.
//! The key file is not in it, on purpose: whoever finds a backup cannot open what is sealed.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;
use types::{Actor, Instant};

use crate::connection::AnyConnection;
use crate::database::connect;
use crate::migrate::{self, Migrated};
use crate::restore::{Voided, void_after_restore};
use crate::store::blocking;
use crate::{DatabaseUrl, Store, StoreError, StoreOptions, Vault, audit};

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The migrations that the backup lacked.
    pub migrated: Migrated,
    /// What is void now, because it destroys and is older than the restore (M5).
    pub voided: Voided,
}

impl Store {
    /// Writes a backup of the database at `url` to the new file `to`, while it is served.
    ///
    /// # Errors
    /// [`StoreError::Backup`] if the file exists, cannot be written, or PostgreSQL's `pg_dump` fails.
    pub async fn backup(url: DatabaseUrl, to: PathBuf) -> Result<(), StoreError> {
        blocking(move || backup(&url, &to)).await?
    }

    /// Brings the backup in the file `from` back into the database at `url`, which must be empty; upgrades its
    /// tables, voids what destroys, and says so in the audit log.
    ///
    /// # Errors
    /// [`StoreError::Backup`] if the database is not empty, the file cannot be read, or `pg_restore` fails.
    pub async fn restore(
        url: DatabaseUrl,
        vault: Vault,
        from: PathBuf,
        now: Instant,
    ) -> Result<Restored, StoreError> {
        let target = url.clone();
        let migrated = blocking(move || {
            bring_back(&target, &from)?;
            migrate::migrate(&target)
        })
        .await??;
        let store = Self::open(StoreOptions { pool_size: 1, ..StoreOptions::new(url) }, vault).await?;
        let voided = store
            .write(move |tx| {
                let voided = void_after_restore(tx, now)?;
                let mut entry = audit::NewEntry::new(now, Actor::Host, "database.restore");
                entry.detail = Some(serde_json::json!({ "void": voided.as_json() }));
                audit::append(tx, &entry)?;
                Ok::<_, StoreError>(voided)
            })
            .await?;
        Ok(Restored { migrated, voided })
    }
}

fn backup(url: &DatabaseUrl, to: &Path) -> Result<(), StoreError> {
    let file = private_file(to)?;
    let written = match connect(url)? {
        AnyConnection::Sqlite(mut connection) => diesel::sql_query("VACUUM INTO ?")
            .bind::<Text, _>(to.to_string_lossy().into_owned())
            .execute(&mut connection)
            .map(|_rows| ())
            .map_err(StoreError::from),
        AnyConnection::Postgresql(_) => {
            let mut dump = tool("pg_dump", url)?;
            dump.arg("--format=custom").arg("--no-owner").arg("--no-privileges").stdout(Stdio::from(file));
            run(dump)
        }
    };
    if written.is_err() && std::fs::remove_file(to).is_err() {
        tracing::warn!(file = %to.display(), "half a backup was left: remove it");
    }
    written
}

/// A new file that only its owner reads.
pub(crate) fn private_file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
        StoreError::Backup(format!(
            "`{}` cannot be written: {error}; name a file that does not exist",
            path.display()
        ))
    })
}

fn bring_back(url: &DatabaseUrl, from: &Path) -> Result<(), StoreError> {
    let unreadable = |error: std::io::Error| {
        StoreError::Backup(format!("`{}` cannot be restored: {error}", from.display()))
    };
    if let Some(path) = url.sqlite_path() {
        let mut source = File::open(from).map_err(unreadable)?;
        let mut target = private_file(path)?;
        std::io::copy(&mut source, &mut target).map_err(unreadable)?;
        return target.sync_all().map_err(unreadable);
    }
    let source = File::open(from).map_err(unreadable)?;
    let mut restore = tool("pg_restore", url)?;
    restore
        .args(["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"])
        .arg(format!("--dbname={}", database_name(url)))
        .stdin(Stdio::from(source));
    run(restore)
}

fn parsed(url: &DatabaseUrl) -> Result<url::Url, StoreError> {
    let text = url.postgresql_url().map(|text| text.expose().as_str()).unwrap_or_default();
    url::Url::parse(text).map_err(|_invalid| StoreError::InvalidUrl(url.to_string()))
}

fn database_name(url: &DatabaseUrl) -> String {
    parsed(url).map(|url| decoded(url.path().trim_start_matches('/'))).unwrap_or_default()
}

/// A tool of PostgreSQL, told where to connect by its environment: arguments are shown to everyone on the
/// machine, and the URL may hold a password.
fn tool(name: &str, url: &DatabaseUrl) -> Result<Command, StoreError> {
    let url = parsed(url)?;
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    let parts = [
        ("PGHOST", url.host_str().map(decoded)),
        ("PGPORT", url.port().map(|port| port.to_string())),
        ("PGUSER", Some(decoded(url.username()))),
        ("PGPASSWORD", url.password().map(decoded)),
        ("PGDATABASE", Some(decoded(url.path().trim_start_matches('/')))),
    ];
    for (variable, value) in parts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            command.env(variable, value);
        }
    }
    for (parameter, value) in url.query_pairs() {
        let variable = match parameter.as_ref() {
            "host" => "PGHOST",
            "port" => "PGPORT",
            "user" => "PGUSER",
            "password" => "PGPASSWORD",
            "dbname" => "PGDATABASE",
            "sslmode" => "PGSSLMODE",
            "sslrootcert" => "PGSSLROOTCERT",
            "sslcert" => "PGSSLCERT",
            "sslkey" => "PGSSLKEY",
            "options" => "PGOPTIONS",
            "connect_timeout" => "PGCONNECT_TIMEOUT",
            _ => continue,
        };
        command.env(variable, value.as_ref());
    }
    Ok(command)
}

/// Percent-decoded, as libpq reads each part of a URL.
fn decoded(part: &str) -> String {
    // The form decoder also turns `+` into a space, which a URL's user and path keep.
    let kept = part.replace('+', "%2B");
    url::form_urlencoded::parse(format!("part={kept}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn run(mut command: Command) -> Result<(), StoreError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command.stderr(Stdio::piped()).spawn().map_err(|error| {
        StoreError::Backup(format!(
            "`{name}` cannot be started ({error}): install PostgreSQL's client programs"
        ))
    })?;
    let Output { status, stderr, .. } =
        child.wait_with_output().map_err(|error| StoreError::Backup(format!("`{name}`: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(StoreError::Backup(format!("`{name}` failed: {}", String::from_utf8_lossy(&stderr).trim())))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn t_c11_a_password_is_passed_by_environment_and_never_as_an_argument() {
        let url: DatabaseUrl =
            "postgresql://ardoise:p%40ss+word@db.example:5433/fleet%20one?sslmode=require".parse().unwrap();
        let command = tool("pg_dump", &url).unwrap();
        let variables: Vec<(String, String)> = command
            .get_envs()
            .map(|(name, value)| (name.to_string_lossy().into(), value.unwrap().to_string_lossy().into()))
            .collect();
        for (name, value) in [
            ("PGHOST", "db.example"),
            ("PGPORT", "5433"),
            ("PGUSER", "ardoise"),
            ("PGPASSWORD", "p@ss+word"),
            ("PGDATABASE", "fleet one"),
            ("PGSSLMODE", "require"),
        ] {
            assert!(variables.contains(&(name.to_owned(), value.to_owned())), "{name}: {variables:?}");
        }
        assert_eq!(command.get_args().count(), 0);
    }
}
