//! `ardoise privacy`: what is stored about people, why, for how long; what the DPO validated; what was forgotten.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::table::{Column, sheet, table, text_at};
use crate::words;

const EXAMPLES: &str = "\
  ardoise privacy register                       every activity, and where it stands
  ardoise privacy register --format html --language fr > registre.html
  ardoise privacy validate app-inventory --entry 1161e6e0…   the digest beside the entry that you have read
  ardoise privacy withdraw app-inventory --reason \"not needed this year\"
  ardoise privacy notice > information.md        what people are told (GDPR, art. 13)
  ardoise privacy assessment geolocation         what an impact assessment begins with (GDPR, art. 35)
  ardoise privacy prove                          purges done and due, dated";

/// What is done with the register.
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
    /// Show the register of processing activities (C8.1): generated from what is stored today.
    Register {
        /// As a document; a table of the activities unless given.
        #[arg(long, value_enum)]
        format: Option<Format>,
        /// The language of CSV and HTML; JSON holds both.
        #[arg(long, value_enum, default_value_t = Language::Fr)]
        language: Language,
    },
    /// Print the notice of information for people (GDPR, art. 13), as Markdown: generated from what is stored today.
    Notice {
        /// Its language.
        #[arg(long, value_enum, default_value_t = Language::Fr)]
        language: Language,
    },
    /// Print the skeleton of the impact assessment of an activity (GDPR, art. 35), as Markdown.
    Assessment {
        /// The activity, such as `geolocation`.
        activity: String,
        /// Its language.
        #[arg(long, value_enum, default_value_t = Language::Fr)]
        language: Language,
    },
    /// As the DPO: validate an entry exactly as you have read it. What it covers is on from now on (C3.1.6).
    Validate {
        /// The activity, such as `app-inventory`.
        activity: String,
        /// The digest that the register shows beside the entry.
        #[arg(long, value_name = "DIGEST")]
        entry: String,
    },
    /// As the DPO: take a validation back. No DPO stands by it any more, and what needs a validation is off from now on; of what was
    /// stored, lists of apps are forgotten at once, and the rest when its term is over.
    Withdraw {
        /// The activity.
        activity: String,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Draw up the account of purges done and due. Exits with 1 when something is overdue.
    Prove,
}

/// How the register is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
    /// A page.
    Html,
}

/// A language of the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// French.
    Fr,
    /// English.
    En,
}

impl Language {
    const fn tag(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }
}

const ACTIVITIES: &[Column] = &[("activity", "/code"), ("stands", "/status/code"), ("entry", "/digest")];
const VALIDATED: &[Column] =
    &[("activity", "/activity"), ("entry", "/entry"), ("by", "/validated_by"), ("at", "/validated_at")];
const CLASSES: &[Column] = &[
    ("class", "/code"),
    ("stands", "/verdict"),
    ("oldest left", "/oldest"),
    ("last purge", "/last/ran_at"),
    ("it forgot", "/last/removed"),
    ("all forgot", "/removed"),
];

/// Shows, validates, withdraws or proves.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Register { format: Some(format @ (Format::Csv | Format::Html)), language } => {
            let format = if format == Format::Csv { "csv" } else { "html" };
            let text = api.document(&["privacy", "register"], &[("format", format)], language.tag()).await?;
            output::print(text.trim_end())
        }
        Action::Register { format, language: _ } => {
            let register = api.get(&["privacy", "register"]).await?;
            if format == Some(Format::Json) {
                return output::print(&register.to_string());
            }
            let activities =
                register.get("activities").and_then(Value::as_array).cloned().unwrap_or_default();
            output.show(&register, || table(&activities, ACTIVITIES))
        }
        Action::Notice { language } => {
            let text = api.document(&["privacy", "notice"], &[], language.tag()).await?;
            output::print(text.trim_end())
        }
        Action::Assessment { activity, language } => {
            let path = ["privacy", "assessments", &*activity];
            let text = api.document(&path, &[], language.tag()).await?;
            output::print(text.trim_end())
        }
        Action::Validate { activity, entry } => {
            let path = ["privacy", "register", &activity, "validation"];
            let given = api.put(&path, Body::Json(json!({ "entry": entry }))).await?;
            output.show(&given, || sheet(&given, VALIDATED))
        }
        Action::Withdraw { activity, reason } => {
            let path = ["privacy", "register", &activity, "validation"];
            let query: Vec<(&str, &str)> =
                reason.as_deref().map(|reason| ("reason", reason)).into_iter().collect();
            let done = api.delete_with(&path, &query).await?;
            output.show(&done, || match activity.parse::<privacy::Activity>() {
                Ok(known) => {
                    let privacy::Text { fr, en } = known.once_withdrawn();
                    let here = words::Language::here();
                    format!("`{activity}`{} {}", here.choose(":", " :"), here.choose(en, fr))
                }
                // A server that is newer than this program.
                Err(_unknown) => format!("`{activity}` is not validated any more"),
            })
        }
        Action::Prove => {
            let account = api.get(&["privacy", "purges"]).await?;
            let classes = account.get("classes").and_then(Value::as_array).cloned().unwrap_or_default();
            output.show(&account, || {
                format!("purges done and due at {}\n{}", text_at(&account, "/at"), table(&classes, CLASSES))
            })?;
            match account.get("in_order").and_then(Value::as_bool) {
                Some(true) => Ok(()),
                _ => Err(Failure::Waited(
                    "something should have been forgotten: read the server's log for `could not be purged`"
                        .into(),
                )),
            }
        }
    }
}
