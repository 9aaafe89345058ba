//! A stolen tablet is erased wherever it is, because its head and the département both decide it (M3).
//!
//! The head proposes; somebody of the département answers as the second person, and that answer is the decision: counted by
//! the brake against them, and followed by an [`EraseOrder`](lending::EraseOrder) at once. It is looked at again whenever it
//! is carried out: a tablet that was found, an incident that is over, a check or an authority's request keeps what is on it.
//!
//! What was said of an erased tablet ends with it: warrants end, for it tells nobody where it is any more, and it is in no
//! lost mode. Should it enrol again while its incident is open, lost mode comes back as for any tablet.

use governance::Permission;
use governance::brake::What;
use governance::countersignature::{
    Asked as Countersignature, Content, CountersignatureState, Purpose, Question, SecondPerson, Subject,
};
use incidents::{Incident, LostModeState};
use lending::last_decision::{About, LastDecision as Decided, LastKind};
use lending::notice::Told;
use lending::{EraseTerms, Grounds, NewOrder, Reason, grant};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::commands::{self, CommandState};
use store::countersignatures::Answer;
use store::destructions::{self, DestructionState};
use store::erase_orders::{self, EraseOrder};
use store::last_decisions::{self, LastDecision};
use store::warrants::OrderState;
use store::{Tx, incident_hands, loans, lost_modes, restitutions};
use types::{
    AccountId, Actor, CountersignatureId, DestructionKind, EraseOrderId, IncidentId, Instant, LastDecisionId,
    LoanId, TabletId, text_enum,
};

use super::declare::again;
use super::{LONGEST_REASON, confirm, reached, text, warrants};
use crate::audit::{self, Change};
use crate::brake::{self, Deed, Judged, judge};
use crate::coming_in::Person;
use crate::countersignatures::{self, Use};
use crate::lending::orders;
use crate::lending::refusals::not_erased;
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal};

text_enum! {
    /// How far the erasure of a stolen tablet has come.
    ErasureState: "state of an erasure" {
        /// The head proposes it, and the département is asked.
        Proposed = "proposed",
        /// Both decided it, and no order stands: the brake holds it, or its order ran out.
        Decided = "decided",
        /// Its order stands, and the tablet has not come for it.
        Ordered = "ordered",
        /// The tablet was given the command.
        Delivered = "delivered",
        /// The tablet said that it could not.
        Failed = "failed",
        /// The tablet said that it erases itself.
        Acknowledged = "acknowledged",
        /// It was refused, taken back, or fell when the tablet was found or the incident closed.
        CalledOff = "called-off",
    }
}

/// The erasure of a stolen tablet, as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Erasure {
    /// What was proposed and decided.
    pub decision: LastDecision,
    /// How far it has come.
    pub state: ErasureState,
    /// The answer that it waits for: the département's, or that of a second person above the budgets of the day (M5).
    pub waits_for: Option<CountersignatureId>,
    /// Its last order.
    pub order: Option<EraseOrder>,
}

/// What the département signs, word for word.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    decision: LastDecisionId,
    incident: IncidentId,
    serial: String,
    loan: Option<LoanId>,
}

/// Proposes, as the head, that a stolen tablet is erased. What could not be ordered now, were the département to say yes, is
/// not even asked.
///
/// # Errors
/// [`Refusal::Forbidden`] says which rule; [`Refusal::Conflict`] if it was proposed or decided before;
/// [`Refusal::NotFound`] for an incident out of reach.
pub async fn propose(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    reason: &str,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let why: Reason = reason.parse().map_err(|error| Refusal::invalid("reason", error))?;
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::ProposeErasure, id, now)?;
            incidents::lets_erase(&incident, &incident_hands::of(tx, &incident)?)?;
            confirm::must_stand(tx, &incident)?;
            let person = principal.person(tx, now)?;
            make_room(tx, &incident, now)?;
            let about = About {
                tablet: incident.tablet,
                loan: loans::live_of_tablet(tx, incident.tablet)?.map(|loan| loan.id),
                incident: Some(id),
                reason: why.clone(),
            };
            let loan = about.loan;
            let begun = Decided::begin(LastDecisionId::new(now), LastKind::Theft, about)?;
            let proposed = begun.sign_as_head(person.standing.account(), now)?;
            // As if somebody else, who may, decided it at this moment.
            let decided = proposed.clone().sign_as_departement(AccountId::new(now), now)?;
            granted(tx, &decided, EraseOrderId::new(now), &terms, now)?;
            let row = row(&proposed, now);
            last_decisions::insert(tx, &row)?;
            let serial = store::tablets::get(tx, &incident.tablet)?
                .map(|tablet| tablet.serial.to_string())
                .ok_or_else(|| Refusal::Internal(format!("incident {id} is of no tablet")))?;
            let content = json!(Signed { decision: row.id, incident: id, serial, loan });
            let question = Question {
                purpose: Purpose::EraseStolen,
                subject: Subject::Incident(id),
                content: Content::new(&content).map_err(|error| Refusal::Internal(error.to_string()))?,
                second: SecondPerson::Departement,
                reason: why.as_str().to_owned(),
            };
            let (asked, _new) = countersignatures::ask_within(tx, &person, question, now)?;
            let detail = json!({ "incident": id, "decision": row.id, "countersignature": asked });
            let change = Change::new("theft-erasure.propose")
                .tablet(Some(incident.tablet))
                .reason(Some(why.as_str().to_owned()))
                .detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(asked)
        })
        .await
}

fn row(proposed: &Decided, now: Instant) -> LastDecision {
    LastDecision {
        id: proposed.decision(),
        kind: proposed.kind(),
        tablet_id: proposed.tablet(),
        loan_id: proposed.loan(),
        incident_id: proposed.incident(),
        reason: proposed.reason().clone(),
        begun_at: now,
        head_by: None,
        head_at: None,
        departement_by: None,
        departement_at: None,
        withdrawn_at: None,
    }
    .signed(proposed, now)
}

/// Passes an incident that no proposal or decision waits for. What nobody said yes to in time is over.
fn make_room(tx: &mut Tx<'_>, incident: &Incident, now: Instant) -> Result<(), Refusal> {
    let Some(last) = last(tx, incident.id)?.filter(|last| last.withdrawn_at.is_none()) else { return Ok(()) };
    if last.departement_at.is_some() {
        let id = incident.id;
        return Err(Worded::contradicts(
            format!("head and département decided it: have the tablet told again (`ardoise incident erase {id}`), or take it back first"),
            format!(
                "le chef d’établissement et le département l’ont décidé : faites-le redire à la tablette (`ardoise incident erase \
                 {id}`), ou revenez-y d’abord"
            ),
        )
        .into());
    }
    if let Some(asked) = question(tx, incident.id)?.filter(|asked| waits(asked, now)) {
        let id = asked.id;
        return Err(Worded::contradicts(
            format!("it is proposed, and the département is asked: request {id}"),
            format!("c’est proposé, et le département est consulté : demande {id}"),
        )
        .into());
    }
    withdraw(tx, &last, now)
}

fn last(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Option<LastDecision>, Refusal> {
    Ok(last_decisions::of_incident(tx, incident)?.pop())
}

fn question(
    tx: &mut Tx<'_>,
    incident: IncidentId,
) -> Result<Option<store::countersignatures::Countersignature>, Refusal> {
    let subject = Subject::Incident(incident).to_string();
    Ok(store::countersignatures::last_about(tx, Purpose::EraseStolen.as_str(), &subject)?)
}

fn waits(asked: &store::countersignatures::Countersignature, now: Instant) -> bool {
    asked.state == CountersignatureState::Waiting && now < asked.expires_at
}

fn withdraw(tx: &mut Tx<'_>, row: &LastDecision, now: Instant) -> Result<(), Refusal> {
    let withdrawn = row.decided()?.withdraw();
    last_decisions::update(tx, &row.signed(&withdrawn, now))?;
    Ok(())
}

/// What the rules say to an order by this decision now. A theft waits for no notice.
fn granted(
    tx: &mut Tx<'_>,
    decided: &Decided,
    order: EraseOrderId,
    terms: &EraseTerms,
    now: Instant,
) -> Result<NewOrder, Refusal> {
    let present = erase_orders::present(tx, decided.tablet())?;
    let told = Told { notices: Vec::new(), saved_at: None };
    grant(order, &Grounds::Decision(decided, &told), &present, terms, now).map_err(|why| not_erased(&why))
}

/// The département has answered. A yes is its decision: the brake counts it against whoever says it, and the order is given.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    (principal, person): (&Principal, &Person),
    (asked, answer): (&Countersignature, &Answer),
    terms: &EraseTerms,
    now: Instant,
) -> Result<(), Refusal> {
    let Question { purpose, subject, content, .. } = asked.question();
    let signed: Signed = serde_json::from_str(content.text())
        .map_err(|_not_ours| Refusal::Internal("what was asked is no question about a theft".to_owned()))?;
    let incident = again(tx, signed.incident)?;
    let decision = last_decisions::get(tx, &signed.decision)?
        .ok_or_else(|| Refusal::not_found("decision", signed.decision))?;
    let change = |action| Change::new(action).tablet(Some(incident.tablet)).reason(answer.reason.clone());
    if !answer.given {
        withdraw(tx, &decision, now)?;
        let detail = json!({ "countersignature": asked.id(), "asked": signed });
        return audit::record(tx, principal, change("theft-erasure.refuse").detail(detail), now);
    }
    incidents::lets_erase(&incident, &incident_hands::of(tx, &incident)?)?;
    confirm::must_stand(tx, &incident)?;
    let used =
        Use { purpose: *purpose, subject, content, used_for: &format!("decision:{}", signed.decision) };
    let signature = countersignatures::proof(tx, asked.id(), &used, now)?;
    let decided = decision.decided()?.sign_as_departement(signature.answered_by(), now)?;
    let decision = decision.signed(&decided, now);
    last_decisions::update(tx, &decision)?;
    let (order, judged) = counted(tx, person, (&incident, &decision), terms, now)?;
    let held = match judged {
        Judged::Go => {
            give(tx, &decision, order, terms, &principal.actor(), now)?;
            None
        }
        Judged::Held(held) => Some(held),
    };
    let detail = json!({
        "countersignature": asked.id(), "decision": decision.id, "incident": incident.id, "order": order, "held": held,
    });
    audit::record(tx, principal, change("theft-erasure.decide").detail(detail), now)
}

/// Counts an order against whoever gives it. What is not granted is told before anything is counted.
fn counted(
    tx: &mut Tx<'_>,
    person: &Person,
    (incident, decision): (&Incident, &LastDecision),
    terms: &EraseTerms,
    now: Instant,
) -> Result<(EraseOrderId, Judged), Refusal> {
    let order = EraseOrderId::new(now);
    granted(tx, &decision.decided()?, order, terms, now)?;
    let deed = Deed {
        what: What::Erasure,
        tablet: incident.tablet,
        college: Some(incident.college.clone()),
        reference: order.to_string(),
    };
    Ok((order, judge(tx, person, &[deed], decision.reason.as_str(), now)?))
}

/// Writes the order down, and has the tablet told.
fn give(
    tx: &mut Tx<'_>,
    decision: &LastDecision,
    order: EraseOrderId,
    terms: &EraseTerms,
    by: &Actor,
    now: Instant,
) -> Result<(), Refusal> {
    let new = granted(tx, &decision.decided()?, order, terms, now)?;
    erase_orders::give(tx, &new)?;
    orders::tell(tx, decision.tablet_id, order, terms, by, now)?;
    Ok(())
}

/// Gives what a second person let go, if its reference is an order to erase a stolen tablet; `false` if it is not.
pub(crate) fn carry_out(
    tx: &mut Tx<'_>,
    principal: &Principal,
    terms: &EraseTerms,
    (tablet, reference): (TabletId, &str),
    now: Instant,
) -> Result<bool, Refusal> {
    let decision = last_decisions::in_force_of_tablet(tx, tablet)?;
    let Some(decision) = decision.filter(|decision| decision.kind == LastKind::Theft) else {
        return Ok(false);
    };
    let (Ok(order), Some(incident)) = (reference.parse::<EraseOrderId>(), decision.incident_id) else {
        return Ok(false);
    };
    // A receipt's is the receipt's, and one that was counted before both decided this is of a decision that fell.
    let receipt = restitutions::last_of_tablet(tx, tablet)?;
    if receipt.is_some_and(|receipt| receipt.counted_order_id == order) {
        return Ok(false);
    }
    let counted = destructions::by_reference(tx, DestructionKind::Erase, reference)?;
    if counted.is_none_or(|act| decision.departement_at.is_none_or(|decided| act.at < decided)) {
        return Ok(true);
    }
    let incident = again(tx, incident)?;
    if incidents::lets_erase(&incident, &incident_hands::of(tx, &incident)?).is_err()
        || !confirm::stands(tx, &incident)?
    {
        return Ok(true);
    }
    match give(tx, &decision, order, terms, &principal.actor(), now) {
        // What stands in its way by now is seen with the incident; nothing is erased.
        Ok(()) | Err(Refusal::Worded(_) | Refusal::Forbidden { .. } | Refusal::Conflict(_)) => Ok(true),
        Err(other) => Err(other),
    }
}

/// Has a stolen tablet erased again by the decision that stands. If its order stands, because the tablet refused it or was not
/// enrolled, it is told again; if it ran out, was voided, or the tablet enrolled again since, another is given, which counts
/// against whoever asks. Says which answer of a second person it waits for.
///
/// # Errors
/// [`Refusal::Conflict`] without a decision, or while a command is under way; [`Refusal::Forbidden`] says what stands in its
/// way; [`Refusal::Stopped`] while the switch is thrown.
pub async fn repeat(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    now: Instant,
) -> Result<Option<CountersignatureId>, Refusal> {
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::RepeatErasure, id, now)?;
            incidents::lets_erase(&incident, &incident_hands::of(tx, &incident)?)?;
            confirm::must_stand(tx, &incident)?;
            let found = shown(tx, &incident, now)?;
            let decided = |found: &Erasure| {
                found.decision.withdrawn_at.is_none() && found.decision.departement_at.is_some()
            };
            let Some(found) = found.filter(decided) else {
                return Err(Worded::contradicts(
                    "head and département have not both decided it",
                    "le chef d’établissement et le département ne l’ont pas décidé tous deux",
                )
                .into());
            };
            let present = erase_orders::present(tx, incident.tablet)?.enrolment;
            let same_enrolment = found
                .order
                .as_ref()
                .is_some_and(|order| order.enrolment_id.is_none_or(|of| present == Some(of)));
            if found.state == ErasureState::Acknowledged && same_enrolment {
                return Err(Worded::contradicts(
                    "the tablet said that it erases itself: there is nothing left",
                    "la tablette a dit qu’elle s’efface : il n’y reste rien",
                )
                .into());
            }
            if found.waits_for.is_some() {
                return Err(Worded::contradicts(
                    "the brake holds it: a second person is asked",
                    "le frein le retient : une seconde personne est consultée",
                )
                .into());
            }
            if let Some(order) = found.order.filter(|order| order.state == OrderState::Open) {
                if same_enrolment && now < order.expires_at {
                    // The same order, counted once: the tablet refused it, or was not enrolled when it was given.
                    if !orders::tell(tx, incident.tablet, order.id, &terms, &principal.actor(), now)? {
                        return Err(Worded::contradicts(
                            "it is ordered: the command waits for the tablet, or the tablet is not enrolled",
                            "c’est ordonné : la commande attend la tablette, ou la tablette n’est pas enrôlée",
                        )
                        .into());
                    }
                    let detail = json!({ "incident": id, "decision": found.decision.id, "order": order.id });
                    let change =
                        Change::new("theft-erasure.again").tablet(Some(incident.tablet)).detail(detail);
                    audit::record(tx, &principal, change, now)?;
                    return Ok(None);
                }
                orders::end(tx, order.id, None, ("another takes its place", principal.actor()), now)?;
            }
            let person = principal.person(tx, now)?;
            let (order, judged) = counted(tx, &person, (&incident, &found.decision), &terms, now)?;
            let held = match judged {
                Judged::Go => {
                    give(tx, &found.decision, order, &terms, &principal.actor(), now)?;
                    None
                }
                Judged::Held(held) => Some(held),
            };
            let detail =
                json!({ "incident": id, "decision": found.decision.id, "order": order, "held": held });
            let change = Change::new("theft-erasure.repeat").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(held)
        })
        .await
}

/// Takes back what was proposed or decided: nothing is erased by it from now on.
///
/// # Errors
/// [`Refusal::Conflict`] if there is nothing to take back; [`Refusal::NotFound`].
pub async fn take_back(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    reason: &str,
    now: Instant,
) -> Result<(), Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::CallOffErasure, id, now)?;
            let Some(decision) = call_off(tx, &incident, &reason, principal.actor(), now)? else {
                return Err(Worded::contradicts(
                    "nothing was proposed or decided that could be taken back",
                    "rien n’a été proposé ou décidé sur quoi revenir",
                )
                .into());
            };
            let change = Change::new("theft-erasure.take-back")
                .tablet(Some(incident.tablet))
                .reason(Some(reason.clone()))
                .detail(json!({ "incident": id, "decision": decision }));
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// Ends what was proposed or decided about an incident, with its question, its order and its command; says which.
pub(super) fn call_off(
    tx: &mut Tx<'_>,
    incident: &Incident,
    why: &str,
    by: Actor,
    now: Instant,
) -> Result<Option<LastDecisionId>, Refusal> {
    let Some(last) = last(tx, incident.id)?.filter(|last| last.withdrawn_at.is_none()) else {
        return Ok(None);
    };
    if let Some(asked) = question(tx, incident.id)? {
        store::countersignatures::void(tx, asked.id)?;
    }
    // What the brake held for it waits for nobody any more: a yes would do nothing.
    if let Some(asked) = held_for(tx, &last)? {
        store::countersignatures::void(tx, asked)?;
        brake::held::give_up(tx, asked)?;
    }
    for order in erase_orders::of_decision(tx, last.id)? {
        if order.state == OrderState::Open {
            orders::end(tx, order.id, None, (why, by), now)?;
        }
    }
    withdraw(tx, &last, now)?;
    Ok(Some(last.id))
}

/// The tablet said that it erases itself, or that it cannot, by an order that no restitution stands behind.
pub(crate) fn said(
    tx: &mut Tx<'_>,
    order: EraseOrderId,
    done: bool,
    by: Actor,
    now: Instant,
) -> Result<(), Refusal> {
    let Some(order) = erase_orders::get(tx, &order)? else { return Ok(()) };
    let decision = match order.decision_id {
        Some(decision) => last_decisions::get(tx, &decision)?,
        None => None,
    };
    let Some(incident) = decision.and_then(|decision| decision.incident_id) else { return Ok(()) };
    let incident = again(tx, incident)?;
    if done {
        for warrant in store::warrants::of_incident(tx, incident.id)? {
            if warrant.state == OrderState::Open {
                warrants::end_with(tx, &incident, warrant.id, "the tablet erased itself", now)?;
            }
        }
        lost_modes::set(tx, incident.tablet, LostModeState::Off, now)?;
        // It has done its work: whoever enrols the tablet again has another one.
        erase_orders::end(tx, order.id)?;
        commands::cancel_of_erase_order(tx, order.id)?;
    }
    let enrolment = match by {
        Actor::Tablet(enrolment) => Some(enrolment),
        _ => None,
    };
    let action = if done { "theft-erasure.acknowledged" } else { "theft-erasure.failed" };
    let detail = json!({ "incident": incident.id, "order": order.id });
    let change = Change::new(action).tablet(Some(incident.tablet)).enrolment(enrolment).detail(detail);
    audit::record_by(tx, by, change, now)
}

/// How far the erasure of this incident's tablet has come; `None` if nobody proposed it.
pub(super) fn shown(tx: &mut Tx<'_>, incident: &Incident, now: Instant) -> Result<Option<Erasure>, Refusal> {
    let Some(decision) = last(tx, incident.id)? else { return Ok(None) };
    let order = erase_orders::of_decision(tx, decision.id)?.pop();
    let queued = match &order {
        Some(order) => commands::of_erase_order(tx, order.id)?.pop(),
        None => None,
    };
    let said = queued.as_ref().map(|command| command.state);
    let asked = question(tx, incident.id)?.filter(|asked| waits(asked, now)).map(|asked| asked.id);
    let held = if decision.departement_at.is_some() { held(tx, incident.tablet)? } else { None };
    let (state, waits_for) = match (decision.withdrawn_at, decision.departement_at, &order, said) {
        (_, _, Some(_), Some(CommandState::Acknowledged)) => (ErasureState::Acknowledged, None),
        (Some(_), ..) => (ErasureState::CalledOff, None),
        (None, None, ..) => {
            (if asked.is_some() { ErasureState::Proposed } else { ErasureState::CalledOff }, asked)
        }
        (None, Some(_), Some(order), said) if order.state == OrderState::Open => {
            let state = match said {
                Some(CommandState::Failed) => ErasureState::Failed,
                Some(CommandState::Sent | CommandState::NotNow) => ErasureState::Delivered,
                _ => ErasureState::Ordered,
            };
            (state, None)
        }
        (None, Some(_), ..) => (ErasureState::Decided, held),
    };
    Ok(Some(Erasure { decision, state, waits_for, order }))
}

/// The answer of a second person that an erasure of this tablet waits for.
fn held(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<CountersignatureId>, Refusal> {
    let last = destructions::last_of_tablet(tx, DestructionKind::Erase, tablet)?;
    Ok(last.filter(|act| act.state == DestructionState::Held).and_then(|act| act.countersignature_id))
}

/// The request that an act of this decision waits for, if the brake holds one. What a receipt counted is the receipt's.
fn held_for(tx: &mut Tx<'_>, decision: &LastDecision) -> Result<Option<CountersignatureId>, Refusal> {
    let Some(decided_at) = decision.departement_at else { return Ok(None) };
    let tablet = decision.tablet_id;
    let Some(act) = destructions::last_of_tablet(tx, DestructionKind::Erase, tablet)? else {
        return Ok(None);
    };
    let receipt = restitutions::last_of_tablet(tx, tablet)?;
    let is_its = act.state == DestructionState::Held
        && act.at >= decided_at
        && receipt.is_none_or(|receipt| receipt.counted_order_id.to_string() != act.reference);
    Ok(act.countersignature_id.filter(|_| is_its))
}

/// Whether the tablet of this order was stolen: it is given no way back.
pub(crate) fn is_of_a_theft(tx: &mut Tx<'_>, order: EraseOrderId) -> Result<bool, store::StoreError> {
    Ok(erase_orders::get(tx, &order)?.is_some_and(|order| order.cause == LastKind::Theft.as_str()))
}
