//! `ardoise person`: the people whom a collège knows, and what was said to the agreement of loan for each.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise person list 0761234A
  ardoise person sign PERSON guardian-1 --on 2026-09-12 --reference \"classeur 3, page 12\"
  ardoise person oppose PERSON guardian-2 --on 2026-09-13 --reference \"courrier du 13/09\"
  ardoise person agreement PERSON";

/// What is done with people.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Signatory {
    /// The user.
    User,
    /// The first guardian.
    #[value(name = "guardian-1")]
    Guardian1,
    /// The second.
    #[value(name = "guardian-2")]
    Guardian2,
    /// The third.
    #[value(name = "guardian-3")]
    Guardian3,
    /// The fourth.
    #[value(name = "guardian-4")]
    Guardian4,
}

impl Signatory {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Guardian1 => "guardian-1",
            Self::Guardian2 => "guardian-2",
            Self::Guardian3 => "guardian-3",
            Self::Guardian4 => "guardian-4",
        }
    }
}

/// What somebody said, and where the paper is.
#[derive(Debug, Args)]
struct Said {
    /// The person's number, as `person list` shows it.
    person: String,
    /// Who speaks.
    signatory: Signatory,
    /// The day.
    #[arg(long, value_name = "DAY")]
    on: String,
    /// The reference under which the collège keeps the paper.
    #[arg(long, value_name = "TEXT", required_unless_present = "scan")]
    reference: Option<String>,
    /// The SHA-256 of its scan.
    #[arg(long, value_name = "SHA256", conflicts_with = "reference")]
    scan: Option<String>,
    /// The text; the one in force, unless told.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the people whom a collège knows.
    List {
        /// The collège's UAI or id.
        college: String,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show what was said to the agreement for somebody, and whether it lets a tablet out of the collège.
    Agreement {
        /// The person's number.
        person: String,
    },
    /// Record a signature under the agreement.
    Sign(Said),
    /// Record an opposition to it.
    Oppose(Said),
}

const COLUMNS: &[Column] = &[
    ("person", "/id"),
    ("name", "/name"),
    ("what", "/kind"),
    ("class", "/class"),
    ("guardians", "/guardians"),
    ("leaves", "/leaves_on"),
    ("left", "/left_at"),
];

const FIELDS: &[Column] = &[("text", "/text"), ("agreed", "/agreed"), ("why not", "/why")];
const SAID: &[Column] = &[
    ("who", "/signatory"),
    ("said", "/stance"),
    ("on", "/on"),
    ("paper", "/reference"),
    ("scan", "/scan_sha256"),
    ("text", "/text"),
];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let agreement = match arguments.action {
        Action::List { college, limit } => {
            let listed = Value::Array(api.list(&["organisations", &college, "persons"], &[], limit).await?);
            return output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS));
        }
        Action::Agreement { person } => api.get(&["persons", &person, "agreement"]).await?,
        Action::Sign(said) => record(&api, said, "signed").await?,
        Action::Oppose(said) => record(&api, said, "opposed").await?,
    };
    output.show(&agreement, || {
        let said = agreement.get("said").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        format!("{}\n{}", sheet(&agreement, FIELDS), table(said, SAID))
    })
}

async fn record(api: &super::Api, said: Said, stance: &str) -> Result<Value, Failure> {
    let Said { person, signatory, on, reference, scan, text } = said;
    let body = json!({
        "text": text, "signatory": signatory.as_str(), "stance": stance, "on": on, "reference": reference,
        "scan_sha256": scan,
    });
    api.post(&["persons", &person, "agreement"], Body::Json(body)).await
}
