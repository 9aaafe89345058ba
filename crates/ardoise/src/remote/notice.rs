//! `ardoise notice`: what holders and guardians were told, and what reached nobody.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, table};

const EXAMPLES: &str = "\
  ardoise notice list
  ardoise notice list --unreached
  ardoise notice list --loan LOAN

Whoever is not reached by mail is given the letter: `ardoise restitution letter`, then `handed-over`.";

/// What is asked of notices.
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
    /// List them, the newest first.
    List {
        /// Only those that count for nothing: they wait, were refused, or came back.
        #[arg(long)]
        unreached: bool,
        /// Only those of this loan.
        #[arg(long, value_name = "LOAN")]
        loan: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("tablet", "/serial"),
    ("says", "/kind"),
    ("to", "/addressee"),
    ("by", "/channel"),
    ("stands", "/state"),
    ("written", "/written_at"),
    ("counts since", "/counted_at"),
    ("mail", "/mail/state"),
    ("why", "/mail/why"),
];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let Action::List { unreached, loan, limit } = arguments.action;
    let mut wanted = Vec::new();
    if unreached {
        wanted.push(("unreached", "true"));
    }
    if let Some(loan) = &loan {
        wanted.push(("loan", loan.as_str()));
    }
    let listed = Value::Array(api.list(&["notices"], &wanted, limit).await?);
    output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS))
}
