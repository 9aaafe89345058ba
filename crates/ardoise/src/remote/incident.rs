//! `ardoise incident`: what happened to a tablet, its papers and their clocks, and lost mode.

mod former;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Api, Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Column;
use crate::words::{sheet, table};
use former::incident;

const EXAMPLES: &str = "\
  ardoise incident declare DMPX00000001 theft --noticed 2026-11-26T07:30:00Z
  ardoise incident list
  ardoise incident complaint INCIDENT --number 2026/1234 --dated 2026-11-26 --station \"Commissariat de Rouen\"
  ardoise incident correct INCIDENT complaint --reference 2026/1235 --dated 2026-11-26 --station \"Commissariat de Rouen\" \\
    --reason \"a digit was wrong\"
  ardoise incident correct-noticed INCIDENT --noticed 2026-11-25T16:00:00Z --reason \"it was the day before\"
  ardoise incident lost-mode INCIDENT --reason \"stolen on the bus\" --phone \"02 35 00 00 00\"
  ardoise incident propose-erasure INCIDENT --reason \"seen for sale\"
  ardoise incident find INCIDENT
  ardoise incident close INCIDENT";

/// What is done with incidents.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// What happened.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// It is lost.
    Loss,
    /// It was stolen.
    Theft,
    /// It is broken.
    Breakage,
    /// Someone damaged it.
    Damage,
    /// It does not work, and nobody broke it.
    Fault,
    /// Its access code is lost, or known to others.
    CompromisedCode,
    /// An authority that is competent asks for it.
    AuthorityRequest,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Theft => "theft",
            Self::Breakage => "breakage",
            Self::Damage => "damage",
            Self::Fault => "fault",
            Self::CompromisedCode => "compromised-code",
            Self::AuthorityRequest => "authority-request",
        }
    }
}

/// What was found on a tablet.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Found {
    /// Nothing that the user did.
    NothingOfTheUser,
    /// Shocks or scratches.
    ShockOrScratch,
    /// A repair by the user.
    RepairByTheUser,
}

impl Found {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NothingOfTheUser => "nothing-of-the-user",
            Self::ShockOrScratch => "shock-or-scratch",
            Self::RepairByTheUser => "repair-by-the-user",
        }
    }
}

/// What is attached to a replacement.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Attached {
    /// No donation at the end of 3e.
    NoDonation,
    /// A sum that the board has fixed.
    Sum,
    /// The replacement stays at school.
    StaysAtSchool,
}

impl Attached {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NoDonation => "no-donation",
            Self::Sum => "sum",
            Self::StaysAtSchool => "stays-at-school",
        }
    }
}

/// A paper of an incident.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Paper {
    /// The letter to the collège.
    Letter,
    /// The complaint about a theft.
    Complaint,
}

impl Paper {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Complaint => "complaint",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Declare what happened to a tablet of one's collège. Late is shown, never refused.
    Declare {
        /// The tablet's serial number, label or id.
        tablet: String,
        /// What happened.
        kind: Kind,
        /// When it was noticed, such as `2026-11-26T07:30:00Z`.
        #[arg(long, value_name = "INSTANT")]
        noticed: String,
        /// What happened, in words.
        #[arg(long, value_name = "TEXT")]
        circumstances: Option<String>,
        /// How the authority names its request.
        #[arg(long, value_name = "TEXT")]
        authority_reference: Option<String>,
    },
    /// List the incidents that are open, with the clocks of their papers.
    List {
        /// Those that are closed too.
        #[arg(long, conflicts_with = "to_confirm")]
        all: bool,
        /// Only those that wait to be confirmed, because the database was restored since they were opened.
        #[arg(long)]
        to_confirm: bool,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show an incident.
    Show {
        /// The incident's id.
        id: String,
    },
    /// Record the letter to the collège.
    Letter {
        /// The incident's id.
        id: String,
        /// Where the collège keeps it.
        #[arg(long, value_name = "TEXT")]
        reference: String,
        /// Its date.
        #[arg(long, value_name = "DAY")]
        dated: String,
    },
    /// Record the complaint about a theft.
    Complaint {
        /// The incident's id.
        id: String,
        /// Its number.
        #[arg(long, value_name = "TEXT")]
        number: String,
        /// Its date.
        #[arg(long, value_name = "DAY")]
        dated: String,
        /// The police or gendarmerie station.
        #[arg(long, value_name = "TEXT")]
        station: String,
    },
    /// Put right a letter or a complaint that was recorded wrongly; what was said before stays. A warrant that was firm because
    /// of it ends if it does not count any more.
    Correct {
        /// The incident's id.
        id: String,
        /// Which paper.
        paper: Paper,
        /// Where the collège keeps the letter, or the number of the complaint.
        #[arg(long, value_name = "TEXT")]
        reference: String,
        /// Its date.
        #[arg(long, value_name = "DAY")]
        dated: String,
        /// The police or gendarmerie station, of a complaint.
        #[arg(long, value_name = "TEXT")]
        station: Option<String>,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Put right when it was noticed; what was said before stays, and the clocks of its papers follow.
    CorrectNoticed {
        /// The incident's id.
        id: String,
        /// When it was noticed in truth, such as `2026-11-26T07:30:00Z`.
        #[arg(long, value_name = "INSTANT")]
        noticed: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take back a letter or a complaint that was recorded and that there is not; what was said before stays.
    TakeBack {
        /// The incident's id.
        id: String,
        /// Which paper.
        paper: Paper,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take it up.
    TakeUp {
        /// The incident's id.
        id: String,
    },
    /// Say that the tablet was found: nobody locates it any more.
    Find {
        /// The incident's id.
        id: String,
    },
    /// Give the search up.
    GiveUp {
        /// The incident's id.
        id: String,
    },
    /// Close it: what rests on it ends, and lost mode is turned off.
    Close {
        /// The incident's id.
        id: String,
    },
    /// Go on from one that was closed too soon.
    Reopen {
        /// The incident's id.
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Put its tablet in lost mode. Needs a code of the second factor.
    LostMode {
        /// The incident's id.
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// What the tablet shows; the département's own words unless told.
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
        /// A phone number that it shows.
        #[arg(long, value_name = "NUMBER")]
        phone: Option<String>,
        /// The text at the bottom.
        #[arg(long, value_name = "TEXT")]
        footnote: Option<String>,
    },
    /// Say that it still stands after a restore: nothing new rests on it before.
    Confirm {
        /// The incident's id.
        id: String,
    },
    /// Record what was found on the tablet: whether the warranty covers it follows from that.
    Warranty {
        /// The incident's id.
        id: String,
        /// What was found.
        finding: Found,
    },
    /// Record how the supplier names the repair, and which tablet came back.
    Supplier {
        /// The incident's id.
        id: String,
        /// How the supplier names it.
        #[arg(long, value_name = "TEXT")]
        reference: String,
        /// The serial number of the tablet that came back instead.
        #[arg(long, value_name = "SERIAL")]
        exchanged: Option<String>,
    },
    /// Decide, as the head, whether there is a replacement, and what is attached to it.
    Replace {
        /// The incident's id.
        id: String,
        /// There is one; without this, there is none.
        #[arg(long)]
        granted: bool,
        /// What is attached to it.
        #[arg(long, requires = "granted")]
        counterpart: Option<Attached>,
        /// The sum, in cents.
        #[arg(long, value_name = "CENTS", requires = "counterpart")]
        cents: Option<u32>,
        /// When the board fixed the sum.
        #[arg(long, value_name = "DAY", requires = "counterpart")]
        fixed_on: Option<String>,
    },
    /// Record that the sum of a counterpart was paid.
    Pay {
        /// The incident's id.
        id: String,
        /// When.
        #[arg(long, value_name = "DAY")]
        on: String,
    },
    /// Propose, as the head, that the stolen tablet is erased wherever it is; the département decides by its answer. Needs a
    /// code of the second factor.
    ProposeErasure {
        /// The incident's id.
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Have the stolen tablet erased again, as head and département decided. Needs a code of the second factor.
    Erase {
        /// The incident's id.
        id: String,
    },
    /// Take back that the stolen tablet is erased.
    KeepData {
        /// The incident's id.
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make its tablet, in lost mode, sound. Needs a code of the second factor.
    Sound {
        /// The incident's id.
        id: String,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("tablet", "/serial"),
    ("collège", "/uai"),
    ("what", "/kind"),
    ("stands", "/state"),
    ("declared", "/declared_at"),
    ("paper", "/papers/0/paper"),
    ("due", "/papers/0/due_at"),
    ("is", "/papers/0/standing"),
    ("lost mode", "/lost_mode/state"),
];

const FIELDS: &[Column] = &[
    ("id", "/id"),
    ("tablet", "/serial"),
    ("collège", "/uai"),
    ("what", "/kind"),
    ("stands", "/state"),
    ("noticed", "/noticed_at"),
    ("declared", "/declared_at"),
    ("declared by", "/declared_by_name"),
    ("open since", "/opened_at"),
    ("goes on from", "/reopens"),
    ("goes on in", "/goes_on_in"),
    ("authority", "/authority_reference"),
    ("paper", "/papers/0/paper"),
    ("due", "/papers/0/due_at"),
    ("is", "/papers/0/standing"),
    ("dated", "/papers/0/dated"),
    ("reference", "/papers/0/reference"),
    ("paper", "/papers/1/paper"),
    ("due", "/papers/1/due_at"),
    ("is", "/papers/1/standing"),
    ("dated", "/papers/1/dated"),
    ("reference", "/papers/1/reference"),
    ("circumstances", "/circumstances"),
    ("lost mode", "/lost_mode/state"),
    ("since", "/lost_mode/since"),
    ("to confirm", "/to_confirm"),
    ("warranty", "/warranty"),
    ("supplier", "/supplier_reference"),
    ("came back", "/exchanged_serial"),
    ("replacement", "/replacement/granted"),
    ("counterpart", "/replacement/counterpart"),
    ("paid", "/replacement/paid_on"),
    ("erasure", "/erasure/state"),
    ("waits for", "/erasure/waits_for"),
];

/// What was said before, one sentence on each line.
const FORMER: &[Column] = &[("noticed, as was said", "/formerly_noticed"), ("put right", "/former_papers")];

const ASKED: &[Column] = &[("tablet", "/tablet"), ("waits for", "/held")];
const PROPOSED: &[Column] = &[("the département answers", "/countersignature")];
const SOUND: &[Column] = &[("command", "/command")];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let (path, body): (Vec<String>, Value) = match arguments.action {
        Action::List { all, to_confirm, limit } => {
            let wanted: &[(&str, &str)] = match (all, to_confirm) {
                (_, true) => &[("to_confirm", "true")],
                (true, false) => &[("all", "true")],
                (false, false) => &[],
            };
            let listed = Value::Array(api.list(&["incidents"], wanted, limit).await?);
            return output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS));
        }
        Action::Show { id } => {
            let shown = api.get(&["incidents", &id]).await?;
            return output.show(&shown, || incident(&shown));
        }
        Action::LostMode { id, reason, message, phone, footnote } => {
            let wanted =
                json!({ "reason": reason, "message": message, "phone": phone, "footnote": footnote });
            let asked = api.post(&["incidents", &id, "lost-mode"], Body::Json(wanted)).await?;
            return output.show(&asked, || sheet(&asked, ASKED));
        }
        Action::ProposeErasure { id, reason } => {
            let body = Body::Json(json!({ "reason": reason }));
            let asked = api.post(&["incidents", &id, "erasure"], body).await?;
            return output.show(&asked, || sheet(&asked, PROPOSED));
        }
        Action::Erase { id } => {
            let shown = api.post(&["incidents", &id, "erasure", "repeat"], Body::Empty).await?;
            return output.show(&shown, || incident(&shown));
        }
        Action::KeepData { id, reason } => {
            let body = Body::Json(json!({ "reason": reason }));
            let shown = api.post(&["incidents", &id, "erasure", "take-back"], body).await?;
            return output.show(&shown, || incident(&shown));
        }
        Action::Sound { id } => {
            let asked = api.post(&["incidents", &id, "sound"], Body::Empty).await?;
            return output.show(&asked, || sheet(&asked, SOUND));
        }
        Action::Confirm { id } => {
            let shown = api.post(&["incidents", &id, "confirm"], Body::Empty).await?;
            return output.show(&shown, || incident(&shown));
        }
        Action::Warranty { id, finding } => {
            return put(&api, &id, "warranty", json!({ "finding": finding.as_str() }), output).await;
        }
        Action::Supplier { id, reference, exchanged } => {
            let body = json!({ "reference": reference, "exchanged_serial": exchanged });
            return put(&api, &id, "supplier", body, output).await;
        }
        Action::Replace { id, granted, counterpart, cents, fixed_on } => {
            let body = json!({
                "granted": granted,
                "counterpart": counterpart.map(Attached::as_str),
                "sum_cents": cents,
                "fixed_on": fixed_on,
            });
            return put(&api, &id, "replacement", body, output).await;
        }
        Action::Pay { id, on } => (of(id, "payment"), json!({ "paid_on": on })),
        Action::Declare { tablet, kind, noticed, circumstances, authority_reference } => (
            vec!["tablets".to_owned(), tablet, "incidents".to_owned()],
            json!({
                "kind": kind.as_str(),
                "noticed_at": noticed,
                "circumstances": circumstances,
                "authority_reference": authority_reference,
            }),
        ),
        Action::Letter { id, reference, dated } => {
            (of(id, "letter"), json!({ "reference": reference, "dated": dated }))
        }
        Action::Complaint { id, number, dated, station } => {
            (of(id, "complaint"), json!({ "number": number, "dated": dated, "station": station }))
        }
        Action::Correct { id, paper, reference, dated, station, reason } => (
            of(id, "papers").into_iter().chain(["correct".to_owned()]).collect(),
            json!({
                "paper": paper.as_str(), "reference": reference, "dated": dated, "station": station, "reason": reason,
            }),
        ),
        Action::CorrectNoticed { id, noticed, reason } => {
            (of(id, "noticed"), json!({ "noticed_at": noticed, "reason": reason }))
        }
        Action::TakeBack { id, paper, reason } => (
            of(id, "papers").into_iter().chain(["take-back".to_owned()]).collect(),
            json!({ "paper": paper.as_str(), "reason": reason }),
        ),
        Action::TakeUp { id } => (of(id, "steps"), json!({ "step": "take-up" })),
        Action::Find { id } => (of(id, "steps"), json!({ "step": "find" })),
        Action::GiveUp { id } => (of(id, "steps"), json!({ "step": "give-up" })),
        Action::Close { id } => (of(id, "steps"), json!({ "step": "close" })),
        Action::Reopen { id, reason } => (of(id, "reopen"), json!({ "reason": reason })),
    };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let shown = api.post(&path, Body::Json(body)).await?;
    output.show(&shown, || incident(&shown))
}

async fn put(api: &Api, id: &str, what: &str, body: Value, output: Output) -> Result<(), Failure> {
    let shown = api.put(&["incidents", id, what], Body::Json(body)).await?;
    output.show(&shown, || incident(&shown))
}

fn of(id: String, what: &str) -> Vec<String> {
    vec!["incidents".to_owned(), id, what.to_owned()]
}
