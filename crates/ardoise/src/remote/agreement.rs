//! `ardoise agreement`: the texts that users and guardians sign, by school year.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::inventory::read;
use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise agreement publish convention.txt --title \"Convention 2026-2027\" --guardians one-without-opposition
  ardoise agreement list

What was signed of a year's former text counts no more: tablets stay at school until the new one is signed.
Signatures are recorded with `ardoise person sign`.";

/// What is done with texts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// How many of a pupil's guardians must sign.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Guardians {
    /// One of them, as long as no opposition is recorded.
    OneWithoutOpposition,
    /// All of them.
    All,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Publish a text. Needs a code of the second factor.
    Publish {
        /// The text; `-` reads standard input.
        file: PathBuf,
        /// What it is called.
        #[arg(long)]
        title: String,
        /// How many of a pupil's guardians must sign.
        #[arg(long, default_value = "one-without-opposition")]
        guardians: Guardians,
        /// The school year; today's, unless told.
        #[arg(long, value_name = "YEAR")]
        year: Option<String>,
    },
    /// List the texts; of each year the last one is in force.
    List,
}

const COLUMNS: &[Column] = &[
    ("text", "/id"),
    ("year", "/school_year"),
    ("number", "/number"),
    ("title", "/title"),
    ("guardians", "/guardians_needed"),
    ("published", "/published_at"),
    ("digest", "/body_sha256"),
];

/// Publishes or lists.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::List => {
            let texts = Value::Array(api.list(&["agreements"], &[], None).await?);
            output.show(&texts, || table(texts.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Publish { file, title, guardians, year } => {
            let body = String::from_utf8(read(&file)?)
                .map_err(|_not_utf8| Failure::Usage("the text is not UTF-8".to_owned()))?;
            let needed = match guardians {
                Guardians::OneWithoutOpposition => "one-without-opposition",
                Guardians::All => "all",
            };
            let new =
                json!({ "school_year": year, "title": title, "body": body, "guardians_needed": needed });
            let text = api.post(&["agreements"], Body::Json(new)).await?;
            output.show(&text, || sheet(&text, COLUMNS))
        }
    }
}
