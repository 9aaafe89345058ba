//! `ardoise restitution`: tablets that were given back, from the receipt to the proof that they are empty.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::scanned::{self, OneScanned, Scanned};
use super::{Api, Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table, text_at};

const EXAMPLES: &str = "\
  ardoise restitution receive DMPX00000001 76-0002 --condition \"écran rayé\" --accessory charger
  ardoise restitution receive --file 3e-b.txt --condition bon          one serial number or label a line
  ardoise restitution list
  ardoise restitution letter RESTITUTION > letter.txt
  ardoise restitution handed-over RESTITUTION
  ardoise restitution saved RESTITUTION
  ardoise restitution order RESTITUTION
  ardoise restitution attest RESTITUTION
  ardoise restitution shelve RESTITUTION in-stock

A file may be received again after an interruption: what was received is told as such, and counts once. Of a row in which some
cannot be received the others are, and each that cannot is named by its line.";

/// What is done with tablets that were given back.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// Where an empty tablet goes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Place {
    /// Into stock.
    InStock,
    /// Into repair.
    InRepair,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Receive tablets. Nothing is erased by it, and a slip can be undone.
    Receive {
        #[command(flatten)]
        scanned: Scanned,
        /// The state they are in.
        #[arg(long, value_name = "TEXT")]
        condition: String,
        /// What came with each of them; may be repeated.
        #[arg(long = "accessory", value_name = "NAME")]
        accessories: Vec<String>,
        /// Their holders confirmed that their data is saved: the erasures wait for no notice.
        #[arg(long)]
        saved: bool,
    },
    /// List those that are not over, with what each waits for.
    List {
        /// Those that are over too.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// List the tablets whose loan is over, and that nobody has received since.
    Overdue {
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show one.
    Show {
        /// The restitution's id.
        id: String,
    },
    /// Take back a receipt that was a slip, as long as nothing was ordered.
    Undo {
        /// The restitution's id.
        id: String,
    },
    /// Record that the holder, or a guardian, confirmed that their data is saved.
    Saved {
        /// The restitution's id.
        id: String,
    },
    /// Print the letter that tells whoever held the tablet that it will be erased.
    Letter {
        /// The restitution's id.
        id: String,
        /// In English instead of French.
        #[arg(long)]
        english: bool,
    },
    /// Record that the letter was handed over: the holder's time runs from now on.
    HandedOver {
        /// The restitution's id.
        id: String,
    },
    /// Keep a tablet as it is for a check.
    Hold {
        /// The restitution's id.
        id: String,
    },
    /// Let it go again after the check.
    LetGo {
        /// The restitution's id.
        id: String,
    },
    /// Order the erasure, or have the tablet told again. Needs a code of the second factor.
    Order {
        /// The restitution's id.
        id: String,
    },
    /// Attest that the tablet is empty. Needs a code of the second factor.
    Attest {
        /// The restitution's id.
        id: String,
    },
    /// Put an empty tablet somewhere.
    Shelve {
        /// The restitution's id.
        id: String,
        /// Where.
        place: Place,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("tablet", "/serial"),
    ("label", "/asset_tag"),
    ("collège", "/uai"),
    ("received", "/received_at"),
    ("stands", "/stage"),
    ("waits for", "/waits/code"),
    ("until", "/waits/until"),
];

const FIELDS: &[Column] = &[
    ("id", "/id"),
    ("tablet", "/serial"),
    ("label", "/asset_tag"),
    ("collège", "/uai"),
    ("received", "/received_at"),
    ("accessories", "/accessories"),
    ("missing", "/missing_accessories"),
    ("condition", "/condition"),
    ("data saved", "/saved_at"),
    ("kept for a check", "/held_for_check"),
    ("stands", "/stage"),
    ("order", "/order"),
    ("acknowledged", "/acknowledged_at"),
    ("proof", "/proof"),
    ("waits", "/waits/english"),
    ("until", "/waits/until"),
];

const OVERDUE: &[Column] = &[
    ("tablet", "/serial"),
    ("label", "/asset_tag"),
    ("class", "/class"),
    ("collège", "/uai"),
    ("loan", "/loan"),
    ("due", "/due_on"),
    ("days late", "/days_late"),
    ("declare an incident?", "/propose_incident"),
];

const HANDED_OVER: &[Column] = &[("notice", "/notice"), ("handed over", "/handed_over_at")];

const RECEIVED: &[Column] = &[
    ("id", "/restitution/id"),
    ("tablet", "/restitution/serial"),
    ("label", "/restitution/asset_tag"),
    ("received before", "/already"),
    ("accessories", "/restitution/accessories"),
    ("missing", "/restitution/missing_accessories"),
    ("waits", "/restitution/waits/english"),
];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let of = |id: &str, what: &str| ["restitutions".to_owned(), id.to_owned(), what.to_owned()];
    let (path, body) = match arguments.action {
        Action::Receive { scanned, condition, accessories, saved } => {
            let named = scanned.read()?;
            let like = json!({ "condition": condition, "accessories": accessories, "saved": saved });
            return receive(&api, &named, &like, output).await;
        }
        Action::List { all, limit } => {
            let wanted: &[(&str, &str)] = if all { &[("all", "true")] } else { &[] };
            let listed = Value::Array(api.list(&["restitutions"], wanted, limit).await?);
            return output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS));
        }
        Action::Overdue { limit } => {
            let listed = Value::Array(api.list(&["overdue-tablets"], &[], limit).await?);
            return output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), OVERDUE));
        }
        Action::Show { id } => {
            let shown = api.get(&["restitutions", &id]).await?;
            return output.show(&shown, || sheet(&shown, FIELDS));
        }
        Action::Letter { id, english } => {
            let letter = api.post(&["restitutions", &id, "letter"], Body::Empty).await?;
            let text = if english { "/english" } else { "/french" };
            return output.show(&letter, || text_at(&letter, text));
        }
        Action::HandedOver { id } => {
            let letter = api.post(&["restitutions", &id, "letter", "handed-over"], Body::Empty).await?;
            return output.show(&letter, || sheet(&letter, HANDED_OVER));
        }
        Action::Hold { id } => return check(&api, &id, true, output).await,
        Action::LetGo { id } => return check(&api, &id, false, output).await,
        Action::Order { id } => {
            let ordered = api.post(&["restitutions", &id, "order"], Body::Empty).await?;
            let restitution = ordered.pointer("/restitution").cloned().unwrap_or_default();
            if let Some(held) = ordered.pointer("/held").and_then(Value::as_str) {
                output.note(&format!("waits for a second person of the département: request {held}"));
            }
            return output.show(&ordered, || sheet(&restitution, FIELDS));
        }
        Action::Undo { id } => (of(&id, "undo"), Body::Empty),
        Action::Saved { id } => (of(&id, "saved"), Body::Empty),
        Action::Attest { id } => (of(&id, "attest"), Body::Empty),
        Action::Shelve { id, place } => {
            let place = match place {
                Place::InStock => "in-stock",
                Place::InRepair => "in-repair",
            };
            (of(&id, "shelve"), Body::Json(json!({ "place": place })))
        }
    };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let shown = api.post(&path, body).await?;
    output.show(&shown, || sheet(&shown, FIELDS))
}

async fn check(api: &Api, id: &str, held: bool, output: Output) -> Result<(), Failure> {
    let shown = api.put(&["restitutions", id, "check"], Body::Json(json!({ "held": held }))).await?;
    output.show(&shown, || sheet(&shown, FIELDS))
}

async fn receive(api: &Api, named: &[OneScanned], like: &Value, output: Output) -> Result<(), Failure> {
    let mut received = Vec::with_capacity(named.len());
    let (mut held, mut counted) = (Vec::new(), true);
    let body = |some: &[&str]| {
        let tablets: Vec<Value> = some
            .iter()
            .map(|tablet| {
                let mut one = like.clone();
                if let Some(one) = one.as_object_mut() {
                    one.insert("tablet".to_owned(), json!(tablet));
                }
                one
            })
            .collect();
        json!({ "tablets": tablets })
    };
    let answered = |receipt: Value| {
        received.extend(receipt.pointer("/tablets").and_then(Value::as_array).cloned().unwrap_or_default());
        held.extend(receipt.pointer("/held").and_then(Value::as_str).map(str::to_owned));
        counted &= receipt.pointer("/counted").and_then(Value::as_bool).unwrap_or(true);
    };
    let way = ("restitutions", "receiving tablets");
    let sent = scanned::send(api, way, named, body, answered, output).await;
    // What was received is shown, whatever stopped the others.
    let shown = json!({ "tablets": received, "held": held, "counted": counted });
    output.show(&shown, || {
        let mut text = table(&received, RECEIVED);
        for request in &held {
            text.push_str(&format!(
                "\nabove the budgets of the day: waits for a second person, request {request}"
            ));
        }
        if !counted {
            text.push_str(
                "\nthe switch of the brake is thrown: once it is released, order these erasures by hand",
            );
        }
        text
    })?;
    sent
}
