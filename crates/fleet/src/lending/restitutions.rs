//! Tablets that come back over a counter (C5.3.5, C5.4.1).
//!
//! A receipt ends the loan, and is counted by the brake against whoever recorded it (M5): the erasure that follows is
//! theirs, whenever it goes. It is recorded even while the switch is thrown, since the tablet lies on the counter; what is
//! not counted is never ordered by the calendar. It is recorded, too, if the DPO took the validation of lending back
//! since: a loan that cannot be ended would be kept for ever.

use std::collections::{BTreeSet, HashMap};

use governance::Permission;
use lending::Condition;
use lending::loan::{Ending, LoanState};
use lending::restitution::Place;
use serde_json::{Value as Json, json};
use store::loans::Loan;
use store::restitutions::{self as rows, Restitution};
use store::{Tx, commands, erase_orders, incidents, loans, repairs};
use types::{CountersignatureId, Instant, LoanId, RestitutionId, SerialNumber, TabletId};

use super::counter::{Taken, find_all, take};
use super::loans::{self as acts, holds_another};
use super::modes;
use super::refusals::refused;
use super::waits::{Known, Waits};
use crate::audit::{self, Change};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// The most tablets in one request: a few classes.
pub(super) const MOST: usize = 500;
/// The most accessories of one tablet, and the longest name of one, in characters.
const MOST_ACCESSORIES: usize = 20;
const LONGEST_ACCESSORY: usize = 60;

/// A tablet that lies on the counter.
#[derive(Debug, Clone)]
pub struct Scanned {
    /// Its serial number, its id or the owner's label, as it was scanned or typed.
    pub tablet: String,
    /// What came with it.
    pub accessories: BTreeSet<String>,
    /// The state it is in.
    pub condition: Condition,
    /// Whether the holder, or a guardian, confirmed that their data is saved.
    pub saved: bool,
}

impl Scanned {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        accessories(&self.accessories)
    }
}

/// A restitution as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The restitution.
    pub restitution: Restitution,
    /// The tablet's serial number.
    pub serial: SerialNumber,
    /// The owner's label.
    pub asset_tag: Option<String>,
    /// What was handed over with it and did not come back.
    pub missing: BTreeSet<String>,
    /// Why it is where it is, and what to do.
    pub waits: Waits,
}

/// What became of a request to receive tablets.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The restitutions, in the order they were scanned, and whether each had been received before: scanning a class again,
    /// after an interruption or by a colleague at the same time, receives nothing twice.
    pub lines: Vec<(Line, bool)>,
    /// The answer of a second person that the erasures of this request wait for.
    pub held: Option<CountersignatureId>,
    /// Whether the brake has counted them. While its switch is thrown it counts nothing, and their erasure must be ordered
    /// by hand afterwards.
    pub counted: bool,
}

/// Receives tablets: all of them, or none if one is out of reach or was lent to nobody.
///
/// # Errors
/// [`Refusal::BadScans`] names every tablet that cannot be received. Of one alone [`Refusal::NotFound`] (T-C1), and
/// [`Refusal::Conflict`] if it was not lent. [`Refusal::Invalid`].
pub async fn receive(
    fleet: &Fleet,
    principal: &Principal,
    scanned: Vec<Scanned>,
    now: Instant,
) -> Result<Receipt, Refusal> {
    if scanned.is_empty() || scanned.len() > MOST {
        return Err(Refusal::invalid("tablets", format!("must name 1 to {MOST} tablets")));
    }
    scanned.iter().try_for_each(Scanned::check)?;
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let reach = person.standing.may(Permission::ReceiveTablets, &person.access, now)?;
            let found = find_all(tx, scanned.iter().map(|one| one.tablet.as_str()), &reach)?;
            let Taken { receipts, held, counted } = take(tx, &principal, &person, (&scanned, found), now)?;
            let (rows, already): (Vec<Restitution>, Vec<bool>) = receipts.into_iter().unzip();
            let lines = lines(tx, rows, &terms, now)?.into_iter().zip(already).collect();
            Ok(Receipt { lines, held, counted })
        })
        .await
}

fn accessories(names: &BTreeSet<String>) -> Result<(), Refusal> {
    let fits = |name: &String| {
        (1..=LONGEST_ACCESSORY).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control)
    };
    if names.len() <= MOST_ACCESSORIES && names.iter().all(fits) {
        return Ok(());
    }
    let most = format!("at most {MOST_ACCESSORIES}, each of 1 to {LONGEST_ACCESSORY} characters on one line");
    Err(Refusal::invalid("accessories", most))
}

/// The restitutions within reach, the newest first: those that are not over, or all.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    under_way: bool,
    page: Page<RestitutionId>,
    now: Instant,
) -> Result<Listed<Line>, Refusal> {
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewRestitutions, now)?;
            let found = rows::list(tx, &within, under_way, page.after, page.with_one_more())?;
            let Listed { items, next } = page.cut(found, |row| row.id.to_string());
            Ok(Listed { items: lines(tx, items, &terms, now)?, next })
        })
        .await
}

/// One restitution.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Line, Refusal> {
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .read(move |tx| {
            let row = reached(tx, &principal, Permission::ViewRestitutions, id, now)?;
            line(tx, &row, &terms, now)
        })
        .await
}

/// Takes a receipt back that was a slip, as long as nothing was ordered: the loan stands as it stood, lent, in deposit or
/// confiscated, as if nothing had been scanned. What the brake counted stays counted.
///
/// # Errors
/// [`Refusal::Conflict`] once an erasure was ordered; [`Refusal::Forbidden`] if the holder was lent another tablet meanwhile.
pub async fn undo(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Line, Refusal> {
    change(fleet, principal, (Permission::ReceiveTablets, id), now, move |tx, row, _by| {
        if repairs::standing_of_tablet(tx, row.tablet_id)?.is_some() {
            return Err(Refusal::Conflict(
                "the tablet went to its supplier since: whoever held it has it again once it is back".into(),
            ));
        }
        let undone = row.decided()?.undo().map_err(|why| refused(&why))?;
        rows::update(tx, &row.come_to(&undone, now))?;
        resume(tx, row, now)?;
        modes::refresh(tx, row.tablet_id, now)?;
        Ok(("restitution.undo", json!({})))
    })
    .await
}

/// The loan that a slip had ended stands as it stood; one that had ended before stays over.
fn resume(tx: &mut Tx<'_>, row: &Restitution, now: Instant) -> Result<(), Refusal> {
    let Some(loan) = loans::get(tx, &row.loan_id)? else { return Ok(()) };
    let decided = loan.decided()?;
    if !matches!(decided.state(), LoanState::Ended { because: Ending::GivenBack, .. }) {
        return Ok(());
    }
    let (stood, since) = row.loan_stood()?;
    let another = holds_another(tx, &loan)?;
    let incident_open = !incidents::open_of_tablet(tx, row.tablet_id)?.is_empty();
    let again = match decided.goes_on_after_a_slip(&stood, incident_open, another) {
        Ok(again) => again,
        Err(why) => return Err(acts::told(tx, row.tablet_id, &why)?),
    };
    // An incident that was closed meanwhile lets it go on from now.
    let since = since.filter(|_| *again.state() == stood).unwrap_or(now);
    loans::update(tx, &loan.standing(&again, since))?;
    Ok(())
}

/// The holder, or a guardian, confirmed that their data is saved: the erasure does not wait any longer.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn saved(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Line, Refusal> {
    change(fleet, principal, (Permission::ReceiveTablets, id), now, move |tx, row, by| {
        let confirmed = Restitution { saved_at: Some(now), saved_by: Some(by), ..row.clone() };
        if row.saved_at.is_none() {
            rows::update(tx, &confirmed)?;
        }
        Ok(("restitution.saved", json!({})))
    })
    .await
}

/// Keeps a tablet as it is for a check, or lets it go again (C5.4.1).
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn hold_for_check(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    hold: bool,
    now: Instant,
) -> Result<Line, Refusal> {
    change(fleet, principal, (Permission::ReceiveTablets, id), now, move |tx, row, _by| {
        rows::update(tx, &Restitution { held_for_check: hold, ..row.clone() })?;
        Ok((if hold { "restitution.hold" } else { "restitution.let-go" }, json!({})))
    })
    .await
}

/// A technician attests that the tablet is empty, whatever way it was erased: the order has done its work (M3).
///
/// # Errors
/// [`Refusal::Conflict`] without an order that stands, or that the tablet acknowledged: nobody erases without one.
pub async fn attest(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Line, Refusal> {
    change(fleet, principal, (Permission::AttestErasure, id), now, move |tx, row, by| {
        let stands = match row.order_id {
            None => false,
            Some(order) => super::orders::is_open(tx, order)?,
        };
        let empty = row.decided()?.attest(by, stands).map_err(|why| refused(&why))?;
        rows::update(tx, &row.come_to(&empty, now))?;
        if let Some(order) = row.order_id {
            erase_orders::end(tx, order)?;
            commands::cancel_of_erase_order(tx, order)?;
        }
        Ok(("restitution.attest", json!({ "order": row.order_id })))
    })
    .await
}

/// Puts a tablet that is proven empty into stock, or into repair.
///
/// # Errors
/// [`Refusal::Conflict`] for one that is not proven empty.
pub async fn shelve(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    shelf: Place,
    now: Instant,
) -> Result<Line, Refusal> {
    change(fleet, principal, (Permission::ReceiveTablets, id), now, move |tx, row, _by| {
        let shelved = row.decided()?.shelve(shelf).map_err(|why| refused(&why))?;
        rows::update(tx, &row.come_to(&shelved, now))?;
        Ok(("restitution.shelve", json!({ "place": shelf })))
    })
    .await
}

/// Changes one restitution within reach, with one entry of the log.
async fn change(
    fleet: &Fleet,
    principal: &Principal,
    (permission, id): (Permission, RestitutionId),
    now: Instant,
    change: impl Fn(&mut Tx<'_>, &Restitution, types::AccountId) -> Result<(&'static str, Json), Refusal>
    + Send
    + 'static,
) -> Result<Line, Refusal> {
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let row = reached(tx, &principal, permission, id, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let (action, mut detail) = change(tx, &row, by)?;
            if let Some(detail) = detail.as_object_mut() {
                detail.insert("restitution".to_owned(), json!(id));
            }
            record(tx, &principal, action, row.tablet_id, detail, now)?;
            let row = get(tx, id)?;
            line(tx, &row, &terms, now)
        })
        .await
}

/// The restitution, if whoever asks may do this in its collège; to others it does not exist (T-C1).
pub(super) fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: RestitutionId,
    now: Instant,
) -> Result<Restitution, Refusal> {
    let reach = principal.may(tx, permission, now)?;
    let not_found = || Refusal::not_found("restitution", id);
    let row = rows::get(tx, &id)?.ok_or_else(not_found)?;
    let place = governance::Place::College(Some(row.uai.clone()));
    if reach.covers(&place) { Ok(row) } else { Err(not_found()) }
}

pub(super) fn get(tx: &mut Tx<'_>, id: RestitutionId) -> Result<Restitution, Refusal> {
    rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("restitution", id))
}

/// A restitution with what is shown beside it.
pub(super) fn line(
    tx: &mut Tx<'_>,
    row: &Restitution,
    terms: &lending::EraseTerms,
    now: Instant,
) -> Result<Line, Refusal> {
    let shown = lines(tx, vec![row.clone()], terms, now)?.pop();
    shown.ok_or_else(|| Refusal::Internal(format!("restitution {} is not shown", row.id)))
}

/// Restitutions with what is shown beside them: a handful of statements, however many they are.
fn lines(
    tx: &mut Tx<'_>,
    rows: Vec<Restitution>,
    terms: &lending::EraseTerms,
    now: Instant,
) -> Result<Vec<Line>, Refusal> {
    let tablets = crate::tablets::all(tx, rows.iter().map(|row| row.tablet_id))?;
    let loans = loans::get_all(tx, rows.iter().map(|row| row.loan_id))?;
    let loans: HashMap<LoanId, Loan> = loans.into_iter().map(|loan| (loan.id, loan)).collect();
    let known = Known::of(tx, rows.iter())?;
    let line = |row: Restitution| {
        let tablet = crate::tablets::of(&tablets, row.tablet_id)?;
        let waits = known.waits(&row, terms, now)?;
        let handed_over = loans.get(&row.loan_id).map(|loan| &loan.accessories);
        let missing = handed_over.into_iter().flatten().filter(|name| !row.accessories.contains(*name));
        let missing = missing.cloned().collect();
        let (serial, asset_tag) = (tablet.serial.clone(), tablet.asset_tag.clone());
        Ok(Line { restitution: row, serial, asset_tag, missing, waits })
    };
    rows.into_iter().map(line).collect()
}

pub(super) fn record(
    tx: &mut Tx<'_>,
    principal: &Principal,
    action: &'static str,
    tablet: TabletId,
    detail: Json,
    now: Instant,
) -> Result<(), Refusal> {
    audit::record(tx, principal, Change::new(action).tablet(Some(tablet)).detail(detail), now)
}
