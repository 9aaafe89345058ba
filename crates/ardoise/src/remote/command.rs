//! `ardoise command`: what tablets are asked, and what became of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::inventory::read;
use super::{Api, Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table, text_at};

const EXAMPLES: &str = "\
Kinds are named as in Apple's documentation. Those that erase, locate, lock away or unenrol are not sent by
hand: they come from their order. What decides what is on a tablet is not, either: see `ardoise profile --help`.
  ardoise command send DMPXK1ABCD12 DeviceInformation --wait 60
  ardoise command send DMPXK1ABCD12 ClearPasscode
  ardoise command send DMPXK1ABCD12 DeviceLock --parameters '{\"Message\": \"Au CDI\"}'
  ardoise command broadcast SecurityInfo --college 0761234A
  ardoise command broadcast DeviceInformation --everyone --key september
  ardoise command progress september             how many of them have answered
  ardoise command list DMPXK1ABCD12
  ardoise command why COMMAND                    one sentence: why is it where it is?";

/// How long to wait between two looks at a command that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What is done with commands.
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
    /// Queue a command for a tablet, and wake it.
    Send(Box<Send>),
    /// Ask many tablets the same: only what changes nothing is sent so.
    Broadcast(Broadcast),
    /// Say how far a command for many has come.
    Progress {
        /// What it is called: the key that `broadcast` told.
        key: String,
    },
    /// List the commands of a tablet, the newest first.
    List {
        /// The tablet, by its id or serial number.
        tablet: String,
        /// At most this many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Show one command, with the tablet's answer.
    Show {
        /// The command's id.
        id: String,
    },
    /// Say in one sentence why a command is where it is.
    Why {
        /// The command's id.
        id: String,
        /// Say it in French.
        #[arg(long)]
        french: bool,
    },
    /// Cancel a command that is pending.
    Cancel {
        /// The command's id.
        id: String,
    },
}

/// A command to queue.
#[derive(Debug, Args)]
struct Send {
    /// The tablet, by its id or serial number.
    tablet: String,
    /// The kind, such as `DeviceInformation`.
    kind: String,
    /// The keys of the command, as JSON; data as {"$data": "base64"}.
    #[arg(long, value_name = "JSON", group = "content")]
    parameters: Option<String>,
    /// A file with the keys of the command as an XML property list; `-` reads standard input.
    #[arg(long, value_name = "FILE", group = "content")]
    property_list: Option<PathBuf>,
    /// The higher goes first: -10 to 10.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// The first instant it is offered, such as 2026-11-23T22:00:00+01:00.
    #[arg(long, value_name = "INSTANT")]
    not_before: Option<String>,
    /// The first instant it is not offered any more.
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<String>,
    /// The same key for the same tablet queues one command, however often it is sent.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Wait at most this many seconds for the tablet's answer; exit 1 if there is none, or an error.
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
}

/// A command for many tablets.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("audience").required(true))]
struct Broadcast {
    /// The kind, such as `DeviceInformation`.
    kind: String,
    /// The tablets of this collège.
    #[arg(long, value_name = "UAI", group = "audience")]
    college: Option<String>,
    /// Every tablet that you reach.
    #[arg(long, group = "audience")]
    everyone: bool,
    /// What it is called: the same key goes on where it was cut off. One is made, unless told.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The first instant it is offered, such as 2026-11-23T22:00:00+01:00.
    #[arg(long, value_name = "INSTANT")]
    not_before: Option<String>,
    /// The first instant it is not offered any more.
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<String>,
}

const BROADCAST: &[Column] =
    &[("key", "/key"), ("kind", "/request_type"), ("queued", "/queued"), ("had it already", "/already")];

const PROGRESS: &[Column] = &[
    ("key", "/key"),
    ("tablets", "/tablets"),
    ("pending", "/pending"),
    ("acknowledged", "/acknowledged"),
    ("failed", "/failed"),
    ("called off", "/called_off"),
];

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("kind", "/request_type"),
    ("state", "/state"),
    ("queued", "/queued_at"),
    ("sent", "/sent_at"),
    ("answered", "/answered_at"),
    ("NotNow", "/not_now_count"),
];

const FIELDS: &[Column] = &[
    ("id", "/id"),
    ("kind", "/request_type"),
    ("state", "/state"),
    ("tablet", "/tablet_id"),
    ("priority", "/priority"),
    ("queued", "/queued_at"),
    ("by", "/queued_by"),
    ("not before", "/not_before"),
    ("expires", "/expires_at"),
    ("sent", "/sent_at"),
    ("NotNow", "/not_now_count"),
    ("answered", "/answered_at"),
    ("result", "/result"),
    ("error", "/error"),
];

/// Sends, lists, shows, explains or cancels.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Send(send) => {
            let queued =
                api.post(&["tablets", &send.tablet, "commands"], Body::Json(document(&send)?)).await?;
            match send.wait {
                None => output.show(&queued, || sheet(&queued, FIELDS)),
                Some(seconds) => {
                    let over = wait(&api, &queued, Duration::from_secs(seconds), output).await?;
                    output.show(&over, || sheet(&over, FIELDS))?;
                    match text_at(&over, "/state").as_str() {
                        "acknowledged" => Ok(()),
                        state => Err(Failure::Waited(format!("the command ended as `{state}`"))),
                    }
                }
            }
        }
        Action::Broadcast(broadcast) => {
            let spinner = output.spinner("queueing it for each tablet");
            let sent = api.post(&["broadcasts"], Body::Json(for_many(&broadcast))).await;
            spinner.finish_and_clear();
            let sent = sent?;
            output.show(&sent, || sheet(&sent, BROADCAST))
        }
        Action::Progress { key } => {
            let progress = api.get(&["broadcasts", &key]).await?;
            output.show(&progress, || sheet(&progress, PROGRESS))
        }
        Action::List { tablet, limit } => {
            let commands = Value::Array(api.list(&["tablets", &tablet, "commands"], &[], Some(limit)).await?);
            output.show(&commands, || table(commands.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Show { id } => {
            let command = api.get(&["commands", &id]).await?;
            output.show(&command, || sheet(&command, FIELDS))
        }
        Action::Why { id, french } => {
            let why = api.get(&["commands", &id, "why"]).await?;
            output.show(&why, || text_at(&why, if french { "/french" } else { "/english" }))
        }
        Action::Cancel { id } => {
            let command = api.delete(&["commands", &id]).await?;
            output.show(&command, || sheet(&command, FIELDS))
        }
    }
}

/// What is sent to the API for many.
fn for_many(broadcast: &Broadcast) -> Value {
    let Broadcast { kind, college, everyone: _, key, not_before, expires_at } = broadcast;
    json!({ "uai": college, "command": {
        "request_type": kind, "idempotency_key": key, "not_before": not_before, "expires_at": expires_at,
    } })
}

/// What is sent to the API: keys that were not given are left to it.
fn document(send: &Send) -> Result<Value, Failure> {
    let mut document = json!({ "request_type": send.kind, "priority": send.priority });
    let optional = [
        ("not_before", send.not_before.clone().map(Value::String)),
        ("expires_at", send.expires_at.clone().map(Value::String)),
        ("idempotency_key", send.idempotency_key.clone().map(Value::String)),
        ("parameters", parameters(send)?),
        ("property_list", property_list(send)?),
    ];
    if let Some(keys) = document.as_object_mut() {
        keys.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    Ok(document)
}

fn parameters(send: &Send) -> Result<Option<Value>, Failure> {
    let Some(text) = &send.parameters else { return Ok(None) };
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Failure::Usage(format!("`--parameters` is not JSON: {error}")))?;
    if value.is_object() {
        Ok(Some(value))
    } else {
        Err(Failure::Usage("`--parameters` must be an object with the keys of the command".into()))
    }
}

fn property_list(send: &Send) -> Result<Option<Value>, Failure> {
    let Some(file) = &send.property_list else { return Ok(None) };
    let text = String::from_utf8(read(file)?).map_err(|_not_text| Failure::BadFile {
        path: file.clone(),
        problem: "expected an XML property list in UTF-8; convert a binary one with `plutil -convert xml1`"
            .into(),
    })?;
    Ok(Some(Value::String(text)))
}

/// The command once it is over.
async fn wait(api: &Api, queued: &Value, patience: Duration, output: Output) -> Result<Value, Failure> {
    let id = text_at(queued, "/id");
    let spinner = output.spinner("waiting for the tablet");
    let deadline = Instant::now() + patience;
    loop {
        let command = api.get(&["commands", &id]).await?;
        if command.get("pending") == Some(&Value::Bool(false)) {
            spinner.finish_and_clear();
            return Ok(command);
        }
        if Instant::now() >= deadline {
            spinner.finish_and_clear();
            let why = api.get(&["commands", &id, "why"]).await?;
            return Err(Failure::Waited(format!(
                "command {id} is still pending: {}",
                text_at(&why, "/english")
            )));
        }
        sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        send: Send,
    }

    fn sent(line: &str) -> Result<Value, Failure> {
        document(&Typed::parse_from(line.split_whitespace()).send)
    }

    #[test]
    fn only_what_was_said_is_sent() {
        let document = sent("send DMPXK1ABCD12 DeviceInformation --priority -3").unwrap();
        assert_eq!(document, json!({ "request_type": "DeviceInformation", "priority": -3 }));
        let document = sent(r#"send X DeviceLock --parameters {"Message":"a"} --idempotency-key k"#).unwrap();
        assert_eq!(document["parameters"], json!({ "Message": "a" }));
        assert_eq!(document["idempotency_key"], "k");
    }

    #[test]
    fn parameters_that_are_no_object_are_a_misuse() {
        for text in ["[1]", "{", "\"x\""] {
            assert!(
                matches!(sent(&format!("send X Settings --parameters {text}")), Err(Failure::Usage(_))),
                "{text}"
            );
        }
    }
}
