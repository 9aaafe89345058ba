//! `ardoise person`: the people whom a collège knows, and what was said to the agreement of loan for each.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise person list 0761234A
  ardoise person sign PERSON guardian-1 --on 2026-09-12 --reference \"classeur 3, page 12\"
  ardoise person oppose PERSON guardian-2 --on 2026-09-13 --reference \"courrier du 13/09\"
  ardoise person agreement PERSON
  ardoise person data PERSON --html copy.html
  ardoise person correct PERSON --class 4B
  ardoise person correct PERSON --address guardian-1=mere@exemple.fr --no-address guardian-2
  ardoise person forget PERSON --reason \"letter of 2026-11-26\"

The head corrects what is held about the people of their collège. The head, or the data protection officer, draws up the copy.
Only the data protection officer forgets anybody.";

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
    /// Draw up, as the head or the data protection officer, the copy of everything that is held about somebody, for them. Needs a code of the second factor.
    Data {
        /// The person's number.
        person: String,
        /// Write it into this new file, which nobody else may read, as a page to print, instead of showing it.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Put right, as the head, what is held about somebody; what is on the list becomes a change of it, which the head settles
    /// and the académie validates.
    Correct {
        /// The person's number.
        person: String,
        /// What they are called.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Their class.
        #[arg(long, value_name = "CLASS")]
        class: Option<String>,
        /// Their number in the school's register.
        #[arg(long, value_name = "NUMBER")]
        number: Option<String>,
        /// Their first day.
        #[arg(long, value_name = "DAY")]
        arrives: Option<String>,
        /// Their last day of attendance.
        #[arg(long, value_name = "DAY")]
        leaves: Option<String>,
        /// Where whom is written to: `guardian-1=ADDRESS` of a pupil, `user=ADDRESS` of an adult.
        #[arg(long, value_name = "WHO=ADDRESS", value_parser = address)]
        address: Vec<(String, String)>,
        /// Whose address there is not any more.
        #[arg(long, value_name = "WHO")]
        no_address: Vec<Signatory>,
    },
    /// Forget, as the data protection officer, who somebody was, as they ask, if nothing ties them to the programme any more. Needs a code of the second
    /// factor.
    Forget {
        /// The person's number.
        person: String,
        /// Why, without a name: it is recorded.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Somebody and their address, from `WHO=ADDRESS`.
fn address(text: &str) -> Result<(String, String), String> {
    let (who, address) = text.split_once('=').ok_or("write `guardian-1=ADDRESS`, or `user=ADDRESS`")?;
    Ok((who.trim().to_owned(), address.trim().to_owned()))
}

const COLUMNS: &[Column] = &[
    ("person", "/id"),
    ("name", "/name"),
    ("number", "/number"),
    ("what", "/kind"),
    ("class", "/class"),
    ("guardians", "/guardians"),
    ("arrives", "/arrives_on"),
    ("leaves", "/leaves_on"),
    ("left", "/left_at"),
];

const FIELDS: &[Column] = &[
    ("name", "/person/name"),
    ("class", "/person/class"),
    ("number", "/person/number"),
    ("arrives", "/person/arrives_on"),
    ("text", "/text"),
    ("agreed", "/agreed"),
    ("why not", "/why"),
];
const CORRECTED: &[Column] = &[("corrected", "/corrected"), ("change of the list", "/list")];
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
        Action::Data { person, html } => {
            let path = ["persons", &person, "data"];
            let Some(file) = html else {
                let copy = api.get(&path).await?;
                return output::print(&copy.to_string());
            };
            let page = api.document(&path, &[("format", "html")], "fr").await?;
            output::private_file(&file)?.write_all(page.as_bytes()).map_err(Failure::writing(&file))?;
            return output.show(&json!({ "file": file }), || file.display().to_string());
        }
        Action::Correct { person, name, class, number, arrives, leaves, address, no_address } => {
            let gone = no_address.iter().map(|who| (who.as_str().to_owned(), Value::Null));
            let there = address.into_iter().map(|(who, address)| (who, Value::String(address)));
            let body = json!({
                "name": name, "class": class, "number": number, "arrives_on": arrives, "leaves_on": leaves,
                "contacts": there.chain(gone).collect::<serde_json::Map<_, _>>(),
            });
            let done = api.post(&["persons", &person, "corrections"], Body::Json(body)).await?;
            return output.show(&done, || sheet(&done, CORRECTED));
        }
        Action::Forget { person, reason } => {
            let done =
                api.post(&["persons", &person, "forget"], Body::Json(json!({ "reason": reason }))).await?;
            return output.show(&done, || "they are forgotten; only the number is left".to_owned());
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
