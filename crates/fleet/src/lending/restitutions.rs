//! Tablets that come back over a counter (C5.3.5, C5.4.1).
//!
//! A receipt ends the loan, and is counted by the brake against whoever recorded it (M5): the erasure that follows is
//! theirs, whenever it goes. It is recorded even while the switch is thrown, since the tablet lies on the counter; what is
//! not counted is never ordered by the calendar. It is recorded, too, if the DPO took the validation of lending back
//! since: a loan that cannot be ended would be kept for ever.

use std::collections::{BTreeSet, HashSet};

use governance::brake::What;
use governance::{Permission, Reach};
use lending::Condition;
use lending::loan::{Ending, LoanState};
use lending::restitution::Place;
use serde_json::{Value as Json, json};
use store::restitutions::{self as rows, Restitution};
use store::tablets::Tablet;
use store::{Tx, commands, erase_orders, incidents, loans, repairs, tablets};
use types::{CountersignatureId, EraseOrderId, Instant, RestitutionId, SerialNumber, TabletId};

use super::loans::{self as acts, holds_another};
use super::modes;
use super::refusals::refused;
use super::waits::{self, Waits};
use crate::audit::{self, Change};
use crate::brake::{Deed, Judged, judge};
use crate::coming_in::Person;
use crate::csv_import::{self, clip};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// The most tablets in one request: a few classes.
pub(super) const MOST: usize = 500;
/// The most accessories of one tablet, and the longest name of one, in characters.
const MOST_ACCESSORIES: usize = 20;
const LONGEST_ACCESSORY: usize = 60;
/// What a second person is told that the acts are for.
const REASON: &str = "restitution";

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
            let found = |tx: &mut Tx<'_>, one: &Scanned| find(tx, &one.tablet, &reach);
            let Taken { ids, held, counted } = take(tx, &principal, &person, (&scanned, &found), now)?;
            let lines = ids
                .into_iter()
                .map(|(id, already)| {
                    let row = get(tx, id)?;
                    Ok((line(tx, &row, &terms, now)?, already))
                })
                .collect::<Result<_, Refusal>>()?;
            Ok(Receipt { lines, held, counted })
        })
        .await
}

/// Tablets that were taken back.
pub(super) struct Taken {
    /// Their restitutions, and whether each had been received before.
    pub(super) ids: Vec<(RestitutionId, bool)>,
    /// The answer of a second person that their erasures wait for.
    pub(super) held: Option<CountersignatureId>,
    /// Whether the brake has counted them.
    pub(super) counted: bool,
}

/// Which tablet it is that was scanned.
pub(super) type Found<'f> = dyn Fn(&mut Tx<'_>, &Scanned) -> Result<Tablet, Refusal> + 'f;

/// Takes tablets back: their loans end, and the brake counts their erasures against whoever receives them (M5).
pub(super) fn take(
    tx: &mut Tx<'_>,
    principal: &Principal,
    person: &Person,
    (scanned, found): (&[Scanned], &Found<'_>),
    now: Instant,
) -> Result<Taken, Refusal> {
    let (mut deeds, mut seen) = (Vec::new(), HashSet::new());
    let by = person.standing.account();
    let ids = each(
        scanned,
        |one| one.tablet.as_str(),
        |one| {
            let tablet = found(tx, one)?;
            let (row, already) = received(tx, &tablet, one, &by, now)?;
            if !already {
                deeds.push(Deed {
                    what: What::Restitution,
                    tablet: tablet.id,
                    college: tablet.uai.clone(),
                    reference: row.counted_order_id.to_string(),
                });
                let detail = json!({ "restitution": row.id, "loan": row.loan_id, "saved": one.saved });
                record(tx, principal, "restitution.receive", tablet.id, detail, now)?;
            }
            Ok((row.id, already || !seen.insert(row.id)))
        },
    )?;
    let (held, counted) = match deeds.as_slice() {
        [] => (None, true),
        deeds => match judge(tx, person, deeds, REASON, now) {
            Ok(Judged::Go) => (None, true),
            Ok(Judged::Held(asked)) => (Some(asked), true),
            Err(Refusal::Stopped(_)) => (None, false),
            Err(other) => return Err(other),
        },
    };
    Ok(Taken { ids, held, counted })
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

/// The tablet that was scanned, if it is within reach; to others it does not exist (T-C1).
pub(super) fn find(tx: &mut Tx<'_>, scanned: &str, reach: &Reach) -> Result<Tablet, Refusal> {
    crate::tablets::within(tx, &scanned.trim().parse()?, reach)
}

/// Does something with each tablet of a row that was scanned. If it cannot be done with some, each is told by its place in the
/// row and by what was scanned, and the transaction is not to be committed; one that was scanned alone is told as such.
pub(super) fn each<T, D>(
    row: &[T],
    scanned: impl Fn(&T) -> &str,
    mut done: impl FnMut(&T) -> Result<D, Refusal>,
) -> Result<Vec<D>, Refusal> {
    let (mut all, mut bad) = (Vec::with_capacity(row.len()), Vec::new());
    for (line, one) in (1..).zip(row) {
        match done(one) {
            Ok(it) => all.push(it),
            Err(
                of_this @ (Refusal::NotFound { .. }
                | Refusal::Worded(_)
                | Refusal::Conflict(_)
                | Refusal::Forbidden { .. }),
            ) if row.len() > 1 => {
                let (scanned, why) = (clip(scanned(one).trim()), of_this.to_string());
                let named = why.contains(&scanned);
                bad.push(csv_import::bad(line, if named { why } else { format!("`{scanned}`: {why}") }));
            }
            Err(other) => return Err(other),
        }
    }
    if bad.is_empty() { Ok(all) } else { Err(Refusal::BadScans(bad)) }
}

/// The receipt of a tablet, new or as it stands.
fn received(
    tx: &mut Tx<'_>,
    tablet: &Tablet,
    scanned: &Scanned,
    by: &types::AccountId,
    now: Instant,
) -> Result<(Restitution, bool), Refusal> {
    let lent_to_nobody = || {
        let serial = &tablet.serial;
        Refusal::Conflict(format!("tablet {serial} was lent to nobody: there is nothing to receive"))
    };
    let loan = loans::last_of_tablet(tx, tablet.id)?.ok_or_else(lent_to_nobody)?;
    if let Some(row) = rows::of_loan(tx, loan.id)? {
        return Ok((row, true));
    }
    if repairs::standing_of_tablet(tx, tablet.id)?.is_some_and(|repair| repair.loan_id == Some(loan.id)) {
        let serial = &tablet.serial;
        return Err(Refusal::Conflict(format!(
            "tablet {serial} is at its supplier’s: record that it is back, or that another came in its place"
        )));
    }
    let row = Restitution {
        id: RestitutionId::new(now),
        tablet_id: tablet.id,
        loan_id: loan.id,
        uai: tablet.uai.clone().unwrap_or_else(|| loan.uai.clone()),
        received_at: now,
        received_by: *by,
        accessories: scanned.accessories.iter().map(|name| name.trim().to_owned()).collect(),
        condition: scanned.condition.clone(),
        counted_order_id: EraseOrderId::new(now),
        saved_at: scanned.saved.then_some(now),
        saved_by: scanned.saved.then_some(*by),
        held_for_check: false,
        stage: rows::StageName::Received,
        order_id: None,
        acknowledged_at: None,
        proof: None,
        proof_ref: None,
        changed_at: now,
        loan_stood: None,
        loan_suspension: None,
        loan_since: None,
        loan_deposited_since: None,
    }
    .ending(&loan);
    let decided = loan.decided()?;
    if decided.goes_on() {
        let over = decided.end(Ending::GivenBack, now).map_err(|why| refused(&why))?;
        loans::update(tx, &loan.standing(&over, now))?;
    }
    rows::insert(tx, &row)?;
    modes::came_back(tx, tablet.id)?;
    Ok((row, false))
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
            let items = items.iter().map(|row| line(tx, row, &terms, now)).collect::<Result<_, Refusal>>()?;
            Ok(Listed { items, next })
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
    let tablet = tablets::get(tx, &row.tablet_id)?
        .ok_or_else(|| Refusal::Internal(format!("restitution {} names no tablet", row.id)))?;
    let waits = waits::of(tx, row, terms, now)?;
    let handed_over = loans::get(tx, &row.loan_id)?.map(|loan| loan.accessories).unwrap_or_default();
    let missing = handed_over.difference(&row.accessories).cloned().collect();
    let (serial, asset_tag) = (tablet.serial, tablet.asset_tag);
    Ok(Line { restitution: row.clone(), serial, asset_tag, missing, waits })
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
