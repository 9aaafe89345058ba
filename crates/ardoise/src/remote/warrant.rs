//! `ardoise warrant`: who may locate a missing tablet, for how long, and which second person granted it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, printable};
use crate::words::{sheet, table};

const EXAMPLES: &str = "\
  ardoise warrant ask INCIDENT --reason \"seen at the station\"
  ardoise countersignature give REQUEST --seen DIGEST        the head, or an operator who did not declare it
  ardoise warrant list INCIDENT
  ardoise warrant extend WARRANT --hours 24 --reason \"the complaint is filed\"
  ardoise warrant end WARRANT --reason \"it was somebody else's\"";

/// What is done with warrants.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// How long, how often, how closely.
#[derive(Debug, Args)]
struct Numbers {
    /// How many hours it lasts; what is configured unless told.
    #[arg(long, value_name = "HOURS")]
    hours: Option<u32>,
    /// How many positions it lets be asked for.
    #[arg(long, value_name = "COUNT")]
    fixes: Option<u32>,
    /// How many minutes two requests lie apart, at least.
    #[arg(long, value_name = "MINUTES")]
    interval: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask a second person for the warrant of an incident: its head, or an operator of the département.
    Ask {
        /// The incident's id.
        incident: String,
        /// Why: the second person decides by it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        numbers: Numbers,
    },
    /// Ask a second person that a warrant goes on in another, whether it runs or has ended.
    Extend {
        /// The warrant's id.
        warrant: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        numbers: Numbers,
    },
    /// End a warrant: nobody is located under it from now on.
    End {
        /// The warrant's id.
        warrant: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List the warrants of an incident.
    List {
        /// The incident's id.
        incident: String,
    },
    /// List whom the warrants of an incident are told to, and when.
    Notices {
        /// The incident's id.
        incident: String,
    },
    /// Record that an authority asked that nobody be told until a day.
    Delay {
        /// The incident's id.
        incident: String,
        /// The day on which notices go.
        #[arg(long, value_name = "DAY")]
        until: String,
        /// How the authority names its request.
        #[arg(long, value_name = "TEXT")]
        reference: String,
    },
}

const ASKED: &[Column] = &[("waits for", "/countersignature")];
const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("stands", "/state"),
    ("footing", "/footing"),
    ("asked by", "/author_name"),
    ("granted by", "/second_name"),
    ("from", "/opens_at"),
    ("until", "/expires_at"),
    ("ended", "/ended_at"),
    ("asked", "/asked"),
    ("kept", "/kept"),
    ("of", "/fixes"),
    ("apart", "/interval_minutes"),
    ("why", "/reason"),
];
const NOTICES: &[Column] = &[
    ("notice", "/id"),
    ("loan", "/loan"),
    ("due", "/due_at"),
    ("told", "/told_at"),
    ("how", "/told_how"),
    ("by", "/told_by_name"),
];
const DELAYED: &[Column] =
    &[("notices that wait", "/waiting"), ("tell the authority", "/tell_the_authority")];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let listed = |listed: Vec<Value>, columns| {
        let listed = Value::Array(listed);
        output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), columns))
    };
    match arguments.action {
        Action::Ask { incident, reason, numbers } => {
            let body = wanted(&reason, &numbers);
            let asked = api.post(&["incidents", &incident, "warrants"], Body::Json(body)).await?;
            note_what_stands(&asked, output);
            output.show(&asked, || sheet(&asked, ASKED))
        }
        Action::Extend { warrant, reason, numbers } => {
            let body = wanted(&reason, &numbers);
            let asked = api.post(&["warrants", &warrant, "extend"], Body::Json(body)).await?;
            note_what_stands(&asked, output);
            output.show(&asked, || sheet(&asked, ASKED))
        }
        Action::End { warrant, reason } => {
            let body = json!({ "reason": reason });
            let ended = api.post(&["warrants", &warrant, "end"], Body::Json(body)).await?;
            output.show(&ended, || sheet(&ended, COLUMNS))
        }
        Action::List { incident } => {
            listed(api.list(&["incidents", &incident, "warrants"], &[], None).await?, COLUMNS)
        }
        Action::Notices { incident } => {
            listed(api.list(&["incidents", &incident, "notices"], &[], None).await?, NOTICES)
        }
        Action::Delay { incident, until, reference } => {
            let body = json!({ "until": until, "reference": reference });
            let path = ["incidents", &*incident, "notices", "delay"];
            let delayed = api.post(&path, Body::Json(body)).await?;
            output.show(&delayed, || sheet(&delayed, DELAYED))
        }
    }
}

/// Says so if the same was asked for before: the second person reads the first reason.
fn note_what_stands(asked: &Value, output: Output) {
    if let Some(reason) = asked.pointer("/stands_with").and_then(Value::as_str) {
        output.note(&format!(
            "the same was asked for before and waits: that request stands, with its reason “{}”; to give another, \
             withdraw it first (`ardoise countersignature withdraw`)",
            printable(reason)
        ));
    }
}

fn wanted(reason: &str, numbers: &Numbers) -> Value {
    let Numbers { hours, fixes, interval } = numbers;
    json!({ "reason": reason, "hours": hours, "fixes": fixes, "interval_minutes": interval })
}
