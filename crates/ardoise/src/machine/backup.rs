//! `ardoise backup` and `ardoise restore`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use store::Store;

use super::tables::OwnerArguments;
use super::{authority, now, open_fleet};
use crate::failure::Failure;
use crate::home::HomeArguments;
use crate::output::Output;
use crate::table::{Column, sheet};

const BACKUP_EXAMPLES: &str = "\
The server may go on meanwhile. The key file is not in the backup, on purpose: keep a copy of it elsewhere.
  ardoise backup /srv/backups/ardoise-$(date +%F).db";

const RESTORE_EXAMPLES: &str = "\
Stop the server first. The database must be empty: move SQLite's file away, or create a fresh PostgreSQL one.
Whatever destroys and is older than the restore is void: pending commands that rest on an order, erase orders,
warrants, ends of enrolments. Tablets that the backup does not know stay managed, and raise an alarm.
  ardoise restore /srv/backups/ardoise-2026-11-23.db
A database that came back by other means (a snapshot of the machine, PostgreSQL's own archives) is as old as any
backup. Before it is served:
  ardoise restore --in-place";

/// Where the backup goes.
#[derive(Debug, Args)]
#[command(after_help = BACKUP_EXAMPLES)]
pub(crate) struct BackupArguments {
    /// The new file.
    file: PathBuf,
    #[command(flatten)]
    home: HomeArguments,
}

/// Where the backup is.
#[derive(Debug, Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub(crate) struct RestoreArguments {
    /// A file that `ardoise backup` wrote.
    #[arg(required_unless_present = "in_place")]
    file: Option<PathBuf>,

    /// The database came back by other means: only make void what destroys.
    #[arg(long, conflicts_with = "file")]
    in_place: bool,

    #[command(flatten)]
    owner: OwnerArguments,
    #[command(flatten)]
    home: HomeArguments,
}

const RESTORED: &[Column] = &[
    ("migrations run", "/migrations"),
    ("commands void", "/void/commands"),
    ("erase orders void", "/void/erase_orders"),
    ("warrants void", "/void/warrants"),
    ("ends of enrolments void", "/void/enrolment_ends"),
];

/// Writes a backup.
pub(crate) async fn backup(arguments: BackupArguments, output: Output) -> Result<(), Failure> {
    let config = arguments.home.open()?.existing_config()?;
    let file = std::path::absolute(&arguments.file).map_err(Failure::writing(&arguments.file))?;
    let spinner = output.spinner("writing the backup");
    let written = Store::backup(config.database.url.clone(), file.clone()).await;
    spinner.finish_and_clear();
    written?;
    let bytes = std::fs::metadata(&file).map_err(Failure::reading(&file))?.len();
    output.show(&json!({ "file": file, "bytes": bytes }), || {
        format!("{} ({bytes} bytes); it opens only with {}", file.display(), config.keys_file.display())
    })
}

/// Brings a backup back.
pub(crate) async fn restore(arguments: RestoreArguments, output: Output) -> Result<(), Failure> {
    let home = arguments.home.open()?;
    let config = home.existing_config()?;
    let vault = config.open_vault()?;
    let url = arguments.owner.of(&config)?;
    let spinner = output.spinner("bringing the backup back");
    let restored = match arguments.file {
        Some(file) => Store::restore(url, vault, file, now()).await,
        None => Store::after_restore(url, vault, now()).await,
    };
    spinner.finish_and_clear();
    let restored = restored?;
    arguments.owner.grant(&config).await?;
    // The authority in use is the backup's now: one that was made since is gone.
    authority::write_file(&open_fleet(&config).await?, &home).await?;
    let document = json!({
        "migrations": restored.migrated.applied.len(),
        "void": {
            "commands": restored.voided.commands,
            "erase_orders": restored.voided.erase_orders,
            "warrants": restored.voided.warrants,
            "enrolment_ends": restored.voided.enrolment_ends,
        },
    });
    output.show(&document, || sheet(&document, RESTORED))
}
