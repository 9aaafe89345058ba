//! `ardoise loan`: the light of a tablet, its handover, and what becomes of the loan.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::scanned::{self, OneScanned, Scanned};
use super::{Api, Body, Connection};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise loan ready DMPX00000001 --person PERSON          may it be handed over, and if not, why?
  ardoise loan hand-over DMPX00000001 PERSON --condition neuve --with chargeur --with coque
  ardoise loan list --under-reserve
  ardoise loan confiscate LOAN --reason \"refus de présenter la tablette\"
  ardoise loan restrict LOAN --until 2026-12-18
  ardoise loan deposit DMPX00000001 76-0002                 for the summer: nothing is erased
  ardoise loan deposit --file 3e-b.txt                      one serial number or label a line
  ardoise loan hand-out --file 3e-b.txt                     in September, to the same pupils
  ardoise loan letter LOAN --from guardians --dated 2027-02-01 --reference \"LR 1A 234\"
  ardoise loan year --csv > 2026-2027.csv                   the figures of the year, collège by collège";

/// What is done with loans.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// Who wrote.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Writer {
    /// The user.
    User,
    /// The guardians.
    Guardians,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show what the holder of a loan bears after incidents: what speaks against a donation, or keeps a tablet at school.
    Counterparts {
        /// The loan's id.
        loan: String,
    },
    /// Show the light of a tablet: ready, or not because of exactly what.
    Ready {
        /// The tablet's serial number, label or id.
        tablet: String,
        /// The person who would get it.
        #[arg(long)]
        person: Option<String>,
    },
    /// Hand a tablet over.
    HandOver {
        /// The tablet's serial number, label or id.
        tablet: String,
        /// The person's number.
        person: String,
        /// The state it is in.
        #[arg(long, value_name = "TEXT")]
        condition: String,
        /// An accessory that goes with it; may be repeated.
        #[arg(long = "with", value_name = "ACCESSORY")]
        accessories: Vec<String>,
        /// Sign, as the head, over what is not on it yet.
        #[arg(long)]
        under_reserve: bool,
    },
    /// Let a tablet be lent that is not supervised. Needs a code of the second factor.
    Except {
        /// The tablet's serial number, label or id.
        tablet: String,
        /// Why.
        #[arg(long, value_name = "TEXT", required_unless_present = "end")]
        reason: Option<String>,
        /// End the exception.
        #[arg(long, conflicts_with = "reason")]
        end: bool,
    },
    /// List loans that go on.
    List {
        /// Those that are over, too.
        #[arg(long)]
        all: bool,
        /// Only those under reserve.
        #[arg(long)]
        under_reserve: bool,
        /// Only those of this person.
        #[arg(long)]
        person: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show a loan.
    Show {
        /// The loan's id.
        loan: String,
    },
    /// Have the tablet confiscated, as the head: the loan rests, nothing is erased.
    Confiscate {
        /// The loan's id.
        loan: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Give it back to its holder.
    Resume {
        /// The loan's id.
        loan: String,
    },
    /// Take tablets in for the summer: the loans go on, nothing is erased.
    Deposit {
        #[command(flatten)]
        scanned: Scanned,
    },
    /// Hand them out again, each to the pupil whose it is.
    HandOut {
        #[command(flatten)]
        scanned: Scanned,
    },
    /// Restrict the use of the tablet from today until a day.
    Restrict {
        /// The loan's id.
        loan: String,
        /// The last day.
        #[arg(long, value_name = "DAY")]
        until: String,
    },
    /// Lift the restrictions of a loan.
    Lift {
        /// The loan's id.
        loan: String,
    },
    /// End a loan, for the département.
    End {
        /// The loan's id.
        loan: String,
        /// Why.
        #[arg(long, value_name = "TEXT", required_unless_present = "breach")]
        reason: Option<String>,
        /// For a breach of the conditions, which is not described.
        #[arg(long, conflicts_with = "reason")]
        breach: bool,
    },
    /// Record the registered letter that ends a loan.
    Letter {
        /// The loan's id.
        loan: String,
        /// Who wrote.
        #[arg(long)]
        from: Writer,
        /// Its date.
        #[arg(long, value_name = "DAY")]
        dated: String,
        /// Its reference.
        #[arg(long, value_name = "TEXT")]
        reference: String,
    },
    /// Take the tablet of a loan back, and hand over another to the same person, in one act.
    Swap {
        /// The loan's id.
        loan: String,
        /// The tablet that they get: its serial number, label or id.
        tablet: String,
        /// The state that it is in.
        #[arg(long, value_name = "TEXT")]
        condition: String,
        /// An accessory that goes with it; may be repeated.
        #[arg(long = "with", value_name = "ACCESSORY")]
        accessories: Vec<String>,
        /// Sign, as the head, over what is not on it yet.
        #[arg(long)]
        under_reserve: bool,
        /// The tablet that they give back, as it was scanned.
        #[arg(long, value_name = "TABLET")]
        back: String,
        /// The state that one is in.
        #[arg(long, value_name = "TEXT")]
        back_condition: String,
        /// What came with it; may be repeated.
        #[arg(long = "accessory", value_name = "NAME")]
        back_accessories: Vec<String>,
        /// They confirmed that their data on it is saved.
        #[arg(long)]
        saved: bool,
    },
    /// Show the figures of a school year, collège by collège: counts, never names.
    Year {
        /// The school year; today's, unless told.
        #[arg(long, value_name = "YEAR")]
        year: Option<String>,
        /// As CSV.
        #[arg(long, conflicts_with = "html")]
        csv: bool,
        /// As a page to print.
        #[arg(long)]
        html: bool,
    },
}

const COUNTERPARTS: &[Column] = &[
    ("incident", "/incident"),
    ("counterpart", "/counterpart"),
    ("cents", "/sum_cents"),
    ("paid", "/paid_on"),
    ("does", "/effect"),
];

const COLUMNS: &[Column] = &[
    ("loan", "/id"),
    ("tablet", "/serial"),
    ("label", "/asset_tag"),
    ("holder", "/name"),
    ("class", "/class"),
    ("number", "/number"),
    ("collège", "/uai"),
    ("stands", "/state"),
    ("may go", "/mode"),
    ("restricted until", "/restricted_until"),
    ("since", "/began_at"),
    ("reserve", "/reserve"),
];

const GONE: &[Column] = &[
    ("tablet", "/loan/serial"),
    ("label", "/loan/asset_tag"),
    ("holder", "/loan/name"),
    ("class", "/loan/class"),
    ("stands", "/loan/state"),
    ("before", "/already"),
    ("loan", "/loan/id"),
];

const FIELDS: &[Column] = &[
    ("loan", "/id"),
    ("tablet", "/serial"),
    ("label", "/asset_tag"),
    ("holder", "/name"),
    ("class", "/class"),
    ("number", "/number"),
    ("arrives", "/arrives_on"),
    ("what", "/holder_kind"),
    ("collège", "/uai"),
    ("year", "/school_year"),
    ("stands", "/state"),
    ("rests", "/suspension"),
    ("may go", "/mode"),
    ("restricted until", "/restricted_until"),
    ("began", "/began_at"),
    ("since", "/changed_at"),
    ("ended", "/ended_because"),
    ("on", "/ended_on"),
    ("accessories", "/accessories"),
    ("condition", "/condition"),
    ("reserve", "/reserve"),
];

const OBSTACLES: &[Column] =
    &[("rule", "/rule"), ("what stands in the way", "/why"), ("may be signed over", "/may_be_signed_over")];

const YEAR: &[Column] = &[
    ("collège", "/uai"),
    ("tablets", "/tablets"),
    ("managed", "/managed"),
    ("seen lately", "/seen_lately"),
    ("listed", "/listed"),
    ("lent", "/loans_begun"),
    ("go on", "/loans_going_on"),
    ("ended", "/loans_ended"),
    ("returns", "/returns"),
    ("in time", "/returns_on_time"),
    ("incidents", "/incidents"),
];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let (loan, what, body) = match arguments.action {
        Action::Counterparts { loan } => {
            let borne = api.get(&["loans", &loan, "counterparts"]).await?;
            return output.show(&borne, || table(borne.as_array().map_or(&[], Vec::as_slice), COUNTERPARTS));
        }
        Action::Ready { tablet, person } => {
            let query: Vec<(&str, &str)> = person.iter().map(|id| ("person", id.as_str())).collect();
            let light = api.get_with(&["tablets", &tablet, "readiness"], &query).await?;
            return output.show(&light, || light_in_words(&light));
        }
        Action::HandOver { tablet, person, condition, accessories, under_reserve } => {
            let new = json!({
                "person": person, "condition": condition, "accessories": accessories, "under_reserve": under_reserve,
            });
            let loan = api.post(&["tablets", &tablet, "loans"], Body::Json(new)).await?;
            return output.show(&loan, || sheet(&loan, FIELDS));
        }
        Action::Except { tablet, reason: Some(reason), .. } => {
            let path = ["tablets", &tablet, "supervision-exception"];
            let done = api.put(&path, Body::Json(json!({ "reason": reason }))).await?;
            return output.show(&done, || format!("tablet {tablet} may be lent without supervision"));
        }
        Action::Except { tablet, reason: None, .. } => {
            let done = api.delete(&["tablets", &tablet, "supervision-exception"]).await?;
            return output.show(&done, || format!("tablet {tablet} is excepted no more"));
        }
        Action::List { all, under_reserve, person, limit } => {
            let mut query: Vec<(&str, &str)> = person.iter().map(|id| ("person", id.as_str())).collect();
            query.extend(all.then_some(("all", "true")));
            query.extend(under_reserve.then_some(("under_reserve", "true")));
            let loans = Value::Array(api.list(&["loans"], &query, limit).await?);
            return output.show(&loans, || table(loans.as_array().map_or(&[], Vec::as_slice), COLUMNS));
        }
        Action::Show { loan } => {
            let loan = api.get(&["loans", &loan]).await?;
            return output.show(&loan, || sheet(&loan, FIELDS));
        }
        Action::Swap {
            loan,
            tablet,
            condition,
            accessories,
            under_reserve,
            back,
            back_condition,
            back_accessories,
            saved,
        } => {
            let body = json!({
                "instead": {
                    "tablet": tablet, "condition": condition, "accessories": accessories,
                    "under_reserve": under_reserve,
                },
                "back": {
                    "tablet": back, "condition": back_condition, "accessories": back_accessories, "saved": saved,
                },
            });
            let swapped = api.post(&["loans", &loan, "swap"], Body::Json(body)).await?;
            let lent = swapped.pointer("/loan").cloned().unwrap_or_default();
            return output.show(&swapped, || sheet(&lent, FIELDS));
        }
        Action::Year { year, csv, html } => {
            let query: Vec<(&str, &str)> = year.iter().map(|year| ("school_year", year.as_str())).collect();
            let path = ["year-report"];
            if csv {
                return output::print(api.get_text(&path, &query, "text/csv").await?.trim_end());
            }
            if html {
                return output::print(api.get_text(&path, &query, "text/html").await?.trim_end());
            }
            let lines = api.get_with(&path, &query).await?;
            return output.show(&lines, || table(lines.as_array().map_or(&[], Vec::as_slice), YEAR));
        }
        Action::Confiscate { loan, reason } => (loan, "confiscate", Some(json!({ "reason": reason }))),
        Action::Resume { loan } => (loan, "resume", None),
        Action::Deposit { scanned } => {
            let way = ("deposits", "taking tablets in");
            return in_a_row(&api, way, &scanned.read()?, output).await;
        }
        Action::HandOut { scanned } => {
            let way = ("hand-outs", "handing tablets out");
            return in_a_row(&api, way, &scanned.read()?, output).await;
        }
        Action::Restrict { loan, until } => (loan, "restrict", Some(json!({ "until": until }))),
        Action::Lift { loan } => (loan, "lift-restrictions", None),
        Action::End { loan, reason, breach } => {
            (loan, "end", Some(json!({ "reason": reason, "breach": breach })))
        }
        Action::Letter { loan, from, dated, reference } => {
            let from = match from {
                Writer::User => "user",
                Writer::Guardians => "guardians",
            };
            (loan, "letter", Some(json!({ "from": from, "dated": dated, "reference": reference })))
        }
    };
    let shown = api.post(&["loans", &loan, what], body.map_or(Body::Empty, Body::Json)).await?;
    output.show(&shown, || sheet(&shown, FIELDS))
}

/// Tablets that go over the counter for the summer, or after it.
async fn in_a_row(
    api: &Api,
    way: (&str, &'static str),
    named: &[OneScanned],
    output: Output,
) -> Result<(), Failure> {
    let mut gone = Vec::with_capacity(named.len());
    let body = |some: &[&str]| json!({ "tablets": some });
    let answered = |answer: Value| gone.extend(answer.as_array().cloned().unwrap_or_default());
    let sent = scanned::send(api, way, named, body, answered, output).await;
    // What went over the counter is shown, whatever stopped the others.
    let gone = Value::Array(gone);
    output.show(&gone, || table(gone.as_array().map_or(&[], Vec::as_slice), GONE))?;
    sent
}

fn light_in_words(light: &Value) -> String {
    let list = |key: &str| light.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut lines = Vec::new();
    if light.get("ready").and_then(Value::as_bool) == Some(true) {
        lines.push("ready".to_owned());
    } else {
        lines.push("not ready:".to_owned());
        lines.push(table(list("obstacles"), OBSTACLES));
    }
    for warning in list("warnings").iter().filter_map(Value::as_str) {
        lines.push(format!("not there yet, which only warns: {}", crate::table::printable(warning)));
    }
    lines.join("\n")
}
