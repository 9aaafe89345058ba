//! `ardoise repair`: tablets at their supplier's, who has which meanwhile, and what came back.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise repair send DMPX00000001 --reference SAV-118
  ardoise repair send DMPX00000001 --reference SAV-118 --loaner DMPX00000002 --condition \"bon état\"
  ardoise repair send 76-0001 --reference SAV-118 --loaner 76-0002 --condition \"bon état\" --under-reserve
  ardoise repair list
  ardoise repair back REPAIR --loaner DMPX00000002 --condition \"bon état\" --saved
  ardoise repair exchanged REPAIR DMPX00000003 --label 76-0003";

/// What is done with tablets in repair.
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
    /// Send a tablet to its supplier: its loan rests, and its holder may get another in the same act.
    Send {
        /// The tablet's serial number, label or id.
        tablet: String,
        /// How the supplier names the repair.
        #[arg(long, value_name = "TEXT")]
        reference: String,
        /// The tablet that its holder gets meanwhile.
        #[arg(long, value_name = "TABLET", requires = "condition")]
        loaner: Option<String>,
        /// The state that one is in.
        #[arg(long, value_name = "TEXT", requires = "loaner")]
        condition: Option<String>,
        /// An accessory that goes with it; may be repeated.
        #[arg(long = "with", value_name = "ACCESSORY", requires = "loaner")]
        accessories: Vec<String>,
        /// Sign, as the head, over what is not on that one yet.
        #[arg(long, requires = "loaner")]
        under_reserve: bool,
    },
    /// List the repairs that go on.
    List {
        /// Those that are over too.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Record that a tablet is back: whoever held it has it again.
    Back {
        /// The repair's id.
        repair: String,
        /// The tablet that they had meanwhile, and give back.
        #[arg(long, value_name = "TABLET", requires = "condition")]
        loaner: Option<String>,
        /// The state that one is in.
        #[arg(long, value_name = "TEXT", requires = "loaner")]
        condition: Option<String>,
        /// What came with it; may be repeated.
        #[arg(long = "accessory", value_name = "NAME", requires = "loaner")]
        accessories: Vec<String>,
        /// They confirmed that their data on it is saved.
        #[arg(long, requires = "loaner")]
        saved: bool,
    },
    /// Record that the supplier kept the tablet, and which one came in its place: for whoever may fill the inventory.
    Exchanged {
        /// The repair's id.
        repair: String,
        /// The serial number of the tablet that came.
        serial: String,
        /// The owner's label for it.
        #[arg(long, value_name = "LABEL")]
        label: Option<String>,
    },
}

const COLUMNS: &[Column] = &[
    ("repair", "/id"),
    ("tablet", "/serial"),
    ("label", "/asset_tag"),
    ("collège", "/uai"),
    ("reference", "/reference"),
    ("stands", "/state"),
    ("sent", "/sent_at"),
    ("class", "/class"),
    ("meanwhile", "/loaner_serial"),
    ("loan", "/loan"),
];

const FIELDS: &[Column] = &[
    ("repair", "/id"),
    ("tablet", "/serial"),
    ("label", "/asset_tag"),
    ("collège", "/uai"),
    ("reference", "/reference"),
    ("stands", "/state"),
    ("sent", "/sent_at"),
    ("ended", "/closed_at"),
    ("loan", "/loan"),
    ("which is", "/loan_state"),
    ("class", "/class"),
    ("tablet meanwhile", "/loaner_serial"),
    ("loan meanwhile", "/loaner_loan"),
    ("came in its place", "/exchanged_serial"),
    ("next", "/next"),
];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let shown = match arguments.action {
        Action::Send { tablet, reference, loaner, condition, accessories, under_reserve } => {
            let loaner = loaner.map(|tablet| {
                json!({
                    "tablet": tablet, "condition": condition, "accessories": accessories,
                    "under_reserve": under_reserve,
                })
            });
            let body = Body::Json(json!({ "reference": reference, "loaner": loaner }));
            api.post(&["tablets", &tablet, "repairs"], body).await?
        }
        Action::List { all, limit } => {
            let wanted: &[(&str, &str)] = if all { &[("all", "true")] } else { &[] };
            let listed = Value::Array(api.list(&["repairs"], wanted, limit).await?);
            return output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS));
        }
        Action::Back { repair, loaner, condition, accessories, saved } => {
            let loaner = loaner.map(|tablet| {
                json!({ "tablet": tablet, "condition": condition, "accessories": accessories, "saved": saved })
            });
            let body = Body::Json(json!({ "loaner": loaner }));
            let ended = api.post(&["repairs", &repair, "back"], body).await?;
            if let Some(held) = ended.pointer("/given_back/held").and_then(Value::as_str) {
                output.note(&format!(
                    "the erasure of what was given back waits for a second person of the département: request {held}"
                ));
            }
            let repair = ended.pointer("/repair").cloned().unwrap_or_default();
            return output.show(&ended, || sheet(&repair, FIELDS));
        }
        Action::Exchanged { repair, serial, label } => {
            let came = Body::Json(json!({ "serial": serial, "asset_tag": label }));
            api.post(&["repairs", &repair, "exchanged"], came).await?
        }
    };
    output.show(&shown, || sheet(&shown, FIELDS))
}
