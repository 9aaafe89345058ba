//! `ardoise transfer`: tablets that go from one collège to another, with the consent of both.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise transfer propose DMPX00000001 0765678B --reason \"ouverture d'une classe\"
  ardoise transfer list
  ardoise transfer consent TRANSFER               as the head of either collège
  ardoise transfer withdraw TRANSFER              or to refuse it";

/// What is done with transfers.
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
    /// Propose that a tablet goes to another collège.
    Propose {
        /// The tablet's serial number, label or id.
        tablet: String,
        /// The UAI code of the collège that takes it.
        to: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List the transfers that wait for a consent.
    List {
        /// Those that are over too.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Consent for one's collège, as its head.
    Consent {
        /// The transfer's id.
        transfer: String,
    },
    /// Take a transfer back, or refuse it.
    Withdraw {
        /// The transfer's id.
        transfer: String,
    },
}

const COLUMNS: &[Column] = &[
    ("transfer", "/id"),
    ("tablet", "/serial"),
    ("from", "/from"),
    ("to", "/to"),
    ("stands", "/state"),
    ("given", "/given_at"),
    ("taken", "/taken_at"),
    ("reason", "/reason"),
];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let shown = match arguments.action {
        Action::Propose { tablet, to, reason } => {
            let body = Body::Json(json!({ "to": to, "reason": reason }));
            api.post(&["tablets", &tablet, "transfers"], body).await?
        }
        Action::List { all, limit } => {
            let wanted: &[(&str, &str)] = if all { &[("all", "true")] } else { &[] };
            let listed = Value::Array(api.list(&["transfers"], wanted, limit).await?);
            return output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS));
        }
        Action::Consent { transfer } => api.post(&["transfers", &transfer, "consent"], Body::Empty).await?,
        Action::Withdraw { transfer } => api.post(&["transfers", &transfer, "withdraw"], Body::Empty).await?,
    };
    output.show(&shown, || sheet(&shown, COLUMNS))
}
