//! `ardoise alarm`: what an operator should look at.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise alarm list
  ardoise alarm settle ALARM --note \"the tablet was exchanged by the supplier\"";

/// What is done with alarms.
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
    /// List the open alarms, the latest first; at most 500.
    List,
    /// Settle an alarm. Raised again, it is a new one.
    Settle {
        /// The alarm's id.
        id: String,
        /// What it was, for the audit log.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("what", "/kind"),
    ("about", "/subject"),
    ("times", "/times"),
    ("first", "/raised_at"),
    ("last", "/last_raised_at"),
];

const FIELDS: &[Column] = &[
    ("id", "/id"),
    ("what", "/kind"),
    ("about", "/subject"),
    ("detail", "/detail"),
    ("settled", "/settled_at"),
];

/// Lists or settles.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::List => {
            let alarms = Value::Array(api.list(&["alarms"], &[], None).await?);
            output.show(&alarms, || table(alarms.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Settle { id, note } => {
            let settled = api.post(&["alarms", &id, "settle"], Body::Json(json!({ "note": note }))).await?;
            output.show(&settled, || sheet(&settled, FIELDS))
        }
    }
}
