//! `ardoise token`: one’s own tokens, for one’s programs.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise token create \"supervision of the DSI\" --scope read --days 365
  ardoise token revoke TOKEN";

/// What is done with tokens.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Look only.
    Read,
    /// Look and act.
    Operate,
}

impl Scope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token for your own account. It is shown this once.
    Create {
        /// What uses it.
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value_t = Scope::Read)]
        scope: Scope,
        /// How many days it lasts: 1 to 366.
        #[arg(long, value_name = "N", default_value_t = 90)]
        days: u32,
        /// The UAI codes of the only collèges it reaches, separated by commas; as far as your account unless told.
        #[arg(long, value_name = "UAI,…", value_delimiter = ',')]
        colleges: Option<Vec<String>>,
    },
    /// List your tokens, never the tokens themselves.
    List,
    /// Refuse a token from now on.
    Revoke {
        /// The token's id.
        id: String,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("name", "/name"),
    ("scope", "/scope"),
    ("created", "/created_at"),
    ("expires", "/expires_at"),
    ("last used", "/last_used_at"),
    ("revoked", "/revoked_at"),
];

const GIVEN: &[Column] =
    &[("token", "/token"), ("id", "/id"), ("name", "/name"), ("scope", "/scope"), ("expires", "/expires_at")];

/// Makes, lists or revokes.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let connection = arguments.connection;
    match arguments.action {
        Action::Create { name, scope, days, colleges } => {
            let new = json!({
                "name": name, "scope": scope.as_str(), "expires_in_days": days, "colleges": colleges,
            });
            let given = connection.open()?.post(&["tokens"], Body::Json(new)).await?;
            output.show(&given, || sheet(&given, GIVEN))
        }
        Action::List => {
            let tokens = Value::Array(connection.open()?.list(&["tokens"], &[], None).await?);
            output.show(&tokens, || table(tokens.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Revoke { id } => {
            let done = connection.open()?.delete(&["tokens", &id]).await?;
            output.show(&done, || format!("token {id} is refused from now on"))
        }
    }
}
