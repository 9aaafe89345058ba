//! `ardoise profile` over a server's API: versions of layers, from a draft to publication.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Api, Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table, text_at};

/// How much of a digest somebody types at least, in characters.
const LEAST_SEEN: usize = 8;

/// What is done with versions of layers.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Begin a version: the file is the layer's text. Every line that is wrong is told, and nothing is kept then.
    Draft {
        /// The layer, in TOML.
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// Write another text. Of what was submitted it becomes another version, which nobody has approved.
    Edit {
        /// The version.
        version: String,
        /// The layer, in TOML.
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// Submit your draft: the département and the académie are asked; a collège decides its own additions so.
    Submit {
        /// The version.
        version: String,
        /// Why: those who approve decide by it.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Approve for your organisation exactly the text that you looked at.
    Approve {
        /// The version.
        version: String,
        /// The hash of the text that `show` told, or its first 8 characters or more.
        #[arg(long, value_name = "HASH")]
        seen: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Refuse for your organisation. The version ends; its author may edit it.
    Reject {
        /// The version.
        version: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Publish an approved version, now or on a day, to everyone or in waves.
    Publish(Publish),
    /// Take a version back.
    Withdraw {
        /// The version.
        version: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// List versions, the newest first.
    List {
        /// Those of one layer: `base`, `user:pupil`, `mode:take-home`, `college:0761234A`, `emergency:TITLE`.
        #[arg(long)]
        layer: Option<String>,
        /// Those in one state: `draft`, `submitted`, `approved`, `published`, …
        #[arg(long)]
        state: Option<String>,
        /// How many at most.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        #[command(flatten)]
        connection: Connection,
    },
    /// One version: its text, its hash, who approved it, whom it waits for.
    Show {
        /// The version.
        version: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Say what publishing a version would change, and on how many tablets.
    ///
    /// Nothing is changed by asking. It says how many managed tablets have this layer and in which
    /// collèges, how many of them each wave reaches, and what differs from the version in force, in words
    /// and which way it goes: stricter, looser, or neither.
    ///
    ///   ardoise profile plan VERSION
    ///   ardoise profile plan VERSION --canary 0761234A --percent 10 --percent 50
    #[command(verbatim_doc_comment)]
    Plan {
        /// The version.
        version: String,
        #[command(flatten)]
        waves: Waves,
        #[command(flatten)]
        connection: Connection,
    },
    /// Every version of the same layer, and who decided each.
    History {
        /// Any version of the layer.
        version: String,
        /// How many at most.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        #[command(flatten)]
        connection: Connection,
    },
    /// How the roll-out of a version comes on; or move it.
    Rollout {
        /// The version.
        version: String,
        /// What to do with it.
        #[arg(value_enum)]
        step: Option<Step>,
        /// Why; all but `advance` say it.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Emergency bases: list orders, give one, end one.
    #[command(subcommand)]
    Emergency(Emergency),
}

/// How a version is published.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The version.
    version: String,
    /// The day it takes effect, such as 2027-09-01; now, unless given.
    #[arg(long, value_name = "DAY")]
    on: Option<String>,
    #[command(flatten)]
    waves: Waves,
    /// How many hours a wave lasts before the next.
    #[arg(long, default_value_t = 24, value_name = "HOURS")]
    hours_between: u32,
    /// It pauses by itself above that many failures in a thousand.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pause_above_permille: u32,
    /// Once that many tablets have reported.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pause_from: u32,
    #[command(flatten)]
    connection: Connection,
}

/// The waves before everyone.
#[derive(Debug, Args)]
pub(crate) struct Waves {
    /// A collège that is among the first; may be given several times.
    #[arg(long, value_name = "UAI")]
    canary: Vec<String>,
    /// Then that many tablets in a hundred; may be given several times, each more than the one before.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..100))]
    percent: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Step {
    /// Begin the next wave now.
    Advance,
    /// Stop at the wave that runs.
    Halt,
    /// Go on where it stopped.
    Resume,
    /// Give every tablet the version before again; of a first version nothing is left.
    RollBack,
}

impl Step {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Halt => "halt",
            Self::Resume => "resume",
            Self::RollBack => "roll-back",
        }
    }
}

/// What is done with emergency orders (C5.3.7).
#[derive(Debug, Subcommand)]
pub(crate) enum Emergency {
    /// List orders, the newest first.
    List {
        /// How many at most.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Put a published emergency base in force: the académie, or a head for their own collège.
    Order {
        /// The version of the emergency base.
        base: String,
        /// A collège it is for; may be given several times. All, unless given; a head's own, always.
        #[arg(long, value_name = "UAI")]
        college: Vec<String>,
        /// Its first day.
        #[arg(long, value_name = "DAY")]
        from: String,
        /// Its last day, thirty days in all at most.
        #[arg(long, value_name = "DAY")]
        until: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The order that it renews.
        #[arg(long, value_name = "ORDER")]
        renews: Option<String>,
        /// Orders that stand in its way, and end with it; several are separated by commas. It begins today then.
        #[arg(long, value_name = "ORDER", value_delimiter = ',')]
        instead_of: Vec<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// End an order before its last day.
    End {
        /// The order.
        order: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        connection: Connection,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("layer", "/layer"),
    ("number", "/number"),
    ("state", "/state"),
    ("author", "/author"),
    ("waits for", "/waits_for"),
    ("suspended", "/suspended_at"),
    ("takes effect", "/takes_effect_at"),
    ("title", "/title"),
];

const SHOWN: &[Column] = &[
    ("id", "/id"),
    ("layer", "/layer"),
    ("number", "/number"),
    ("title", "/title"),
    ("state", "/state"),
    ("author", "/author"),
    ("edits", "/based_on"),
    ("hash of the text", "/text_sha256"),
    ("submitted", "/submitted_at"),
    ("waits for", "/waits_for"),
    ("suspended", "/suspended_at"),
    ("suspended because", "/suspended_because"),
    ("takes effect", "/takes_effect_at"),
    ("published", "/published_at"),
    ("superseded", "/superseded_at"),
    ("ended", "/ended_at"),
    ("because", "/ended_reason"),
];

const ROLLOUT: &[Column] = &[
    ("version", "/version"),
    ("before", "/previous"),
    ("state", "/state"),
    ("wave", "/wave"),
    ("waves", "/waves"),
    ("since", "/wave_since"),
    ("tablets reached", "/reached"),
    ("tablets waiting", "/waiting"),
    ("report it applied", "/applied"),
    ("report a failure in this wave", "/failed"),
    ("took it on in this wave", "/answered"),
    ("refused it in this wave", "/refused"),
    ("because", "/reason"),
    ("over", "/ended_at"),
];

const ORDERS: &[Column] = &[
    ("id", "/id"),
    ("title", "/title"),
    ("from", "/starts_on"),
    ("until", "/ends_on"),
    ("in force", "/in_force"),
    ("collèges", "/colleges"),
    ("ended", "/ended_at"),
    ("goes on by", "/goes_on_by"),
    ("reason", "/reason"),
];

/// Asks and shows.
pub(crate) async fn run(action: Action, output: Output) -> Result<(), Failure> {
    match action {
        Action::Draft { file, connection } => {
            let body = json!({ "text": text(&file)? });
            let made = connection.open()?.post(&["profiles"], Body::Json(body)).await?;
            told(&made, output)
        }
        Action::Edit { version, file, connection } => {
            let body = json!({ "text": text(&file)? });
            let made = connection.open()?.put(&["profiles", &version], Body::Json(body)).await?;
            told(&made, output)
        }
        Action::Submit { version, reason, connection } => {
            act(&connection.open()?, &version, "submit", json!({ "reason": reason }), output).await
        }
        Action::Approve { version, seen, connection } => {
            let api = connection.open()?;
            let hash = looked_at(&api, &version, &seen).await?;
            act(&api, &version, "approve", json!({ "text_sha256": hash }), output).await
        }
        Action::Reject { version, reason, connection } => {
            act(&connection.open()?, &version, "reject", json!({ "reason": reason }), output).await
        }
        Action::Publish(publish) => run_publish(publish, output).await,
        Action::Withdraw { version, reason, connection } => {
            act(&connection.open()?, &version, "withdraw", json!({ "reason": reason }), output).await
        }
        Action::List { layer, state, limit, connection } => {
            let query: Vec<(&str, &str)> = [("layer", layer.as_deref()), ("state", state.as_deref())]
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)))
                .collect();
            let found = connection.open()?.list(&["profiles"], &query, limit).await?;
            rows(Value::Array(found), COLUMNS, output)
        }
        Action::Show { version, connection } => {
            let found = connection.open()?.get(&["profiles", &version]).await?;
            output.show(&found, || {
                let mut shown = vec![sheet(&found, SHOWN)];
                for approval in found.get("approvals").and_then(Value::as_array).into_iter().flatten() {
                    let [organisation, by, at] =
                        ["/organisation", "/by", "/at"].map(|pointer| text_at(approval, pointer));
                    shown.push(format!("approved for {organisation} by {by} at {at}"));
                }
                shown.extend(who_may_approve(&found));
                shown.push(String::new());
                shown.push(text_at(&found, "/text"));
                shown.join("\n")
            })
        }
        Action::Plan { version, waves, connection } => {
            let (colleges, percents) = (waves.canary.join(","), joined(&waves.percent));
            let query: Vec<(&str, &str)> = [("colleges", colleges.as_str()), ("percents", percents.as_str())]
                .into_iter()
                .filter(|(_key, value)| !value.is_empty())
                .collect();
            let found = connection.open()?.get_with(&["profiles", &version, "plan"], &query).await?;
            output.show(&found, || plan_in_words(&found))
        }
        Action::History { version, limit, connection } => {
            let found = connection.open()?.list(&["profiles", &version, "history"], &[], limit).await?;
            rows(Value::Array(found), COLUMNS, output)
        }
        Action::Rollout { version, step, reason, connection } => {
            let api = connection.open()?;
            let found = match step {
                None => api.get(&["profiles", &version, "rollout"]).await?,
                Some(step) => {
                    let body = match (step, reason) {
                        (Step::Advance, _) => Body::Empty,
                        (_, Some(reason)) => Body::Json(json!({ "reason": reason })),
                        (_, None) => return Err(Failure::Usage("say why, with --reason".to_owned())),
                    };
                    api.post(&["profiles", &version, "rollout", step.as_str()], body).await?
                }
            };
            output.show(&found, || sheet(&found, ROLLOUT))
        }
        Action::Emergency(emergency) => run_emergency(emergency, output).await,
    }
}

/// What differs between two versions of the server, or from the one in force.
pub(crate) async fn diff(
    connection: Connection,
    before: Option<&str>,
    after: &str,
    french: bool,
    output: Output,
) -> Result<(), Failure> {
    let query: Vec<(&str, &str)> = before.map(|before| ("before", before)).into_iter().collect();
    let found = connection.open()?.get_with(&["profiles", after, "diff"], &query).await?;
    output.show(&found, || {
        let of_nothing = found.get("before").is_none_or(Value::is_null);
        let is_in_force = found.get("in_force").and_then(Value::as_bool) == Some(true);
        let told = changes_in_words(&found, french);
        match (of_nothing, is_in_force, french) {
            (_, true, false) => "this version is the one in force: nothing differs".to_owned(),
            (_, true, true) => "cette version est celle en vigueur : rien ne diffère".to_owned(),
            (true, false, false) => {
                format!("nothing of this layer is in force yet: all of it is new\n{told}")
            }
            (true, false, true) => {
                format!("rien de cette couche n’est en vigueur : tout est nouveau\n{told}")
            }
            (false, false, _) => told,
        }
    })
}

async fn run_publish(publish: Publish, output: Output) -> Result<(), Failure> {
    let Publish { version, on, waves, hours_between, pause_above_permille, pause_from, connection } = publish;
    let mut body = json!({ "on": on });
    if !(waves.canary.is_empty() && waves.percent.is_empty()) {
        let wanted = json!({
            "colleges": waves.canary, "percents": waves.percent, "hours_between": hours_between,
            "pause_above_permille": pause_above_permille, "pause_from": pause_from,
        });
        if let Some(body) = body.as_object_mut() {
            body.insert("waves".to_owned(), wanted);
        }
    }
    act(&connection.open()?, &version, "publish", body, output).await
}

async fn run_emergency(emergency: Emergency, output: Output) -> Result<(), Failure> {
    match emergency {
        Emergency::List { limit, connection } => {
            let found = connection.open()?.list(&["emergency-orders"], &[], limit).await?;
            rows(Value::Array(found), ORDERS, output)
        }
        Emergency::Order { base, college, from, until, reason, renews, instead_of, connection } => {
            let body = json!({
                "base": base, "colleges": college, "starts_on": from, "ends_on": until, "reason": reason,
                "renews": renews, "instead_of": instead_of,
            });
            let given = connection.open()?.post(&["emergency-orders"], Body::Json(body)).await?;
            output.show(&given, || sheet(&given, ORDERS))
        }
        Emergency::End { order, reason, connection } => {
            let body = Body::Json(json!({ "reason": reason }));
            let ended = connection.open()?.post(&["emergency-orders", &order, "end"], body).await?;
            output.show(&ended, || sheet(&ended, ORDERS))
        }
    }
}

async fn act(api: &Api, version: &str, step: &str, body: Value, output: Output) -> Result<(), Failure> {
    let done = api.post(&["profiles", version, step], Body::Json(body)).await?;
    told(&done, output)
}

/// A version, and what comes next.
fn told(version: &Value, output: Output) -> Result<(), Failure> {
    output.show(version, || {
        let id = text_at(version, "/id");
        let who = who_may_approve(version).into_iter().map(|line| format!("\n{line}")).collect::<String>();
        let next = match text_at(version, "/state").as_str() {
            "draft" => format!("next: `ardoise profile submit {id} --reason …`"),
            "submitted" => format!(
                "next: each organisation looks at it, `ardoise profile show {id}`, and types `ardoise profile approve \
                 {id} --seen HASH`"
            ),
            "approved" => format!("next: `ardoise profile plan {id}`, then `ardoise profile publish {id}`"),
            _ => String::new(),
        };
        format!("{}{who}\n{next}", sheet(version, SHOWN)).trim_end().to_owned()
    })
}

/// Who may approve a version that is not approved, a line each.
fn who_may_approve(version: &Value) -> Vec<String> {
    let people = version.get("may_approve").and_then(Value::as_array).into_iter().flatten();
    let told = |person: &Value| {
        let [login, organisation, from, but] =
            ["/login", "/organisation", "/from", "/but"].map(|pointer| text_at(person, pointer));
        let when = match person.get("from") {
            Some(Value::String(_instant)) => format!("from {from} on"),
            _ => "a day after a colleague has confirmed that right".to_owned(),
        };
        let but = match but.as_str() {
            "author" => ", but not this one: they wrote it",
            "one-hand" => ", but not this one: one hand made or reset two accounts behind it",
            _ => "",
        };
        format!("{login} may approve for {organisation}, {when}{but}")
    };
    let others = version.get("elsewhere_approve").and_then(Value::as_array).into_iter().flatten();
    people.map(told).chain(others.map(how_many_elsewhere)).collect()
}

fn how_many_elsewhere(other: &Value) -> String {
    let [organisation, from] = ["/organisation", "/from"].map(|pointer| text_at(other, pointer));
    match (other.get("now").and_then(Value::as_u64), other.get("from")) {
        (Some(0) | None, Some(Value::String(_instant))) => {
            format!("nobody may approve for {organisation} before {from}: its administrators say who")
        }
        (Some(0) | None, _) => {
            format!("nobody may approve for {organisation} yet: its administrators give that right")
        }
        (Some(1), _) => format!("1 person may approve for {organisation}: its administrators say who"),
        (Some(count), _) => {
            format!("{count} people may approve for {organisation}: its administrators say who")
        }
    }
}

fn rows(found: Value, columns: &'static [Column], output: Output) -> Result<(), Failure> {
    output.show(&found, || table(found.as_array().map_or(&[], Vec::as_slice), columns))
}

/// The whole hash of the text whose beginning the person names: typing it shows that they looked.
async fn looked_at(api: &Api, version: &str, seen: &str) -> Result<String, Failure> {
    let shown = api.get(&["profiles", version]).await?;
    let hash = text_at(&shown, "/text_sha256");
    let typed = seen.trim().to_ascii_lowercase();
    if typed.len() < LEAST_SEEN || !hash.starts_with(&typed) {
        return Err(Failure::Usage(format!(
            "the text has another hash than `{typed}`; look at it again with `ardoise profile show {version}`, and name \
             at least {LEAST_SEEN} characters of its hash"
        )));
    }
    Ok(hash)
}

fn plan_in_words(plan: &Value) -> String {
    let most = if plan.get("exact").and_then(Value::as_bool) == Some(true) { "" } else { "at most " };
    let mut lines = vec![format!("{most}{} managed tablets have this layer", text_at(plan, "/tablets"))];
    for (uai, count) in plan.get("by_college").and_then(Value::as_object).into_iter().flatten() {
        let of = if uai.is_empty() { "of no collège" } else { uai };
        lines.push(format!("  {of}: {count}"));
    }
    for (wave, count) in plan.get("waves").and_then(Value::as_array).into_iter().flatten().enumerate() {
        lines.push(format!("wave {} reaches {count} of them", wave + 1));
    }
    for app in plan.get("withholds").and_then(Value::as_array).into_iter().flatten() {
        let (college, bundle) = (text_at(app, "/college"), text_at(app, "/bundle"));
        lines.push(format!(
            "collège {college} adds {bundle}, which this base blocks: no tablet would have it any more"
        ));
    }
    if plan.get("everywhere_at_once").and_then(Value::as_bool) == Some(true) {
        lines.push(
            "the first version is not everywhere yet: this one replaces it everywhere at once, without waves"
                .to_owned(),
        );
    }
    if plan.get("in_force").and_then(Value::as_bool) == Some(true) {
        lines.push("this version is the one in force: there is nothing left to publish".to_owned());
    } else if plan.get("replaces").is_none_or(Value::is_null) {
        lines.push("nothing of this layer is in force yet: all of it is new".to_owned());
    } else {
        lines.push(changes_in_words(plan, false));
    }
    lines.join("\n")
}

fn changes_in_words(document: &Value, french: bool) -> String {
    let language = if french { "/french" } else { "/english" };
    let changes = document.get("changes").and_then(Value::as_array).into_iter().flatten();
    let sentences: Vec<String> = changes.map(|change| text_at(change, language)).collect();
    if sentences.is_empty() { "no difference".to_owned() } else { sentences.join("\n") }
}

fn joined(percents: &[u8]) -> String {
    percents.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn text(file: &std::path::Path) -> Result<String, Failure> {
    let bytes = std::fs::read(file).map_err(Failure::reading(file))?;
    String::from_utf8(bytes).map_err(|_not_text| Failure::BadFile {
        path: file.to_owned(),
        problem: "expected a text in UTF-8".to_owned(),
    })
}
