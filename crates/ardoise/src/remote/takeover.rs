//! `ardoise takeover`: tablets of another server that may move here.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::inventory::read;
use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
Off until the configuration says `takeover.enabled = true`. The file is JSON lines or a CSV with the columns
  udid, serial, topic, push_token, push_magic, unlock_token, certificate_sha256
whose tokens are in base64. It holds secrets: remove it once it is imported.
  ardoise takeover import tablets.jsonl --authority former-authority.pem --days 30
  ardoise takeover list";

/// What is done with takeovers.
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
    /// Let the tablets of another server move here: all of them, or nothing.
    Import {
        /// The tablets; `-` reads standard input.
        file: PathBuf,
        /// PEM file with the certificate of the authority that issued their certificates.
        #[arg(long, value_name = "PEM")]
        authority: PathBuf,
        /// How many days each tablet may take to move: 1 to 90.
        #[arg(long, value_name = "N", default_value_t = 30)]
        days: u32,
    },
    /// List the tablets that may move here or have.
    List {
        /// At most this many.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
}

const COLUMNS: &[Column] = &[
    ("serial", "/serial"),
    ("UDID", "/udid"),
    ("imported", "/imported_at"),
    ("until", "/window_ends_at"),
    ("moved", "/used_at"),
];

const IMPORTED: &[Column] = &[("tablets", "/tablets"), ("new authority", "/new_authority")];

/// Imports or lists.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Import { file, authority, days } => {
            let text = |file: &PathBuf| {
                String::from_utf8(read(file)?).map_err(|_not_text| Failure::BadFile {
                    path: file.clone(),
                    problem: "expected a text in UTF-8".into(),
                })
            };
            let new =
                json!({ "authority_pem": text(&authority)?, "tablets": text(&file)?, "window_days": days });
            let spinner = output.spinner("importing the tablets of another server");
            let imported = api.post(&["takeovers"], Body::Json(new)).await;
            spinner.finish_and_clear();
            let imported = imported?;
            output.show(&imported, || sheet(&imported, IMPORTED))
        }
        Action::List { limit } => {
            let takeovers = Value::Array(api.list(&["takeovers"], &[], limit).await?);
            output.show(&takeovers, || table(takeovers.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
    }
}
