//! `ardoise inventory`: the tablets that may enrol (C3.3.4).

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::api::PART_QUERY;
use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
The file is a CSV (comma or semicolon, UTF-8) whose first line names the columns:
  serial,asset_tag,model,platform,uai
  DMPXK1ABCD12,76-0001,iPad (9th generation),ipad,0761234A

  ardoise inventory import tablets.csv
  ardoise inventory list --csv > copy.csv        can be imported again";

/// What is done with the inventory.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Import a CSV: every bad line is named, and nothing is half done. May be repeated.
    Import {
        /// The file; `-` reads standard input.
        file: PathBuf,
    },
    /// List the tablets that may enrol.
    List {
        /// At most this many.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        /// As a CSV that can be imported again; the first 500 tablets.
        #[arg(long, conflicts_with = "limit")]
        csv: bool,
    },
}

const COLUMNS: &[Column] = &[
    ("serial", "/serial"),
    ("asset tag", "/asset_tag"),
    ("model", "/model"),
    ("platform", "/platform"),
    ("collège", "/uai"),
    ("since", "/created_at"),
];

const IMPORTED: &[Column] = &[("created", "/created"), ("updated", "/updated"), ("unchanged", "/unchanged")];

/// Imports or lists.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Import { file } => {
            let csv = read(&file)?;
            let spinner = output.spinner("importing the inventory");
            let imported = api.post(&["inventory"], Body::Bytes("text/csv", csv)).await;
            spinner.finish_and_clear();
            let imported = imported?;
            output.show(&imported, || sheet(&imported, IMPORTED))
        }
        Action::List { csv: true, .. } => {
            output::print(api.get_text(&["inventory"], &[PART_QUERY], "text/csv").await?.trim_end())
        }
        Action::List { limit, .. } => {
            let tablets = Value::Array(api.list(&["inventory"], &[], limit).await?);
            output.show(&tablets, || table(tablets.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
    }
}

/// The bytes of `file`, or of standard input if it is `-`.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    if file != Path::new("-") {
        return std::fs::read(file).map_err(Failure::reading(file));
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(Failure::reading(Path::new("standard input")))?;
    Ok(bytes)
}
