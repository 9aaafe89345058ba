//! An erasure, as its tablet lives it: looked at again when the tablet connects, answered, and proven by what the tablet
//! does afterwards (M3).
//!
//! Every step may be repeated, and none is missed: what the tablet said stands with the command, in the transaction that
//! takes the report, and a restitution that was left behind by a crash [catches up](catch_up) from there.

use lending::restitution::Reenrolment;
use lending::{EraseTerms, NotErased};
use serde_json::json;
use store::commands::{self, CommandState};
use store::enrolments::{self, Enrolment};
use store::erase_orders::{self, Standing};
use store::restitutions::{self as rows, Restitution, StageName};
use store::warrants::OrderState;
use store::{StoreError, Tx, destructions, return_profiles};
use types::{Actor, CommandId, DestructionKind, EnrolmentId, EnrolmentKind, EraseOrderId, Instant, TabletId};

use super::departures::way_out;
use super::orders;
use super::refusals::refused;
use crate::Refusal;
use crate::audit::{self, Change};
use crate::incidents::theft;

/// Whether the queued command of an erasure may be given to its tablet now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtDelivery {
    /// It may.
    Goes,
    /// The brake, a check, an incident or the notice stands in its way for a while.
    Waits,
    /// Its order has ended, and is called off.
    Over,
    /// No order carries it: it was put there by hand.
    WithoutProof,
}

/// Looks again at what a queued erasure rests on, and writes down that the tablet gets it (T-A19).
pub(crate) fn at_delivery(
    tx: &mut Tx<'_>,
    (enrolment, command): (EnrolmentId, CommandId),
    terms: &EraseTerms,
    now: Instant,
) -> Result<AtDelivery, Refusal> {
    enrolments::hold(tx, enrolment)?;
    let Some(command) = commands::get(tx, &command)? else { return Ok(AtDelivery::Over) };
    let Some(order) = command.erase_order_id else { return Ok(AtDelivery::WithoutProof) };
    let Some(recorded) = erase_orders::get(tx, &order)? else { return Ok(AtDelivery::WithoutProof) };
    let row = rows::hold_of_order(tx, order)?;
    if recorded.state == OrderState::Ended {
        commands::cancel(tx, command.id)?;
        return Ok(AtDelivery::Over);
    }
    let by = Actor::Tablet(enrolment);
    let over = |tx: &mut Tx<'_>, why: &str| {
        orders::end(tx, order, row.as_ref(), (why, by), now)?;
        Ok(AtDelivery::Over)
    };
    let Some(standing) = erase_orders::standing(tx, order)? else {
        let counted = destructions::by_reference(tx, DestructionKind::Erase, &order.to_string())?;
        let given_up = counted.is_none_or(|act| act.state == destructions::DestructionState::Void);
        return if given_up { over(tx, "the brake has given it up") } else { Ok(AtDelivery::Waits) };
    };
    match read_back(&standing, command.tablet_id, terms, now) {
        Ok(()) => {
            if let Some(row) = row {
                delivered(tx, &row, order, by, now)?;
            }
            Ok(AtDelivery::Goes)
        }
        // A mail that bounced, a check, an incident: what stands in the way now may not tomorrow, and nothing is erased until
        // then.
        Err(NotErased::WithinNotice(_) | NotErased::NotTold | NotErased::Held(_)) => Ok(AtDelivery::Waits),
        Err(NotErased::OutsideWindow { from, .. }) if now < from => Ok(AtDelivery::Waits),
        Err(why) => over(tx, &why.to_string()),
    }
}

/// Whether an order stands for this tablet at this instant.
pub(super) fn read_back(
    standing: &Standing,
    tablet: TabletId,
    terms: &EraseTerms,
    now: Instant,
) -> Result<(), NotErased> {
    let proof = standing.read_back(terms, now)?;
    if proof.tablet() == tablet { Ok(()) } else { Err(NotErased::Another) }
}

/// Takes a restitution a step on, with its entry in the log.
fn step(
    tx: &mut Tx<'_>,
    row: &Restitution,
    to: &lending::restitution::Restitution,
    (action, by): (&'static str, Actor),
    now: Instant,
) -> Result<Restitution, Refusal> {
    let next = row.come_to(to, now);
    rows::update(tx, &next)?;
    let enrolment = match by {
        Actor::Tablet(enrolment) => Some(enrolment),
        _ => None,
    };
    let detail = json!({ "restitution": row.id, "order": row.order_id });
    let change = Change::new(action).tablet(Some(row.tablet_id)).enrolment(enrolment).detail(detail);
    audit::record_by(tx, by, change, now)?;
    Ok(next)
}

fn delivered(
    tx: &mut Tx<'_>,
    row: &Restitution,
    order: EraseOrderId,
    by: Actor,
    now: Instant,
) -> Result<Restitution, Refusal> {
    if row.stage != StageName::Ordered {
        return Ok(row.clone());
    }
    let given = row.decided()?.delivered(order).map_err(|why| refused(&why))?;
    step(tx, row, &given, ("restitution.delivered", by), now)
}

/// What a tablet says of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// It erases itself.
    Done,
    /// It cannot.
    Refused,
}

/// Writes down what a tablet says. Acknowledged is not erased.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    (enrolment, command): (EnrolmentId, CommandId),
    said: Said,
    now: Instant,
) -> Result<(), Refusal> {
    enrolments::hold(tx, enrolment)?;
    let order = commands::get(tx, &command)?.and_then(|command| command.erase_order_id);
    let Some(order) = order else { return Ok(()) };
    let by = Actor::Tablet(enrolment);
    let Some(row) = rows::hold_of_order(tx, order)? else {
        return theft::said(tx, order, said == Said::Done, by, now);
    };
    match said {
        Said::Done => {
            catch_up(tx, row, by, now)?;
        }
        Said::Refused => {
            if let Ok(failed) = row.decided()?.failed(order) {
                step(tx, &row, &failed, ("restitution.failed", by), now)?;
            }
        }
    }
    Ok(())
}

/// Takes a restitution as far as its tablet has said: after each answer, and wherever a crash may have come between.
pub(super) fn catch_up(
    tx: &mut Tx<'_>,
    row: Restitution,
    by: Actor,
    now: Instant,
) -> Result<Restitution, Refusal> {
    let Some(order) = row.order_id else { return Ok(row) };
    if !matches!(row.stage, StageName::Ordered | StageName::Delivered) {
        return Ok(row);
    }
    let acknowledged = commands::of_erase_order(tx, order)?
        .into_iter()
        .filter(|command| command.state == CommandState::Acknowledged)
        .find_map(|command| command.answered_at);
    let Some(at) = acknowledged else { return Ok(row) };
    let row = delivered(tx, &row, order, by, now)?;
    let said = row.decided()?.acknowledged(order, at).map_err(|why| refused(&why))?;
    step(tx, &row, &said, ("restitution.acknowledged", by), now)
}

/// A tablet has completed an enrolment: if only an erased tablet makes such a one after what it acknowledged, it proves the
/// erasure, and the order has done its work (M3).
pub(crate) fn enrolled(tx: &mut Tx<'_>, enrolment: &Enrolment, now: Instant) -> Result<(), Refusal> {
    let Some(tablet) = enrolment.tablet_id else { return Ok(()) };
    let row = rows::hold_under_order(tx, tablet)?;
    let by = Actor::Tablet(enrolment.id);
    let token_of = return_profiles::get(tx, &enrolment.id)?.map(|profile| profile.order_id);
    let automated = enrolment.kind == EnrolmentKind::Automated;
    let reenrolment = Reenrolment {
        enrolment: enrolment.id,
        // An automated one begins when the tablet shows who it is, the others when it asks to enrol.
        at: if automated {
            enrolment.created_at
        } else {
            enrolment.authenticated_at.unwrap_or(enrolment.created_at)
        },
        token_of,
        awaits_configuration: automated && enrolment.awaiting_configuration,
    };
    let Some(row) = row else { return way_out::enrolled(tx, tablet, &reenrolment, now) };
    let row = catch_up(tx, row, by, now)?;
    let Some(empty) = row.decided()?.prove(&reenrolment) else { return Ok(()) };
    let row = step(tx, &row, &empty, ("restitution.proven", by), now)?;
    if let Some(order) = row.order_id {
        erase_orders::end(tx, order)?;
        commands::cancel_of_erase_order(tx, order)?;
    }
    Ok(())
}

/// Whether a tablet is expected to enrol again, because it said that it erases itself: that is no reason for an alarm.
pub(crate) fn is_expected_back(tx: &mut Tx<'_>, tablet: TabletId) -> Result<bool, Refusal> {
    let back = rows::last_of_tablet(tx, tablet)?.is_some_and(|row| row.stage == StageName::Acknowledged);
    Ok(back || way_out::is_expected_back(tx, tablet)?)
}

/// Whether this enrolment was invited by the return to service of an order.
pub(crate) fn is_return(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<bool, StoreError> {
    Ok(return_profiles::get(tx, &enrolment)?.is_some())
}
