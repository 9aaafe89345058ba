//! The erasure of a tablet that leaves: by an order that rests on the decision, delivered and proven like any (C5.1.2, M3).

use ::lending::EraseTerms;
use ::lending::Grounds;
use ::lending::departure::Way;
use ::lending::last_decision::LastKind;
use ::lending::restitution::Reenrolment;
use governance::Permission;
use governance::brake::What;
use serde_json::json;
use store::commands::{self, CommandState};
use store::departures::{self as ways, Departure};
use store::destructions::{self, Destruction, DestructionState};
use store::last_decisions::{self as rows, LastDecision};
use store::{Tx, brake, erase_orders, restitutions};
use types::{Actor, CountersignatureId, DestructionKind, EraseOrderId, Instant, LastDecisionId, TabletId};

use super::super::orders::{Wish, is_open, tell};
use super::super::refusals::not_erased;
use super::{Case, case, departure, reached, record};
use crate::audit::{self, Change};
use crate::brake::{Deed, Judged, judge};
use crate::{Fleet, Principal, Refusal};

/// Whoever is given their tablet, or a guardian, says that their data is saved: the erasure waits no longer for a notice
/// (C5.3.5, M3).
///
/// # Errors
/// [`Refusal::Conflict`] for anything but a gift that was decided; [`Refusal::Forbidden`] once it is empty;
/// [`Refusal::NotFound`].
pub async fn saved(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<Case, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, _tablet) = reached(tx, &principal, Permission::ReceiveTablets, id, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let way = departure(tx, &row)?;
            if row.kind != LastKind::Donation {
                return Err(Refusal::Conflict(format!(
                    "decision {id} is no gift: nobody’s data is on its tablet"
                )));
            }
            way.decided()?.keeps_its_data()?;
            if way.saved_at.is_none() {
                ways::update(tx, &Departure { saved_at: Some(now), saved_by: Some(by), ..way })?;
                record(tx, &principal, "departure.saved", &row, json!({}), now)?;
            }
            case(tx, row)
        })
        .await
}

/// Orders the erasure of a tablet that leaves, or has it told again. It counts against whoever asks (M5). An order that
/// stands and is under way is the answer: nothing is ordered, counted or recorded twice.
///
/// # Errors
/// [`Refusal::Forbidden`] says what is missing, and until when: a pupil is told before; [`Refusal::Stopped`].
pub async fn order(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<(Case, Option<CountersignatureId>, Wish), Refusal> {
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let (row, tablet) = reached(tx, &principal, Permission::OrderErasure, id, now)?;
            if let brake::Switch::Engaged(engaged) = brake::switch(tx)? {
                return Err(Refusal::Stopped(engaged));
            }
            let way = departure(tx, &row)?;
            if let Some(order) = open_order(tx, &way)? {
                let said = acknowledged_at(tx, order)?.is_some();
                if said || !tell(tx, tablet.id, order, &terms, &principal.actor(), now)? {
                    return Ok((case(tx, row)?, None, Wish::StoodAlready));
                }
                record(tx, &principal, "erase-order.again", &row, json!({ "order": order }), now)?;
                return Ok((case(tx, row)?, None, Wish::Granted));
            }
            // What is not granted is told before anything is counted.
            granted(tx, (&row, &way), way.counted_order_id, &terms, now)?;
            let (order, judged) = counted(tx, &principal, (&row, &way), now)?;
            let held = match judged {
                Judged::Go => {
                    give(tx, (&row, &way), order, &terms, &principal.actor(), now)?;
                    None
                }
                Judged::Held(asked) => {
                    record(tx, &principal, "erase-order.ask", &row, json!({ "held": asked }), now)?;
                    Some(asked)
                }
            };
            Ok((case(tx, row)?, held, Wish::Granted))
        })
        .await
}

/// A technician attests that a tablet under an order is empty, whatever way it was erased (M3).
///
/// # Errors
/// [`Refusal::Forbidden`] without an order that stands, or that the tablet acknowledged; [`Refusal::NotFound`].
pub async fn attest(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<Case, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, _tablet) = reached(tx, &principal, Permission::AttestErasure, id, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let way = departure(tx, &row)?;
            let stands = match way.order_id {
                None => false,
                Some(order) => is_open(tx, order)? || acknowledged_at(tx, order)?.is_some(),
            };
            let empty = way.decided()?.attest(by, stands)?;
            proven(tx, &way.come_to(&empty, now))?;
            record(tx, &principal, "departure.attest", &row, json!({ "order": way.order_id }), now)?;
            case(tx, row)
        })
        .await
}

/// The order that stands for a departure, if one was given and is open.
fn open_order(tx: &mut Tx<'_>, way: &Departure) -> Result<Option<EraseOrderId>, Refusal> {
    let Way::Ordered(order) = way.decided()?.way() else { return Ok(None) };
    let open =
        erase_orders::get(tx, &order)?.is_some_and(|row| row.state == store::warrants::OrderState::Open);
    Ok(open.then_some(order))
}

/// The order that the brake counts, and what it says of it: one that was counted and not given yet, or one that counts now.
fn counted(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (row, way): (&LastDecision, &Departure),
    now: Instant,
) -> Result<(EraseOrderId, Judged), Refusal> {
    let first = way.counted_order_id;
    let given = erase_orders::get(tx, &first)?.is_some();
    let (order, before) = if given {
        later_counted(tx, row)?.map_or_else(|| (EraseOrderId::new(now), None), |(id, act)| (id, Some(act)))
    } else {
        (first, destructions::by_reference(tx, DestructionKind::Erase, &first.to_string())?)
    };
    match before.map(|act| (act.state, act.countersignature_id)) {
        Some((DestructionState::Counted | DestructionState::Released, _)) => Ok((order, Judged::Go)),
        Some((DestructionState::Held, Some(asked))) => Ok((order, Judged::Held(asked))),
        // What was given up is counted anew.
        _ => Ok((order, count(tx, principal, row, order, now)?)),
    }
}

/// An order after the first one that was counted for this decision and not given yet.
fn later_counted(
    tx: &mut Tx<'_>,
    row: &LastDecision,
) -> Result<Option<(EraseOrderId, Destruction)>, Refusal> {
    let Some(act) = destructions::last_of_tablet(tx, DestructionKind::Erase, row.tablet_id)? else {
        return Ok(None);
    };
    let Ok(order) = act.reference.parse::<EraseOrderId>() else { return Ok(None) };
    let waits = erase_orders::get(tx, &order)?.is_none() && is_of(tx, row, order, &act)?;
    Ok(waits.then_some((order, act)))
}

/// Whether what the brake counted of a tablet is of this decision: since it was taken, and not of a receipt.
fn is_of(
    tx: &mut Tx<'_>,
    row: &LastDecision,
    order: EraseOrderId,
    act: &Destruction,
) -> Result<bool, Refusal> {
    let receipt = restitutions::last_of_tablet(tx, row.tablet_id)?;
    let of_the_receipt = receipt.is_some_and(|receipt| receipt.counted_order_id == order);
    Ok(!of_the_receipt && row.departement_at.is_some_and(|decided| decided <= act.at))
}

fn count(
    tx: &mut Tx<'_>,
    principal: &Principal,
    row: &LastDecision,
    order: EraseOrderId,
    now: Instant,
) -> Result<Judged, Refusal> {
    let college = super::of(tx, row)?.uai;
    let deed = Deed { what: What::Erasure, tablet: row.tablet_id, college, reference: order.to_string() };
    let person = principal.person(tx, now)?;
    judge(tx, &person, &[deed], row.kind.as_str(), now)
}

fn granted(
    tx: &mut Tx<'_>,
    (row, way): (&LastDecision, &Departure),
    order: EraseOrderId,
    terms: &EraseTerms,
    now: Instant,
) -> Result<::lending::NewOrder, Refusal> {
    let told = match row.loan_id {
        Some(loan) => erase_orders::told(tx, loan, way.saved_at)?,
        None => ::lending::notice::Told { notices: Vec::new(), saved_at: None },
    };
    let present = erase_orders::present(tx, row.tablet_id)?;
    let decided = row.decided()?;
    let grounds = Grounds::Decision(&decided, &told);
    ::lending::grant(order, &grounds, &present, terms, now).map_err(|why| not_erased(&why))
}

/// Writes the order down, and has the tablet told.
fn give(
    tx: &mut Tx<'_>,
    (row, way): (&LastDecision, &Departure),
    order: EraseOrderId,
    terms: &EraseTerms,
    by: &Actor,
    now: Instant,
) -> Result<(), Refusal> {
    let new = granted(tx, (row, way), order, terms, now)?;
    let ordered = way.decided()?.ordered(order)?;
    erase_orders::give(tx, &new)?;
    ways::update(tx, &way.come_to(&ordered, now))?;
    tell(tx, row.tablet_id, order, terms, by, now)?;
    let detail = json!({ "decision": row.id, "order": order, "expires_at": new.expires_at() });
    let change =
        Change::new("erase-order.give").tablet(Some(row.tablet_id)).enrolment(new.enrolment()).detail(detail);
    audit::record_by(tx, *by, change, now)
}

/// Gives what the brake let go, once a second person signed for it; `false` if it was no departure's. It is the first order of
/// one, or a later one of the decision that is in force for the tablet.
pub(crate) fn carry_out(
    tx: &mut Tx<'_>,
    principal: &Principal,
    terms: &EraseTerms,
    (tablet, order): (TabletId, EraseOrderId),
    now: Instant,
) -> Result<bool, Refusal> {
    let found = match ways::of_counted_order(tx, order)? {
        Some(way) => rows::get(tx, &way.decision_id)?.map(|row| (row, way)),
        None => later(tx, tablet, order)?,
    };
    let Some((row, way)) = found else { return Ok(false) };
    match granted(tx, (&row, &way), order, terms, now) {
        Ok(_) => give(tx, (&row, &way), order, terms, &principal.actor(), now)?,
        // What may not be ordered yet is ordered by hand, and is counted.
        Err(Refusal::Worded(_) | Refusal::Forbidden { .. } | Refusal::Conflict(_)) => {}
        Err(other) => return Err(other),
    }
    Ok(true)
}

/// The decision in force for a tablet, if an order that is not its first was counted for it.
fn later(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    order: EraseOrderId,
) -> Result<Option<(LastDecision, Departure)>, Refusal> {
    let Some(row) = rows::in_force_of_tablet(tx, tablet)? else { return Ok(None) };
    let Some(way) = ways::get(tx, &row.id)? else { return Ok(None) };
    let Some(act) = destructions::by_reference(tx, DestructionKind::Erase, &order.to_string())? else {
        return Ok(None);
    };
    Ok(is_of(tx, &row, order, &act)?.then_some((row, way)))
}

/// A tablet has completed an enrolment: if only an erased tablet makes such a one after what it acknowledged, it proves the
/// erasure of one that leaves (M3).
pub(crate) fn enrolled(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    again: &Reenrolment,
    now: Instant,
) -> Result<(), Refusal> {
    let Some((row, way, order)) = under_order(tx, tablet)? else { return Ok(()) };
    let acknowledged = acknowledged_at(tx, order)?;
    let Some(empty) = way.decided()?.prove(acknowledged, again) else { return Ok(()) };
    proven(tx, &way.come_to(&empty, now))?;
    let by = Actor::Tablet(again.enrolment);
    let detail = json!({ "decision": row.id, "order": order });
    let change =
        Change::new("departure.proven").tablet(Some(tablet)).enrolment(Some(again.enrolment)).detail(detail);
    audit::record_by(tx, by, change, now)
}

/// Whether a tablet that leaves is expected to enrol again, because it said that it erases itself.
pub(crate) fn is_expected_back(tx: &mut Tx<'_>, tablet: TabletId) -> Result<bool, Refusal> {
    match under_order(tx, tablet)? {
        None => Ok(false),
        Some((_row, _way, order)) => Ok(acknowledged_at(tx, order)?.is_some()),
    }
}

fn under_order(
    tx: &mut Tx<'_>,
    tablet: TabletId,
) -> Result<Option<(LastDecision, Departure, EraseOrderId)>, Refusal> {
    let Some(row) = rows::in_force_of_tablet(tx, tablet)? else { return Ok(None) };
    let Some(way) = ways::get(tx, &row.id)? else { return Ok(None) };
    let Way::Ordered(order) = way.decided()?.way() else { return Ok(None) };
    Ok(Some((row, way, order)))
}

/// When the tablet said that it erases itself.
fn acknowledged_at(tx: &mut Tx<'_>, order: EraseOrderId) -> Result<Option<Instant>, Refusal> {
    let commands = commands::of_erase_order(tx, order)?;
    let said = commands.into_iter().filter(|command| command.state == CommandState::Acknowledged);
    Ok(said.filter_map(|command| command.answered_at).next())
}

/// It is empty: its order has done its work.
fn proven(tx: &mut Tx<'_>, way: &Departure) -> Result<(), Refusal> {
    ways::update(tx, way)?;
    if let Some(order) = way.order_id {
        erase_orders::end(tx, order)?;
        commands::cancel_of_erase_order(tx, order)?;
    }
    Ok(())
}
