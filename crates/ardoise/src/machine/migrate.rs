//! `ardoise migrate`: creates or upgrades the tables, as their owner.

use clap::Args;
use serde_json::json;

use super::tables::OwnerArguments;
use crate::failure::Failure;
use crate::home::HomeArguments;
use crate::output::Output;

const EXAMPLES: &str = "\
Run it after every upgrade of the program, before `serve`; servers of the version before may go on meanwhile.
  ardoise migrate --home /var/lib/ardoise
  ARDOISE_OWNER_URL=postgresql://owner:…@db/ardoise ardoise migrate";

/// Which tables.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    owner: OwnerArguments,
    #[command(flatten)]
    home: HomeArguments,
}

/// Runs the migrations that are missing.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let config = arguments.home.open()?.existing_config()?;
    let spinner = output.spinner("migrating the tables");
    let migrated = arguments.owner.migrate(&config).await;
    spinner.finish_and_clear();
    let applied = migrated?.applied;
    output.show(&json!({ "applied": applied }), || match applied.as_slice() {
        [] => "the tables are up to date".to_owned(),
        some => format!("{} migration(s) run: {}", some.len(), some.join(", ")),
    })
}
