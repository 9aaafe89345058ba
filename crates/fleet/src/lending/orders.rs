//! Erase orders: given for a receipt whose notice has elapsed, by the calendar or by a technician, and ended (M3).
//!
//! The calendar gives only what the brake has counted against whoever recorded the receipt, and once. Whatever comes after
//! that, such as another order after the first has expired, takes a person, and counts against them (M5).

use governance::Permission;
use governance::brake::What;
use lending::{EraseTerms, Grounds, grant};
use orders::Queueable;
use serde_json::json;
use store::commands::{self, Enqueue};
use store::destructions::{self, DestructionState};
use store::restitutions::{self as rows, Restitution, StageName};
use store::{Tx, brake, enrolments, erase_orders, tablets};
use types::{
    Actor, CommandId, CountersignatureId, DestructionKind, Duration, EraseOrderId, Instant, RestitutionId,
    TabletId,
};

use super::departures::way_out;
use super::refusals::{not_erased, refused};
use super::restitutions::{Line, line, reached};
use crate::audit::{self, Change};
use crate::brake::{Deed, Judged, judge};
use crate::{Fleet, Principal, Refusal, push, watch};

/// Orders that the calendar looks at in one statement, and gives in one round.
const BATCH: u32 = 200;
const MOST_IN_A_ROUND: usize = 2_000;
/// What a second person is told that the act is for.
const REASON: &str = "restitution";

/// What a wish that a tablet be erased has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The order is given now, or the tablet is told again, or a second person is asked.
    Granted,
    /// Nothing: the order stands and is under way. The calendar, or a colleague, was quicker.
    StoodAlready,
}

/// What became of a wish that a tablet be erased.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered {
    /// The restitution.
    pub line: Line,
    /// The answer of a second person that it waits for.
    pub held: Option<CountersignatureId>,
    /// What it has changed.
    pub wish: Wish,
}

/// Orders the erasure of a tablet that was given back, or has it told again. An order that stands and is under way is the
/// answer, whoever gave it: nothing is ordered, counted or recorded twice.
///
/// # Errors
/// [`Refusal::Forbidden`] says what is missing, and until when; [`Refusal::Stopped`] while the switch is thrown.
pub async fn order(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Ordered, Refusal> {
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let row = reached(tx, &principal, Permission::OrderErasure, id, now)?;
            if let brake::Switch::Engaged(engaged) = brake::switch(tx)? {
                return Err(Refusal::Stopped(engaged));
            }
            let (mut held, mut wish) = (None, Wish::Granted);
            match standing_order(tx, &row)? {
                // It said that it erases itself: there is nothing to tell it.
                Some(_) if row.stage == StageName::Acknowledged => wish = Wish::StoodAlready,
                Some(order) => wish = again(tx, &principal, (&row, order), &terms, now)?,
                None => {
                    // What is not granted is told before anything is counted.
                    granted(tx, &row, row.counted_order_id, &terms, now)?;
                    let (order, judged) = counted(tx, &principal, &row, now)?;
                    match judged {
                        Judged::Go => give(tx, &row, order, &terms, &principal.actor(), now)?,
                        Judged::Held(asked) => held = Some(asked),
                    }
                }
            }
            if held.is_some() {
                let detail = json!({ "restitution": id, "held": held });
                let change = Change::new("erase-order.ask").tablet(Some(row.tablet_id)).detail(detail);
                audit::record(tx, &principal, change, now)?;
            }
            let row = super::restitutions::get(tx, id)?;
            Ok(Ordered { line: line(tx, &row, &terms, now)?, held, wish })
        })
        .await
}

/// The order that the brake counts for this restitution, and what it says of it: one that was counted and not given yet, or
/// one that counts now against whoever asks.
fn counted(
    tx: &mut Tx<'_>,
    principal: &Principal,
    row: &Restitution,
    now: Instant,
) -> Result<(EraseOrderId, Judged), Refusal> {
    let first = row.counted_order_id;
    let of_the_receipt = destructions::by_reference(tx, DestructionKind::Erase, &first.to_string())?;
    let given = erase_orders::get(tx, &first)?.is_some();
    match of_the_receipt.map(|counted| (counted.state, counted.countersignature_id)) {
        Some((DestructionState::Counted | DestructionState::Released, _)) if !given => {
            return Ok((first, Judged::Go));
        }
        Some((DestructionState::Held, Some(asked))) if !given => return Ok((first, Judged::Held(asked))),
        _ => {}
    }
    let order = if given { EraseOrderId::new(now) } else { first };
    let college = tablets::get(tx, &row.tablet_id)?.and_then(|tablet| tablet.uai);
    let deed = Deed { what: What::Restitution, tablet: row.tablet_id, college, reference: order.to_string() };
    let person = principal.person(tx, now)?;
    Ok((order, judge(tx, &person, &[deed], REASON, now)?))
}

/// Gives the orders that are due. The calendar's work; says how many.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn give_due(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let terms = fleet.settings().erasures;
    let before = now.minus(lending::restitution::SECOND_THOUGHTS);
    let (mut given, mut after) = (0, None);
    while given < MOST_IN_A_ROUND {
        let due = fleet
            .store()
            .read(move |tx| match brake::switch(tx)? {
                brake::Switch::Engaged(_) => Ok(Vec::new()),
                brake::Switch::Released => rows::ripe(tx, (before, now.minus(terms.notice())), after, BATCH),
            })
            .await?;
        for id in &due {
            match give_one(fleet, *id, now).await {
                Ok(()) => given += 1,
                // The rules look closer than the list of what is due; and a colleague may have been quicker.
                Err(
                    Refusal::Worded(_)
                    | Refusal::Forbidden { .. }
                    | Refusal::Conflict(_)
                    | Refusal::Stopped(_),
                ) => {}
                Err(failure) => watch::pass_over(fleet, id.to_string(), failure, now).await?,
            }
        }
        after = due.last().copied();
        if due.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(given)
}

async fn give_one(fleet: &Fleet, id: RestitutionId, now: Instant) -> Result<(), Refusal> {
    let terms = fleet.settings().erasures;
    fleet
        .store()
        .write(move |tx| {
            let row = super::restitutions::get(tx, id)?;
            let order = row.counted_order_id;
            if let brake::Switch::Engaged(engaged) = brake::switch(tx)? {
                return Err(Refusal::Stopped(engaged));
            }
            give(tx, &row, order, &terms, &Actor::Calendar, now)
        })
        .await
}

/// Gives what the brake let go, once a second person signed for it. What may not be ordered yet is left to the calendar.
pub(crate) fn carry_out(
    tx: &mut Tx<'_>,
    principal: &Principal,
    terms: &EraseTerms,
    (tablet, reference): (TabletId, &str),
    now: Instant,
) -> Result<(), Refusal> {
    let Ok(order) = reference.parse::<EraseOrderId>() else { return Ok(()) };
    if way_out::carry_out(tx, principal, terms, (tablet, order), now)? {
        return Ok(());
    }
    let Some(row) = rows::last_of_tablet(tx, tablet)? else { return Ok(()) };
    match granted(tx, &row, order, terms, now) {
        Ok(_) => give(tx, &row, order, terms, &principal.actor(), now),
        Err(Refusal::Worded(_) | Refusal::Forbidden { .. } | Refusal::Conflict(_)) => Ok(()),
        Err(other) => Err(other),
    }
}

fn granted(
    tx: &mut Tx<'_>,
    row: &Restitution,
    order: EraseOrderId,
    terms: &EraseTerms,
    now: Instant,
) -> Result<lending::NewOrder, Refusal> {
    let told = erase_orders::told(tx, row.loan_id, row.saved_at)?;
    let present = erase_orders::present(tx, row.tablet_id)?;
    let decided = row.decided()?;
    let grounds = Grounds::Restitution(&decided, &told);
    grant(order, &grounds, &present, terms, now).map_err(|why| not_erased(&why))
}

/// Writes the order down, and has the tablet told.
fn give(
    tx: &mut Tx<'_>,
    row: &Restitution,
    order: EraseOrderId,
    terms: &EraseTerms,
    by: &Actor,
    now: Instant,
) -> Result<(), Refusal> {
    let new = granted(tx, row, order, terms, now)?;
    let ordered = row.decided()?.ordered(order).map_err(|why| refused(&why))?;
    erase_orders::give(tx, &new)?;
    rows::update(tx, &row.come_to(&ordered, now))?;
    tell(tx, row.tablet_id, order, terms, by, now)?;
    let detail = json!({ "restitution": row.id, "order": order, "expires_at": new.expires_at() });
    let change =
        Change::new("erase-order.give").tablet(Some(row.tablet_id)).enrolment(new.enrolment()).detail(detail);
    audit::record_by(tx, *by, change, now)
}

/// Queues the command of an order, if its tablet is enrolled. However often it is asked, one waits at a time (T-A20).
pub(crate) fn tell(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    order: EraseOrderId,
    terms: &EraseTerms,
    by: &Actor,
    now: Instant,
) -> Result<bool, Refusal> {
    let Some(enrolment) = enrolments::live_of_tablet(tx, tablet)? else { return Ok(false) };
    let earlier = commands::of_erase_order(tx, order)?;
    if earlier.iter().any(|command| command.state.is_pending()) {
        return Ok(false);
    }
    let standing = erase_orders::standing(tx, order)?
        .ok_or_else(|| Refusal::Internal(format!("erase order {order} was given and is not let go")))?;
    let proof = standing.read_back(terms, now).map_err(|why| not_erased(&why))?;
    let how = Enqueue {
        id: CommandId::new(now),
        enrolment: enrolment.id,
        tablet,
        priority: 0,
        replaces_key: None,
        idempotency_key: Some(format!("erase-{order}-{}", earlier.len())),
        at: now,
        by: by.to_string(),
        not_before: None,
        expires_at: Some(proof.expires_at()),
    };
    commands::enqueue(tx, &Queueable::Erase(proof), how)?;
    push::want(tx, enrolment.id, now, now)?;
    Ok(true)
}

/// The order that a restitution is under, as long as nothing ended it.
fn standing_order(tx: &mut Tx<'_>, row: &Restitution) -> Result<Option<EraseOrderId>, Refusal> {
    let under_way = [StageName::Ordered, StageName::Delivered, StageName::Acknowledged].contains(&row.stage);
    match row.order_id.filter(|_| under_way) {
        Some(order) if is_open(tx, order)? => Ok(Some(order)),
        _ => Ok(None),
    }
}

/// Has the tablet told again, under the order that stands, unless its command waits, or it is not enrolled.
fn again(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (row, order): (&Restitution, EraseOrderId),
    terms: &EraseTerms,
    now: Instant,
) -> Result<Wish, Refusal> {
    if !tell(tx, row.tablet_id, order, terms, &principal.actor(), now)? {
        return Ok(Wish::StoodAlready);
    }
    let detail = json!({ "restitution": row.id, "order": order });
    let change = Change::new("erase-order.again").tablet(Some(row.tablet_id)).detail(detail);
    audit::record(tx, principal, change, now)?;
    Ok(Wish::Granted)
}

/// Ends an order that will erase nothing any more, calls off its command, and gives its restitution back: another may be
/// ordered.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    order: EraseOrderId,
    row: Option<&Restitution>,
    (why, by): (&str, Actor),
    now: Instant,
) -> Result<(), Refusal> {
    if !erase_orders::end(tx, order)? {
        commands::cancel_of_erase_order(tx, order)?;
        return Ok(());
    }
    commands::cancel_of_erase_order(tx, order)?;
    if let Some(row) = row
        && let Ok(given_back) = row.decided()?.order_ended(order)
    {
        rows::update(tx, &row.come_to(&given_back, now))?;
    }
    let detail = json!({ "order": order, "restitution": row.map(|row| row.id), "why": why });
    let tablet = erase_orders::get(tx, &order)?.map(|order| order.tablet_id);
    let change = Change::new("erase-order.end").tablet(tablet).detail(detail);
    audit::record_by(tx, by, change, now)
}

/// How long an order is kept that is past: the answer of a tablet that was given it in time may still come.
const LATE: Duration = Duration::from_secs(86_400);

/// Whether what was erased by an order may be attested: nothing ended it. A tablet that erased itself in time may never have
/// said so, and an order that is past is kept for that ([`LATE`]).
pub(super) fn is_open(tx: &mut Tx<'_>, order: EraseOrderId) -> Result<bool, Refusal> {
    let row = erase_orders::get(tx, &order)?;
    Ok(row.is_some_and(|row| row.state == store::warrants::OrderState::Open))
}

/// Ends the orders that are past. One whose tablet said that it erases itself waits on for the proof. The calendar's work;
/// says how many ended.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn end_past(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    fleet
        .store()
        .write(move |tx| {
            let mut ended = 0;
            for past in erase_orders::past(tx, now.minus(LATE), BATCH)? {
                let row = match past.restitution_id {
                    Some(id) => rows::get(tx, &id)?,
                    None => None,
                };
                let row = match row {
                    Some(row) => Some(super::erasures::catch_up(tx, row, Actor::Calendar, now)?),
                    None => None,
                };
                if row.as_ref().is_some_and(|row| row.stage == StageName::Acknowledged) {
                    // It erases nothing any more; that it did is still to be proven.
                    erase_orders::end(tx, past.id)?;
                } else {
                    end(tx, past.id, row.as_ref(), ("its time is over", Actor::Calendar), now)?;
                }
                ended += 1;
            }
            Ok::<_, Refusal>(ended)
        })
        .await
}
