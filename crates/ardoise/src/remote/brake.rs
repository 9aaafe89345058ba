//! `ardoise brake`, `ardoise unenrol`, `ardoise campaign`: what destroys, what holds it back, and what stops it.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise brake show
  ardoise brake engage \"a stolen session\"           everything destructive stops, at once
  ardoise brake ask-release \"it is over\"            then a second person signs, then:
  ardoise brake release COUNTERSIGNATURE
  ardoise brake drill --what unenrolment --acts 13000  what would be stopped; nothing is done
  ardoise brake acts --state held
  ardoise brake let-go COUNTERSIGNATURE               what a second person has signed for";

/// What is done with the brake.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// What an act would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// A tablet that was given back is erased.
    Restitution,
    /// A tablet is erased for any other reason.
    Erasure,
    /// A tablet is put in lost mode.
    LostMode,
    /// A tablet leaves management.
    Unenrolment,
}

impl What {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Restitution => "restitution",
            Self::Erasure => "erasure",
            Self::LostMode => "lost-mode",
            Self::Unenrolment => "unenrolment",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The switch, today’s budgets, and what was used of them.
    Show,
    /// Throw the switch: nothing is erased, put in lost mode or unenrolled from now on, queued or not.
    Engage {
        /// Why.
        reason: String,
    },
    /// Ask a second person that the switch be released.
    AskRelease {
        /// Why.
        reason: String,
    },
    /// Release the switch, once a second person signed.
    Release {
        /// The countersignature.
        countersignature: String,
    },
    /// Play acts through and see what the brake would do with them. Nothing is done.
    Drill {
        /// What each act would do.
        #[arg(long, value_enum, default_value_t = What::Erasure)]
        what: What,
        /// How many acts, one after the other.
        #[arg(long, value_name = "N")]
        acts: u32,
        /// The UAI of the tablets’ collège; tablets of no collège unless told.
        #[arg(long, value_name = "UAI")]
        uai: Option<String>,
        /// Whose acts they would be, by account; yours unless told.
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
    },
    /// The acts that destroy, the newest first.
    Acts {
        /// Only those in this state: counted, held, released or void.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Let go exactly what a second person signed for: all of it, or nothing.
    LetGo {
        /// The countersignature.
        countersignature: String,
    },
}

const SHOWN: &[Column] = &[
    ("stopped", "/switch/engaged"),
    ("since", "/switch/since"),
    ("by", "/switch/by"),
    ("reason", "/switch/reason"),
    ("day", "/day"),
    ("budget of an account", "/budget_of_an_account"),
    ("budget of a collège", "/budget_of_a_college"),
    ("budget of the fleet", "/budget_of_the_fleet"),
    ("you used", "/own"),
    ("collèges", "/colleges"),
    ("accounts", "/accounts"),
];

const SWITCH: &[Column] =
    &[("stopped", "/engaged"), ("since", "/since"), ("by", "/by"), ("reason", "/reason")];

const ASKED: &[Column] = &[("waits for a second person", "/countersignature")];

const DRILLED: &[Column] = &[
    ("would go within the budgets", "/within_budgets"),
    ("would go under a campaign", "/under_campaigns"),
    ("would wait for a second person", "/held"),
    ("would be stopped by the switch", "/stopped"),
];

const ACTS: &[Column] = &[
    ("id", "/id"),
    ("kind", "/kind"),
    ("state", "/state"),
    ("at", "/at"),
    ("by", "/actor"),
    ("collège", "/uai"),
    ("tablet", "/tablet_id"),
    ("countersignature", "/countersignature"),
];

/// Shows, stops, lets go.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let reason = |reason: String| Body::Json(json!({ "reason": reason }));
    let signed = |id: String| Body::Json(json!({ "countersignature": id }));
    match arguments.action {
        Action::Show => {
            let brake = api.get(&["brake"]).await?;
            output.show(&brake, || sheet(&brake, SHOWN))
        }
        Action::Engage { reason: why } => {
            let switch = api.post(&["brake", "engage"], reason(why)).await?;
            output.show(&switch, || sheet(&switch, SWITCH))
        }
        Action::AskRelease { reason: why } => {
            let asked = api.post(&["brake", "ask-release"], reason(why)).await?;
            output.show(&asked, || sheet(&asked, ASKED))
        }
        Action::Release { countersignature } => {
            let done = api.post(&["brake", "release"], signed(countersignature)).await?;
            output.show(&done, || "the switch is released; what was queued goes on".to_owned())
        }
        Action::Drill { what, acts, uai, account } => {
            let acts = acts.to_string();
            let mut query = vec![("what", what.as_str()), ("acts", acts.as_str())];
            query.extend(uai.as_deref().map(|uai| ("uai", uai)));
            query.extend(account.as_deref().map(|account| ("account", account)));
            let drilled = api.get_with(&["brake", "drill"], &query).await?;
            output.show(&drilled, || sheet(&drilled, DRILLED))
        }
        Action::Acts { state, limit } => {
            let query: Vec<(&str, &str)> =
                state.as_deref().map(|state| ("state", state)).into_iter().collect();
            let acts = Value::Array(api.list(&["brake", "acts"], &query, Some(limit)).await?);
            output.show(&acts, || table(acts.as_array().map_or(&[], Vec::as_slice), ACTS))
        }
        Action::LetGo { countersignature } => {
            let released = api.post(&["brake", "let-go"], signed(countersignature)).await?;
            output.show(&released, || sheet(&released, &[("acts that go", "/acts")]))
        }
    }
}

const UNENROL_EXAMPLES: &str = "\
  ardoise unenrol DMPXK1ABCD12 --reason \"given back, out of order\"
  ardoise unenrol --file serials.txt --reason \"sold\"      one tablet in each line: all of them leave, or none

It needs a code of your second factor: `ardoise step-up`, or `--code`. Above the budgets of the day, all of them wait
for a second person.";

/// Which tablets leave management.
#[derive(Debug, Args)]
#[command(after_help = UNENROL_EXAMPLES)]
pub(crate) struct Unenrol {
    /// Ids or serial numbers.
    #[arg(value_name = "TABLET", required_unless_present = "file")]
    tablets: Vec<String>,
    /// A file with one id or serial number in each line.
    #[arg(long, value_name = "FILE")]
    file: Option<std::path::PathBuf>,
    /// Why: it is recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    connection: Connection,
}

/// Decides that tablets leave management.
pub(crate) async fn unenrol(arguments: Unenrol, output: Output) -> Result<(), Failure> {
    let mut tablets = arguments.tablets;
    if let Some(file) = &arguments.file {
        let text = std::fs::read_to_string(file).map_err(Failure::reading(file))?;
        tablets.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    let body = Body::Json(json!({ "tablets": tablets, "reason": arguments.reason }));
    let decided = arguments.connection.open()?.post(&["unenrolments"], body).await?;
    output.show(&decided, || match decided.get("held").and_then(Value::as_str) {
        Some(held) => format!(
            "{} tablet(s) wait for a second person: countersignature {held}\nOnce it is signed: `ardoise brake let-go {held}`",
            tablets.len()
        ),
        None => format!("{} tablet(s) are being told that they leave", tablets.len()),
    })
}

const CAMPAIGN_EXAMPLES: &str = "\
  ardoise campaign ask --colleges 0761234A,0767777B --from 2027-06-21 --to 2027-07-02 --ceiling 600 --reason \"end of year\"
  ardoise campaign open COUNTERSIGNATURE --colleges … (the same words)
  ardoise campaign list";

/// What is done with campaigns.
#[derive(Debug, Args)]
#[command(after_help = CAMPAIGN_EXAMPLES)]
pub(crate) struct Campaigns {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: CampaignAction,
}

/// A campaign of restitutions.
#[derive(Debug, Args)]
struct Plan {
    /// The UAI codes of its collèges, separated by commas.
    #[arg(long, value_name = "UAI,…", value_delimiter = ',', required = true)]
    colleges: Vec<String>,
    /// Its first day.
    #[arg(long, value_name = "DAY")]
    from: String,
    /// Its last day, at most 31 days later.
    #[arg(long, value_name = "DAY")]
    to: String,
    /// How many restitutions it lets pass.
    #[arg(long, value_name = "N")]
    ceiling: u32,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Plan {
    fn json(&self) -> Value {
        json!({
            "colleges": self.colleges, "starts_on": self.from, "ends_on": self.to, "ceiling": self.ceiling,
            "reason": self.reason,
        })
    }
}

#[derive(Debug, Subcommand)]
enum CampaignAction {
    /// Every campaign, the newest first.
    List,
    /// Ask a second person whether a campaign may be opened.
    Ask {
        #[command(flatten)]
        plan: Plan,
    },
    /// Open the campaign that a second person signed: exactly that one.
    Open {
        /// The countersignature.
        countersignature: String,
        #[command(flatten)]
        plan: Plan,
    },
    /// End a campaign, at once and for good.
    End {
        /// The campaign’s id.
        id: String,
    },
}

const CAMPAIGNS: &[Column] = &[
    ("id", "/id"),
    ("collèges", "/colleges"),
    ("from", "/starts_on"),
    ("to", "/ends_on"),
    ("ceiling", "/ceiling"),
    ("used", "/used"),
    ("reason", "/reason"),
];

/// Asks for, opens, lists and ends campaigns.
pub(crate) async fn campaigns(arguments: Campaigns, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        CampaignAction::List => {
            let campaigns = Value::Array(api.list(&["campaigns"], &[], None).await?);
            output.show(&campaigns, || table(campaigns.as_array().map_or(&[], Vec::as_slice), CAMPAIGNS))
        }
        CampaignAction::Ask { plan } => {
            let asked = api.post(&["campaigns", "ask"], Body::Json(plan.json())).await?;
            output.show(&asked, || sheet(&asked, ASKED))
        }
        CampaignAction::Open { countersignature, plan } => {
            let body = json!({ "plan": plan.json(), "countersignature": countersignature });
            let opened = api.post(&["campaigns"], Body::Json(body)).await?;
            output.show(&opened, || sheet(&opened, CAMPAIGNS))
        }
        CampaignAction::End { id } => {
            let done = api.delete(&["campaigns", &id]).await?;
            output.show(&done, || format!("campaign {id} is over"))
        }
    }
}
