//! `ardoise position`: where a missing tablet is, asked under a warrant and looked at with a reason.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Column;
use crate::words::{sheet, table};

const EXAMPLES: &str = "\
Each request and each look is recorded, with who and why. Both need a code of the second factor.
  ardoise position ask INCIDENT --reason \"seen at the station\"
  ardoise position list INCIDENT
  ardoise position look POSITION --reason \"for the police\"";

/// What is done with positions.
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
    /// Ask the tablet of an incident where it is, once, under its warrant.
    Ask {
        /// The incident's id.
        incident: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List what was asked because of an incident, and what became of it; never where the tablet was.
    List {
        /// The incident's id.
        incident: String,
    },
    /// Look at a position that was kept.
    Look {
        /// The position's id: that of the request it answered.
        position: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("asked", "/asked_at"),
    ("became", "/outcome"),
    ("readable", "/readable"),
    ("because", "/why"),
    ("why", "/reason"),
];
const POSITION: &[Column] = &[
    ("id", "/id"),
    ("latitude", "/latitude"),
    ("longitude", "/longitude"),
    ("within", "/accuracy"),
    ("measured", "/measured_at"),
    ("kept", "/kept_at"),
];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Ask { incident, reason } => {
            let body = json!({ "reason": reason });
            let asked = api.post(&["incidents", &incident, "positions"], Body::Json(body)).await?;
            output.show(&asked, || sheet(&asked, COLUMNS))
        }
        Action::List { incident } => {
            let listed = Value::Array(api.list(&["incidents", &incident, "positions"], &[], None).await?);
            output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Look { position, reason } => {
            let body = json!({ "reason": reason });
            let looked = api.post(&["positions", &position, "looks"], Body::Json(body)).await?;
            output.show(&looked, || sheet(&looked, POSITION))
        }
    }
}
