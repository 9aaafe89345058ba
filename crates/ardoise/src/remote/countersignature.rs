//! `ardoise countersignature`: what second persons are asked, and how they answer.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Api, Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, text_at};
use crate::words::{sheet, sheet_and_lists, table};

/// How much of a digest somebody types at least, in characters.
const LEAST_SEEN: usize = 8;

const EXAMPLES: &str = "\
  ardoise countersignature list                       what your roles let you answer, and why you may not sign
  ardoise countersignature show ID                    what exactly is asked, its hash, and whether you may sign
  ardoise countersignature give ID --seen 3f2a91c0    signs what has this hash, and nothing else
  ardoise countersignature refuse ID --seen 3f2a91c0 --reason \"ask Mme Blin first\"
  ardoise countersignature list --asked               what you asked, and what became of it
  ardoise countersignature withdraw ID";

/// What is done with requests for a second person.
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
    /// List what waits for somebody with your roles, with why you may not sign it where you may not; or what you asked.
    List {
        /// What you asked, instead.
        #[arg(long)]
        asked: bool,
        /// How many at most.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// One request: what exactly, who may answer, until when, what became of it.
    Show {
        /// The countersignature.
        id: String,
    },
    /// Sign as the second person.
    Give {
        /// The countersignature.
        id: String,
        /// The hash that `show` told, or its first 8 characters or more: you sign that, and nothing else.
        #[arg(long, value_name = "HASH")]
        seen: String,
        /// What you say to it.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Refuse as the second person.
    Refuse {
        /// The countersignature.
        id: String,
        /// The hash that `show` told, or its first 8 characters or more.
        #[arg(long, value_name = "HASH")]
        seen: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take back what you asked.
    Withdraw {
        /// The countersignature.
        id: String,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("asked by", "/asked_by/login"),
    ("for", "/purpose"),
    ("state", "/state"),
    ("until", "/expires_at"),
    ("you may sign", "/signable"),
    ("what", "/in_words"),
    ("you may not, because", "/not_signable_because"),
];

const SHOWN: &[Column] = &[
    ("id", "/id"),
    ("asked by", "/asked_by/name"),
    ("login", "/asked_by/login"),
    ("of", "/asked_by/organisation"),
    ("asked", "/asked_at"),
    ("what", "/in_words"),
    ("why", "/reason"),
    ("exactly", "/content"),
    ("hash of that", "/content_sha256"),
    ("answered by", "/who_may_answer"),
    ("until", "/expires_at"),
    ("state", "/state"),
    ("you may answer", "/answerable"),
    ("you may sign", "/signable"),
    ("you may not, because", "/not_signable_because"),
    ("answer of", "/answered_by/login"),
    ("answered", "/answered_at"),
    ("and said", "/answer_reason"),
    ("used", "/used_at"),
];

/// What a warrant would rest on, one sentence on each line.
const LISTS: &[Column] = &[("rests on", "/rests_on")];

/// Asks and shows.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::List { asked, limit } => {
            let which = if asked { "asked" } else { "to-answer" };
            let found = Value::Array(api.list(&["countersignatures"], &[("which", which)], limit).await?);
            output.show(&found, || listed(found.as_array().map_or(&[], Vec::as_slice)))
        }
        Action::Show { id } => {
            let found = api.get(&["countersignatures", &id]).await?;
            output.show(&found, || sheet_and_lists(&found, SHOWN, LISTS))
        }
        Action::Give { id, seen, reason } => {
            let answered = answer(&api, &id, &seen, "give", reason).await?;
            output.show(&answered, || sheet(&answered, SHOWN))
        }
        Action::Refuse { id, seen, reason } => {
            let answered = answer(&api, &id, &seen, "refuse", Some(reason)).await?;
            output.show(&answered, || sheet(&answered, SHOWN))
        }
        Action::Withdraw { id } => {
            let done = api.delete(&["countersignatures", &id]).await?;
            output.show(&done, || format!("{id} is answered no more"))
        }
    }
}

/// The requests, and then what each of those for a warrant rests on.
fn listed(items: &[Value]) -> String {
    let warrants = items.iter().filter(|item| item.get("rests_on").is_some());
    let rest = warrants.map(|item| sheet_and_lists(item, &[("id", "/id")], LISTS));
    std::iter::once(table(items, COLUMNS)).chain(rest).collect::<Vec<_>>().join("\n\n")
}

/// Answers what has the hash that the person names: typing it shows that they looked.
async fn answer(
    api: &Api,
    id: &str,
    seen: &str,
    verdict: &str,
    reason: Option<String>,
) -> Result<Value, Failure> {
    let shown = api.get(&["countersignatures", id]).await?;
    let hash = shown.get("content_sha256").and_then(Value::as_str).unwrap_or_default();
    let typed = seen.trim().to_ascii_lowercase();
    if typed.len() < LEAST_SEEN || !hash.starts_with(&typed) {
        return Err(Failure::Usage(format!(
            "what is asked has another hash than `{typed}`; look at it again with `ardoise countersignature show \
             {id}`, and name at least {LEAST_SEEN} characters of its hash"
        )));
    }
    let body = json!({ "verdict": verdict, "content_sha256": hash, "reason": reason });
    api.post(&["countersignatures", id, "answer"], Body::Json(body)).await
}

/// What was asked, and what comes next.
pub(super) fn asked(document: &Value) -> String {
    let id = text_at(document, "/countersignature");
    format!(
        "a second person is asked: {id}\nThey type `ardoise countersignature show {id}`, then `give` or `refuse`."
    )
}
