//! Backups: SQLite copies itself while it serves, PostgreSQL is dumped by its own tools.
//!
//! A backup holds what the database holds: sealed secrets, and personal data. It is readable by its owner only.
//! The key file is not in it, on purpose: whoever finds a backup cannot open what is sealed.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use diesel::sql_types::{Integer, Text};
use diesel::{QueryableByName, RunQueryDsl as _};
use types::{Actor, Instant};

use crate::connection::AnyConnection;
use crate::database::connect;
use crate::migrate::Migrated;
use crate::restore::{Voided, void_after_restore};
use crate::store::blocking;
use crate::{DatabaseUrl, Store, StoreError, StoreOptions, Vault, audit, rotation};

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
    /// tables, voids what destroys, and says so in the audit log. On SQLite the file appears when all that is done,
    /// and not before.
    ///
    /// # Errors
    /// [`StoreError::Backup`] if the database is not empty, the file cannot be read, or `pg_restore` fails.
    pub async fn restore(
        url: DatabaseUrl,
        vault: Vault,
        from: PathBuf,
        now: Instant,
    ) -> Result<Restored, StoreError> {
        let Some(path) = url.sqlite_path().map(Path::to_owned) else {
            blocking({
                let url = url.clone();
                move || pg_restore(&url, &from)
            })
            .await??;
            return Self::after_restore(url, vault, now).await;
        };
        let beside = beside(&path, ".restoring");
        let (target, copy) = (path.clone(), beside.clone());
        blocking(move || copy_back(&from, &copy, &target)).await??;
        let restored = Self::after_restore(DatabaseUrl::sqlite(&beside), vault, now).await;
        blocking(move || {
            let restored = restored.and_then(|restored| put_in_place(&beside, &path).map(|()| restored));
            // What is left: nothing, or what came to nothing.
            forget(&beside);
            restored
        })
        .await?
    }

    /// What a restore does once the rows are back, whoever brought them: upgrades the tables, voids what destroys
    /// and is older, and says so in the audit log (M5).
    ///
    /// # Errors
    /// [`StoreError::Migration`], [`StoreError::Unavailable`], [`StoreError::Backup`] if the key file lacks a key;
    /// the database must not be served then.
    pub async fn after_restore(url: DatabaseUrl, vault: Vault, now: Instant) -> Result<Restored, StoreError> {
        let migrated = Self::migrate(url.clone()).await?;
        let options = StoreOptions { pool_size: 1, ..StoreOptions::new(url) };
        let store = Self::open(options, vault.clone()).await?;
        let voided = store
            .write(move |tx| {
                let voided = void_after_restore(tx, now)?;
                let mut entry = audit::NewEntry::new(now, Actor::Host, "database.restore");
                entry.detail = Some(serde_json::json!({
                    "voided_commands": voided.commands,
                    "voided_erase_orders": voided.erase_orders,
                    "voided_warrants": voided.warrants,
                    "voided_enrolment_ends": voided.enrolment_ends,
                }));
                audit::append(tx, &entry)?;
                Ok::<_, StoreError>(voided)
            })
            .await?;
        let sealed_by = store.read(rotation::sealed_by).await?;
        match sealed_by.keys().find(|id| !vault.key_ids().any(|known| known == id.as_str())) {
            None => Ok(Restored { migrated, voided }),
            Some(id) => Err(StoreError::Backup(format!(
                "the backup is sealed with the key `{id}`, which is not in the key file: put its line back below \
                 the current one, then repeat (on PostgreSQL, whose rows are back, with `--in-place`)"
            ))),
        }
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
            let copy = file.try_clone().map_err(|error| not_written(to, &error))?;
            dump.arg("--format=custom").arg("--no-owner").arg("--no-privileges").stdout(Stdio::from(copy));
            run(dump)
        }
    };
    // A backup that is announced survives a power cut.
    let written = written.and_then(|()| file.sync_all().map_err(|error| not_written(to, &error)));
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

fn not_written(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Backup(format!("`{}` cannot be written: {error}", path.display()))
}

/// The file of that name with an ending: SQLite's own files stand beside the database so.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Copies a backup to `copy`, beside `target`, where no database may be: the log of an old one would be played
/// into the new one.
fn copy_back(from: &Path, copy: &Path, target: &Path) -> Result<(), StoreError> {
    let in_the_way =
        ["", "-wal", "-shm"].map(|ending| beside(target, ending)).into_iter().find(|path| path.exists());
    if let Some(path) = in_the_way {
        return Err(StoreError::Backup(format!(
            "`{}` is in the way: stop the server, and move the former database away with its `-wal` and `-shm`",
            path.display()
        )));
    }
    let unreadable = |error: std::io::Error| {
        StoreError::Backup(format!("`{}` cannot be restored: {error}", from.display()))
    };
    let mut source = File::open(from).map_err(unreadable)?;
    // Left by a restore that was interrupted.
    forget(copy);
    let mut file = private_file(copy)?;
    std::io::copy(&mut source, &mut file).and_then(|_bytes| file.sync_all()).map_err(|error| {
        forget(copy);
        not_written(copy, &error)
    })
}

/// Removes a database that came to nothing. What is not there is gone already.
fn forget(path: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let _gone = std::fs::remove_file(beside(path, ending));
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

/// Gives a finished database its name. All of it must be in its one file by then, and nothing in its log.
fn put_in_place(from: &Path, to: &Path) -> Result<(), StoreError> {
    if let AnyConnection::Sqlite(mut connection) = connect(&DatabaseUrl::sqlite(from))? {
        let done: Checkpoint =
            diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(&mut connection)?;
        if done.busy != 0 {
            return Err(StoreError::Backup(format!("`{}` is in use by another program", from.display())));
        }
    }
    std::fs::rename(from, to).and_then(|()| sync_folder_of(to)).map_err(|error| not_written(to, &error))
}

/// Makes a rename survive a power cut.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn pg_restore(url: &DatabaseUrl, from: &Path) -> Result<(), StoreError> {
    let source = File::open(from)
        .map_err(|error| StoreError::Backup(format!("`{}` cannot be restored: {error}", from.display())))?;
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
