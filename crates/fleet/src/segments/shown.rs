//! What people see: how each rule stands on a tablet, and how segments stand.

use apple::OsVersion;
use governance::Permission;
use profiles::segment::{Known, RuleState, rules};
use store::segments::Counted;
use store::{deliveries, enrolments, segments};
use types::{Instant, SegmentId};

use crate::page::{Listed, Page};
use crate::tablets::{self, Named};
use crate::{Fleet, Principal, Refusal};

/// How the rules of one tablet stand.
#[derive(Debug, Clone, PartialEq)]
pub struct TabletRules {
    /// The segment it is in; `None` if it is not enrolled, has not said what it is, or nothing is in force.
    pub segment: Option<SegmentId>,
    /// The class of tablets that segment is for.
    pub class: Option<String>,
    /// Whether everything was delivered.
    pub delivered: bool,
    /// When it is looked at again.
    pub due_at: Option<Instant>,
    /// Every rule.
    pub rules: Vec<RuleLine>,
}

/// How one rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleLine {
    /// The rule, as a layer speaks of it.
    pub rule: String,
    /// `applied`, `requested`, `failed` or `unsupported`.
    pub state: &'static str,
    /// Why it failed, or is not supported, in English or in the tablet's words.
    pub why: Option<String>,
    /// Why it is not supported, in French.
    pub why_french: Option<String>,
    /// When the tablet told what this rests on.
    pub observed_at: Option<Instant>,
}

/// How the rules of a tablet stand.
///
/// # Errors
/// [`Refusal::NotFound`] for the tablet.
pub async fn rules_of(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    now: Instant,
) -> Result<TabletRules, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let tablet = tablets::reached(tx, &principal, Permission::ViewTablets, &named, now)?;
            let nothing =
                TabletRules { segment: None, class: None, delivered: false, due_at: None, rules: Vec::new() };
            let Some(enrolment) = enrolments::live_of_tablet(tx, tablet.id)? else { return Ok(nothing) };
            let Some(segment) = segments::of_enrolment(tx, enrolment.id)? else { return Ok(nothing) };
            let delivery = deliveries::get(tx, enrolment.id)?;
            let known =
                delivery.as_ref().map_or_else(|| Ok(Known::default()), |delivery| delivery.known())?;
            let version =
                enrolment.os_version.as_deref().and_then(|version| version.parse::<OsVersion>().ok());
            let rules = rules(&segment.plan()?, &known, version);
            Ok(TabletRules {
                delivered: enrolment.reported_token.as_deref() == Some(segment.token.as_str()),
                segment: Some(segment.id),
                class: Some(segment.class),
                due_at: delivery.and_then(|delivery| delivery.due_at),
                rules: rules
                    .into_iter()
                    .map(|rule| RuleLine {
                        rule: rule.what,
                        state: rule.state.code(),
                        why: match &rule.state {
                            RuleState::Failed(why) => Some(why.clone()),
                            RuleState::Unsupported { english, .. } => Some(english.clone()),
                            RuleState::Applied | RuleState::Requested => None,
                        },
                        why_french: match rule.state {
                            RuleState::Unsupported { french, .. } => Some(french),
                            _ => None,
                        },
                        observed_at: rule.observed_at,
                    })
                    .collect(),
            })
        })
        .await
}

/// How a segment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentLine {
    /// The segment.
    pub id: SegmentId,
    /// The class of tablets it is for.
    pub class: String,
    /// Its tablets within reach.
    pub tablets: u64,
    /// Those to which everything was delivered.
    pub delivered: u64,
    /// The rules that its class of tablets does not do, and why.
    pub unsupported: Vec<(String, String)>,
}

/// What a list of segments shows.
pub type Shown = Listed<SegmentLine>;

/// The segments that have tablets within reach.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<SegmentId>,
    now: Instant,
) -> Result<Shown, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewTablets, now)?;
            let rows = segments::counted(tx, &within, page.after, page.with_one_more())?;
            let lines = rows.into_iter().map(line).collect::<Result<Vec<_>, Refusal>>()?;
            Ok(page.cut(lines, |line| line.id.to_string()))
        })
        .await
}

fn line(counted: Counted) -> Result<SegmentLine, Refusal> {
    use profiles::segment::Carrier;
    let plan = counted.segment.plan()?;
    let unsupported = plan.rules.into_iter().filter_map(|rule| match rule.carrier {
        Carrier::Unsupported { english, .. } => Some((rule.what, english)),
        _ => None,
    });
    Ok(SegmentLine {
        id: counted.segment.id,
        class: counted.segment.class,
        tablets: counted.tablets,
        delivered: counted.delivered,
        unsupported: unsupported.collect(),
    })
}

/// The rules that tablets within reach refuse, and how many.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn failing(
    fleet: &Fleet,
    principal: &Principal,
    now: Instant,
) -> Result<Vec<deliveries::Failing>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewTablets, now)?;
            Ok(deliveries::failing(tx, &within)?)
        })
        .await
}
