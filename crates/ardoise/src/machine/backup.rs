//! `ardoise backup` and `ardoise restore`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use store::shared_folder::SharedFolder;
use store::{Store, incident_keys};

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
warrants, ends of enrolments, what the brake holds, what waits for a second person. Everybody signs in again.
Tablets that the backup does not know stay managed, and raise an alarm. Incidents that were open are confirmed by the
head or an operator before anything rests on them (`ardoise incident list --to-confirm`), and the keys that were
destroyed since the backup stay so: the ledger in the shared folder is replayed.
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
    ("destructions void", "/void/destructions"),
    ("second persons void", "/void/countersignatures"),
    ("campaigns ended", "/void/campaigns"),
    ("sessions revoked", "/void/sessions"),
    ("tokens revoked", "/void/api_tokens"),
    ("invitations void", "/void/invitations"),
    ("keys destroyed again", "/keys_destroyed_again"),
    ("positions", "/positions"),
    ("of them readable", "/positions_readable"),
    ("people forgotten again", "/people_forgotten_again"),
    ("people still tied", "/people_still_tied"),
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
    // What was forgotten since the backup stays forgotten (M2).
    let folder = SharedFolder::open(config.shared_folder.clone())?;
    let keys = folder.incident_keys();
    let destroyed = keys.replay()?;
    arguments.owner.grant(&config).await?;
    // The authority in use is the backup's now: one that was made since is gone.
    let fleet = open_fleet(&config).await?;
    authority::write_file(&fleet, &home).await?;
    let positions = incident_keys::readable(fleet.store(), &keys).await?;
    let people = folder.forgotten().replay(fleet.store(), now()).await?;
    let document = json!({
        "migrations": restored.migrated.applied.len(),
        "void": restored.voided.as_json(),
        "keys_destroyed_again": destroyed,
        "positions": positions.kept,
        "positions_readable": positions.readable,
        "people_forgotten_again": people.again,
        "people_still_tied": people.tied,
    });
    // Whoever settles what ties them has them forgotten again, by these numbers.
    if !people.tied.is_empty() {
        output.note(
            "people who asked to be forgotten are named again by this backup, because something ties them to the programme: \
             settle that, then `ardoise person forget` each of them",
        );
    }
    output.show(&document, || sheet(&document, RESTORED))
}
