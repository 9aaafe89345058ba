//! `ardoise link`: addresses by which tablets enrol.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise link create --tablet DMPXK1ABCD12               for one tablet, which may also enrol again by it
  ardoise link create --uai 0761234A --max-uses 30 --days 2
                                                          for a trolley; the address is shown this once
  ardoise link revoke LINK                                tablets that enrolled by it stay enrolled";

/// What is done with links.
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
    /// Make a link, for one tablet or for those of a collège. Its address is shown this once.
    #[command(group(ArgGroup::new("audience").required(true).args(["tablet", "uai"])))]
    Create {
        /// The tablet, by its id or serial number.
        #[arg(long, value_name = "TABLET")]
        tablet: Option<String>,
        /// The collège whose tablets may use it.
        #[arg(long, requires = "max_uses")]
        uai: Option<String>,
        /// How many tablets may use it, with --uai: 1 to 10,000.
        #[arg(long, value_name = "N", requires = "uai", conflicts_with = "tablet")]
        max_uses: Option<i32>,
        /// How many days it lasts: 1 to 90.
        #[arg(long, value_name = "N", default_value_t = 7)]
        days: u32,
    },
    /// List the links, without their addresses.
    List {
        /// At most this many.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Let a link give out no more profiles.
    Revoke {
        /// The link's id.
        id: String,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("kind", "/kind"),
    ("tablet", "/tablet_id"),
    ("collège", "/uai"),
    ("uses", "/uses"),
    ("of", "/max_uses"),
    ("expires", "/expires_at"),
    ("revoked", "/revoked_at"),
];

const MADE: &[Column] = &[("address", "/url"), ("id", "/id"), ("for", "/kind"), ("expires", "/expires_at")];

/// Makes, lists or revokes.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Create { tablet, uai, max_uses, days } => {
            let new = json!({ "tablet": tablet, "uai": uai, "max_uses": max_uses, "expires_in_days": days });
            let made = api.post(&["links"], Body::Json(new)).await?;
            output.show(&made, || sheet(&made, MADE))
        }
        Action::List { limit } => {
            let links = Value::Array(api.list(&["links"], &[], limit).await?);
            output.show(&links, || table(links.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Revoke { id } => {
            let done = api.delete(&["links", &id]).await?;
            output.show(&done, || format!("link {id} gives out no more profiles"))
        }
    }
}
