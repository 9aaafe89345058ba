//! Donations and retirements (C5.1.2): facts are shown, persons decide, and what cannot be undone comes last, with a second
//! person.
//!
//! | file | what it does |
//! |---|---|
//! | [`decisions`] | the facts, and the decision: proposed by the head, taken by the département |
//! | [`notices`] | the letter to the pupil, before their tablet is erased |
//! | [`way_out`] | the erasure, by an order that rests on the decision |
//! | [`release`] | what cannot be undone: management, accounts, activation lock; the deed |

pub mod decisions;
pub mod notices;
pub mod release;
pub mod way_out;

use std::collections::{HashMap, HashSet};

use ::lending::departure::Way;
use governance::Permission;
use serde_json::{Value, json};
use store::departures::{self as ways, Departure};
use store::last_decisions::{self as rows, LastDecision};
use store::tablets::Tablet;
use store::{StoreError, Tx, enrolments, tablets};
use types::{Instant, LastDecisionId, TabletId};

use crate::audit::{self, Change};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// A decision, and how far it was carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The decision.
    pub decision: LastDecision,
    /// Its tablet.
    pub tablet: Tablet,
    /// How far it was carried out, once it is in force.
    pub departure: Option<Departure>,
    /// How far that is, in a word: `proposed`, `withdrawn`, or that of [`Way`].
    pub way: &'static str,
    /// Whether the tablet is managed.
    pub managed: bool,
}

/// Decisions on tablets within reach, in the order they were begun: those that are not over, or all.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    all: bool,
    page: Page<LastDecisionId>,
    now: Instant,
) -> Result<Listed<Case>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewRestitutions, now)?;
            let found = rows::list(tx, &within, all, page.after, page.with_one_more())?;
            let Listed { items, next } = page.cut(found, |row| row.id.to_string());
            Ok(Listed { items: cases(tx, items)?, next })
        })
        .await
}

/// One decision.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<Case, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let (row, _tablet) = reached(tx, &principal, Permission::ViewRestitutions, id, now)?;
            case(tx, row)
        })
        .await
}

/// Passes a tablet that is ours: one that was given away or retired is not admitted again, whoever asks for it, before somebody
/// takes it into the inventory again (C3.3.4, C5.1.2). Says why it is not.
pub(crate) fn is_ours(tx: &mut Tx<'_>, tablet: &Tablet) -> Result<Result<(), String>, StoreError> {
    let gone = ways::gone(tx, [tablet.id])?.contains(&tablet.id);
    Ok(if gone { Err(not_ours(tablet)) } else { Ok(()) })
}

fn not_ours(tablet: &Tablet) -> String {
    format!(
        "tablet {} was given away or retired: the département takes it into the inventory again first",
        tablet.serial
    )
}

fn case(tx: &mut Tx<'_>, decision: LastDecision) -> Result<Case, Refusal> {
    let id = decision.id;
    cases(tx, vec![decision])?.pop().ok_or_else(|| Refusal::Internal(format!("decision {id} is not shown")))
}

/// Decisions, and how far each was carried out, gathered by one statement for each kind of row.
fn cases(tx: &mut Tx<'_>, decisions: Vec<LastDecision>) -> Result<Vec<Case>, Refusal> {
    let on = || decisions.iter().map(|row| row.tablet_id);
    let tablets = crate::tablets::all(tx, on())?;
    let live = enrolments::live_of_tablets(tx, on())?;
    let managed: HashSet<TabletId> = live.into_iter().filter_map(|enrolment| enrolment.tablet_id).collect();
    let ways = ways::get_all(tx, decisions.iter().map(|row| row.id))?;
    let mut ways: HashMap<LastDecisionId, Departure> =
        ways.into_iter().map(|way| (way.decision_id, way)).collect();
    decisions
        .into_iter()
        .map(|decision| {
            let tablet = crate::tablets::of(&tablets, decision.tablet_id)?.clone();
            let departure = ways.remove(&decision.id);
            let way = match &departure {
                _ if decision.withdrawn_at.is_some() => "withdrawn",
                None => "proposed",
                Some(departure) => departure.decided()?.way().as_str(),
            };
            Ok(Case { managed: managed.contains(&tablet.id), decision, tablet, departure, way })
        })
        .collect()
}

fn of(tx: &mut Tx<'_>, decision: &LastDecision) -> Result<Tablet, Refusal> {
    tablets::get(tx, &decision.tablet_id)?
        .ok_or_else(|| Refusal::Internal(format!("decision {} is about no tablet", decision.id)))
}

/// The decision, for whoever has this right over its tablet; to others it does not exist (T-C1). A theft is the matter of its
/// incident.
fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: LastDecisionId,
    now: Instant,
) -> Result<(LastDecision, Tablet), Refusal> {
    let reach = principal.may(tx, permission, now)?;
    let not_found = || Refusal::not_found("decision", id);
    let row = rows::get(tx, &id)?.filter(|row| row.incident_id.is_none()).ok_or_else(not_found)?;
    let tablet = of(tx, &row)?;
    if reach.covers(&crate::tablets::place(&tablet)) { Ok((row, tablet)) } else { Err(not_found()) }
}

/// How far a decision that is in force was carried out.
fn departure(tx: &mut Tx<'_>, decision: &LastDecision) -> Result<Departure, Refusal> {
    ways::get(tx, &decision.id)?.filter(|_| decision.withdrawn_at.is_none()).ok_or_else(|| {
        Refusal::Conflict(format!(
            "decision {} is not in force: a signature is missing, or it was taken back",
            decision.id
        ))
    })
}

/// Whether a tablet that was erased on its way out is still on it.
fn is_erased(way: Way) -> bool {
    matches!(way, Way::Erased { .. } | Way::LetGo | Way::Released | Way::TakenIn)
}

fn record(
    tx: &mut Tx<'_>,
    principal: &Principal,
    action: &'static str,
    row: &LastDecision,
    more: Value,
    now: Instant,
) -> Result<(), Refusal> {
    let mut detail = json!({ "decision": row.id, "kind": row.kind, "loan": row.loan_id });
    if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
        detail.extend(more);
    }
    audit::record(tx, principal, Change::new(action).tablet(Some(row.tablet_id)).detail(detail), now)
}
