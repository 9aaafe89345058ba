//! `ardoise list`: the named list of users, from the school's export to the académie's validation.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::inventory::read;
use super::{Api, Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table, text_at};

/// The fewest characters of a digest that show that somebody looked.
const LEAST_SEEN: usize = 8;

const EXAMPLES: &str = "\
The mapping says which column of the export says what (TOML):
  kind = \"pupil\"
  [columns]
  name = [\"Nom\", \"Prénom\"]
  class = \"Division\"
  number = \"Numéro\"
  guardians = [\"Responsable 1\", \"Responsable 2\"]
  [kinds]
  Professeur = \"teacher\"

  ardoise list import 0761234A export.csv --mapping mapping.toml --preview
  ardoise list import 0761234A export.csv --mapping mapping.toml
  ardoise list show LIST
  ardoise list settle LIST --seen 3f2a91c0         the head (arrêtée)
  ardoise list validate LIST --seen 3f2a91c0       the académie (validée); needs a code of the second factor
  ardoise list wall 0761234A --class \"4e B\"        who has which tablet, what is missing";

/// What is done with lists.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// What is signed.
#[derive(Debug, Args)]
struct Seen {
    /// The change of the list.
    list: String,
    /// The digest that `show` told, or its first 8 characters or more.
    #[arg(long, value_name = "DIGEST")]
    seen: String,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read the school's export, and propose what must change for the list to be as it says.
    Import {
        /// The collège's UAI or id.
        college: String,
        /// The export; `-` reads standard input.
        file: PathBuf,
        /// Which column says what, as TOML.
        #[arg(long, value_name = "FILE")]
        mapping: PathBuf,
        /// The school year; today's, unless told.
        #[arg(long, value_name = "YEAR")]
        year: Option<String>,
        /// Whoever is missing in the export stays on the list.
        #[arg(long)]
        partial: bool,
        /// Only show what would change.
        #[arg(long)]
        preview: bool,
    },
    /// List the changes of lists, as they were proposed.
    List {
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show a change with its names, and the digest that both sign.
    Show {
        /// The change.
        list: String,
    },
    /// Settle a change, as the head.
    Settle(Seen),
    /// Validate a change, for the académie. Needs a code of the second factor.
    Validate(Seen),
    /// Take back a change that does not count yet.
    Withdraw {
        /// The change.
        list: String,
    },
    /// Show who has which tablet, and what is missing, for the wall of a class.
    Wall {
        /// The collège's UAI or id.
        college: String,
        /// The class; everybody, unless told.
        #[arg(long)]
        class: Option<String>,
    },
}

const COLUMNS: &[Column] = &[
    ("list", "/id"),
    ("collège", "/uai"),
    ("year", "/school_year"),
    ("stands", "/state"),
    ("scope", "/scope"),
    ("names", "/changes"),
    ("proposed", "/proposed_at"),
    ("digest", "/content_sha256"),
];

const FIELDS: &[Column] = &[
    ("list", "/id"),
    ("collège", "/uai"),
    ("year", "/school_year"),
    ("stands", "/state"),
    ("speaks of", "/scope"),
    ("names that change", "/changes"),
    ("people then", "/people"),
    ("digest", "/content_sha256"),
];

const NAMES: &[Column] = &[
    ("", "/change"),
    ("name", "/entry/name"),
    ("what", "/entry/kind"),
    ("class", "/entry/class"),
    ("number", "/entry/number"),
    ("arrives", "/entry/arrives_on"),
    ("guardians", "/entry/guardians"),
    ("leaves", "/entry/leaves_on"),
    ("was", "/before/name"),
    ("in class", "/before/class"),
    ("is now", "/since/name"),
    ("now in class", "/since/class"),
    ("person", "/person"),
];

const WALL: &[Column] = &[
    ("class", "/class"),
    ("name", "/name"),
    ("number", "/number"),
    ("arrives", "/arrives_on"),
    ("tablet", "/loan/serial"),
    ("label", "/loan/asset_tag"),
    ("stands", "/loan/state"),
    ("may go", "/loan/mode"),
    ("missing", "/missing"),
];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Import { college, file, mapping, year, partial, preview } => {
            let body = json!({
                "school_year": year, "mapping": mapping_of(&mapping)?, "csv": text_of(&file)?, "complete": !partial,
                "preview": preview,
            });
            let shown = api.post(&["organisations", &college, "lists"], Body::Json(body)).await?;
            show(&shown, output)
        }
        Action::List { limit } => {
            let listed = Value::Array(api.list(&["lists"], &[], limit).await?);
            output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Show { list } => show(&api.get(&["lists", &list]).await?, output),
        Action::Settle(seen) => sign(&api, seen, "settle", output).await,
        Action::Validate(seen) => sign(&api, seen, "validate", output).await,
        Action::Withdraw { list } => {
            let done = api.post(&["lists", &list, "withdraw"], Body::Empty).await?;
            output.show(&done, || sheet(&done, FIELDS))
        }
        Action::Wall { college, class } => {
            let query: Vec<(&str, &str)> = class.iter().map(|class| ("class", class.as_str())).collect();
            let lines = api.get_with(&["organisations", &college, "wall"], &query).await?;
            output.show(&lines, || table(lines.as_array().map_or(&[], Vec::as_slice), WALL))
        }
    }
}

fn show(shown: &Value, output: Output) -> Result<(), Failure> {
    output.show(shown, || {
        let names = shown.get("names").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let id = text_at(shown, "/id");
        let next = match text_at(shown, "/state").as_str() {
            "proposed" => {
                format!("next: the head looks at it and types `ardoise list settle {id} --seen DIGEST`")
            }
            "settled" => {
                format!("next: the académie looks at it and types `ardoise list validate {id} --seen DIGEST`")
            }
            _ => String::new(),
        };
        let left_out = shown.get("contacts_left_out").and_then(Value::as_bool).unwrap_or_default();
        let note = if left_out { "addresses were left out: the DPO has not validated notices\n" } else { "" };
        format!("{}\n{}\n{note}{next}", sheet(shown, FIELDS), table(names, NAMES)).trim_end().to_owned()
    })
}

async fn sign(api: &Api, seen: Seen, step: &str, output: Output) -> Result<(), Failure> {
    let Seen { list, seen } = seen;
    let digest = text_at(&api.get(&["lists", &list]).await?, "/content_sha256");
    let typed = seen.trim().to_ascii_lowercase();
    if typed.len() < LEAST_SEEN || !digest.starts_with(&typed) {
        return Err(Failure::Usage(format!(
            "this change has another digest than `{typed}`; look at it again with `ardoise list show {list}`, and name at \
             least {LEAST_SEEN} characters of its digest"
        )));
    }
    let body = json!({ "content_sha256": digest });
    let done = api.post(&["lists", &list, step], Body::Json(body)).await?;
    output.show(&done, || sheet(&done, FIELDS))
}

fn text_of(file: &std::path::Path) -> Result<String, Failure> {
    String::from_utf8(read(file)?)
        .map_err(|_not_utf8| Failure::Usage("the export is not UTF-8; save it as “CSV UTF-8”".to_owned()))
}

/// The mapping as the API takes it.
fn mapping_of(file: &std::path::Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(file).map_err(Failure::reading(file))?;
    let mapping: toml::Value =
        toml::from_str(&text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    serde_json::to_value(mapping).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}
