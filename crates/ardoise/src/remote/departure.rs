//! `ardoise departure`: donations and retirements, from the facts to the deed.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table, text_at};

const EXAMPLES: &str = "\
  ardoise departure facts LOAN
  ardoise departure year LOAN 2026-2027 yes
  ardoise departure donate LOAN --reason \"trois ans sans sinistre\"      the head proposes
  ardoise departure decide DECISION                                     the département decides
  ardoise departure letter DECISION > letter.txt
  ardoise departure handed-over DECISION
  ardoise departure order DECISION
  ardoise departure ask DECISION                                        a second person signs
  ardoise departure let-go DECISION --signed REQUEST
  ardoise departure release DECISION --release \"ASM 4711\" --lock \"écran d'accueil vu\"
  ardoise departure deed DECISION > deed.txt
  ardoise departure retire DMPX00000001 --reason \"écran irréparable\"";

/// What is done with tablets that leave.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// A word about a year.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Word {
    /// The tablet was managed responsibly.
    Yes,
    /// It was not.
    No,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the facts about a pupil's years with a tablet. They decide nothing.
    Facts {
        /// The loan's id.
        loan: String,
    },
    /// Say, as the head, whether a tablet was managed responsibly in a year of its loan.
    Year {
        /// The loan's id.
        loan: String,
        /// The school year.
        year: String,
        /// Yes or no.
        word: Word,
    },
    /// Propose, as the head, that a tablet is given to the pupil who holds it.
    Donate {
        /// The loan's id.
        loan: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Decide that a tablet is retired. Needs a code of the second factor.
    Retire {
        /// The tablet's serial number, label or id.
        tablet: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List donations and retirements that are not over.
    List {
        /// Those that are over too.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show one.
    Show {
        /// The decision's id.
        id: String,
    },
    /// Decide on a donation that the head proposed. Needs a code of the second factor.
    Decide {
        /// The decision's id.
        id: String,
    },
    /// Take back, as the head, what you proposed.
    TakeBack {
        /// The decision's id.
        id: String,
    },
    /// Take a decision back, or refuse a proposal, as long as no second person has signed.
    Withdraw {
        /// The decision's id.
        id: String,
    },
    /// Print the letter to the pupil: their tablet is erased before it is theirs.
    Letter {
        /// The decision's id.
        id: String,
        /// In English instead of French.
        #[arg(long)]
        english: bool,
    },
    /// Record that the letter was handed over: the pupil's time runs from now on.
    HandedOver {
        /// The decision's id.
        id: String,
    },
    /// Record that whoever gets it, or a guardian, confirmed that their data is saved: no notice is waited for.
    Saved {
        /// The decision's id.
        id: String,
    },
    /// Order the erasure, or have the tablet told again. Needs a code of the second factor.
    Order {
        /// The decision's id.
        id: String,
    },
    /// Attest that the tablet is empty. Needs a code of the second factor.
    Attest {
        /// The decision's id.
        id: String,
    },
    /// Ask a second person of the département whether the empty tablet may go.
    Ask {
        /// The decision's id.
        id: String,
    },
    /// Let it go, under the signature of that person: nothing is taken back after this.
    LetGo {
        /// The decision's id.
        id: String,
        /// The request that they answered.
        #[arg(long, value_name = "REQUEST")]
        signed: String,
    },
    /// Have it told again that it leaves management.
    LeaveAgain {
        /// The decision's id.
        id: String,
    },
    /// Attest that it was released from the owner's accounts, and that its activation lock is off.
    Release {
        /// The decision's id.
        id: String,
        /// What shows the release.
        #[arg(long, value_name = "TEXT")]
        release: String,
        /// What shows that the activation lock is off.
        #[arg(long, value_name = "TEXT")]
        lock: String,
    },
    /// Take a tablet that has left into the inventory again: until then it is not admitted. Needs a code of the second factor.
    TakeIn {
        /// The decision's id.
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Print the deed of a gift.
    Deed {
        /// The decision's id.
        id: String,
        /// In English instead of French.
        #[arg(long)]
        english: bool,
    },
}

const COLUMNS: &[Column] = &[
    ("decision", "/id"),
    ("what", "/kind"),
    ("tablet", "/serial"),
    ("stands", "/way"),
    ("begun", "/begun_at"),
    ("decided", "/decided_at"),
    ("loan", "/loan"),
];

const FIELDS: &[Column] = &[
    ("decision", "/id"),
    ("what", "/kind"),
    ("tablet", "/serial"),
    ("loan", "/loan"),
    ("reason", "/reason"),
    ("stands", "/way"),
    ("begun", "/begun_at"),
    ("decided", "/decided_at"),
    ("order", "/order"),
    ("empty since", "/erased_at"),
    ("proof", "/proof"),
    ("data saved", "/saved_at"),
    ("let go", "/let_go_at"),
    ("managed", "/managed"),
    ("release", "/release"),
    ("activation lock", "/activation_lock"),
    ("released", "/released_at"),
    ("taken in again", "/taken_in_at"),
];

const FACTS: &[Column] = &[
    ("donation ruled out", "/donation_ruled_out"),
    ("incident open", "/incident_open"),
    ("sum unpaid", "/counterpart_unpaid"),
    ("years", "/years"),
];

const HANDED_OVER: &[Column] = &[("notice", "/notice"), ("handed over", "/handed_over_at")];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let (id, what, body) = match arguments.action {
        Action::Facts { loan } => {
            let facts = api.get(&["loans", &loan, "donation-facts"]).await?;
            return output.show(&facts, || sheet(&facts, FACTS));
        }
        Action::Year { loan, year, word } => {
            let word = Body::Json(json!({ "responsible": matches!(word, Word::Yes) }));
            let facts = api.put(&["loans", &loan, "years", &year], word).await?;
            return output.show(&facts, || sheet(&facts, FACTS));
        }
        Action::Donate { loan, reason } => {
            let why = Body::Json(json!({ "reason": reason }));
            let shown = api.post(&["loans", &loan, "donation"], why).await?;
            return output.show(&shown, || sheet(&shown, FIELDS));
        }
        Action::Retire { tablet, reason } => {
            let why = Body::Json(json!({ "reason": reason }));
            let shown = api.post(&["tablets", &tablet, "retirement"], why).await?;
            return output.show(&shown, || sheet(&shown, FIELDS));
        }
        Action::List { all, limit } => {
            let wanted: &[(&str, &str)] = if all { &[("all", "true")] } else { &[] };
            let listed = Value::Array(api.list(&["departures"], wanted, limit).await?);
            return output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS));
        }
        Action::Show { id } => {
            let shown = api.get(&["departures", &id]).await?;
            return output.show(&shown, || sheet(&shown, FIELDS));
        }
        Action::Letter { id, english } => {
            let letter = api.post(&["departures", &id, "letter"], Body::Empty).await?;
            return output.show(&letter, || text_at(&letter, if english { "/english" } else { "/french" }));
        }
        Action::HandedOver { id } => {
            let letter = api.post(&["departures", &id, "letter", "handed-over"], Body::Empty).await?;
            return output.show(&letter, || sheet(&letter, HANDED_OVER));
        }
        Action::Deed { id, english } => {
            let deed = api.get(&["departures", &id, "deed"]).await?;
            return output.show(&deed, || text_at(&deed, if english { "/english" } else { "/french" }));
        }
        Action::Ask { id } => {
            let asked = api.post(&["departures", &id, "ask"], Body::Empty).await?;
            return output.show(&asked, || {
                format!(
                    "a second person of the département is asked: request {}",
                    text_at(&asked, "/countersignature")
                )
            });
        }
        Action::Decide { id } => (id, "decide", Body::Empty),
        Action::Withdraw { id } => (id, "withdraw", Body::Empty),
        Action::TakeBack { id } => (id, "take-back", Body::Empty),
        Action::Saved { id } => (id, "saved", Body::Empty),
        Action::Order { id } => (id, "order", Body::Empty),
        Action::TakeIn { id, reason } => (id, "take-in", Body::Json(json!({ "reason": reason }))),
        Action::Attest { id } => (id, "attest", Body::Empty),
        Action::LetGo { id, signed } => (id, "let-go", Body::Json(json!({ "countersignature": signed }))),
        Action::LeaveAgain { id } => (id, "leave-again", Body::Empty),
        Action::Release { id, release, lock } => {
            (id, "release", Body::Json(json!({ "release": release, "activation_lock": lock })))
        }
    };
    let answer = api.post(&["departures", &id, what], body).await?;
    if let Some(held) = answer.pointer("/held").and_then(Value::as_str) {
        output.note(&format!("waits for a second person of the département: request {held}"));
    }
    let shown = answer.pointer("/departure").unwrap_or(&answer);
    output.show(&answer, || sheet(shown, FIELDS))
}
